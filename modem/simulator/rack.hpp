// N simulated modules with what they keep in one directory, and recorded ones behind them, on one loop and one thread.
// Their ports are pseudo-terminals in that directory, TCP ports, or chardevs of a QEMU guest.
#pragma once

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <memory>
#include <string>
#include <vector>

#include "modem/simulator/pty_port.hpp"
#include "modem/simulator/replay_module.hpp"
#include "modem/simulator/virtual_module.hpp"

namespace dfota::sim {

struct RackOptions {
  std::string dir;
  int count = 1;
  std::string link_prefix = "m";
  int baud = 0;                      ///< of pseudo-terminals; 0: as fast as the kernel
  std::string tcp;                   ///< HOST:PORT: module n listens on PORT + n; with port 0 on any that is free
  std::string chardev;               ///< a directory: module n is the far end of QEMU's socket m<n>.sock there
  ModuleOptions module;              ///< index, name and dir are the rack's to fill
  std::vector<std::string> replays;  ///< transcripts; their modules are numbered from `count` on
  double replay_speed = 1;
  [[nodiscard]] int modules() const { return count + static_cast<int>(replays.size()); }
};

class Rack {
 public:
  /// Loop and log must outlive it; stop the loop before it goes.
  Rack(asio::io_context& loop, EventLog& log) : loop_(loop), log_(log) {}
  ~Rack();
  Rack(const Rack&) = delete;
  Rack& operator=(const Rack&) = delete;

  /// Takes the directory (one rack each), raises the limit of open files, opens every port.
  /// Errc::busy: another rack has it; Errc::invalid: a link's name is taken by something else, no
  /// family has the model, these are no ports, or a file is no transcript (Errc::absent: there is none).
  Result<void> start(const RackOptions& options);
  /// Ports go, summaries are written.
  void finish();

  [[nodiscard]] VirtualModule& module(size_t index) { return *modules_[index]; }
  [[nodiscard]] ReplayModule& replay(size_t index) { return *replays_[index]; }

 private:
  Result<void> take_dir(const std::string& dir);
  Result<void> prepare_ports(const RackOptions& options);
  Result<void> start_replays(const RackOptions& options, std::vector<ReplayScript> scripts);
  Result<std::unique_ptr<Port>> make_port(const RackOptions& options, int index, const std::string& name);
  Result<std::unique_ptr<Port>> make_pty(const RackOptions& options, const std::string& link);

  asio::io_context& loop_;
  EventLog& log_;
  int lock_ = -1;
  std::unique_ptr<OpenWatch> watch_;  ///< of pseudo-terminals
  asio::ip::tcp::endpoint first_;     ///< of the ports over TCP
  std::vector<std::unique_ptr<VirtualModule>> modules_;
  std::vector<std::unique_ptr<ReplayModule>> replays_;
};

}  // namespace dfota::sim
