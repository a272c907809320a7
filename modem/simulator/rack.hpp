// N simulated modules in one directory, on one loop and one thread.
#pragma once

#include <asio/io_context.hpp>
#include <memory>
#include <string>
#include <vector>

#include "modem/simulator/virtual_module.hpp"

namespace dfota::sim {

struct RackOptions {
  std::string dir;
  int count = 1;
  std::string link_prefix = "m";
  ModuleOptions module;  ///< index, name and dir are the rack's to fill
};

class Rack {
 public:
  /// Loop and log must outlive it; stop the loop before it goes.
  Rack(asio::io_context& loop, EventLog& log) : loop_(loop), log_(log) {}
  ~Rack();
  Rack(const Rack&) = delete;
  Rack& operator=(const Rack&) = delete;

  /// Takes the directory (one rack each), raises the limit of open files, opens every port.
  /// Errc::busy: another rack has it; Errc::invalid: a link's name is taken by something else, or no family has the
  /// model.
  Result<void> start(const RackOptions& options);
  /// Symlinks go, summaries are written.
  void finish();

  [[nodiscard]] VirtualModule& module(size_t index) { return *modules_[index]; }

 private:
  Result<void> take_dir(const std::string& dir);

  asio::io_context& loop_;
  EventLog& log_;
  int lock_ = -1;
  std::unique_ptr<OpenWatch> watch_;
  std::vector<std::unique_ptr<VirtualModule>> modules_;
};

}  // namespace dfota::sim
