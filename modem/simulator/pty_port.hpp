// A module's port as the master of a pseudo-terminal whose slave stands behind a stable symlink. A hung-up master polls
// ready for ever, so the port sleeps until inotify says that the slave was opened. With a baud rate both directions are
// as slow as a serial line: what the line has not carried yet waits in the kernel, and the host's writes with it. On
// the loop's thread.
#pragma once

#include <array>
#include <asio/posix/stream_descriptor.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "modem/simulator/port.hpp"
#include "transport/base/awaitable.hpp"

namespace dfota::sim {

/// One inotify descriptor for all ports of a rack: who opened which slave.
class OpenWatch {
 public:
  /// Errc::io when the kernel has no inotify left.
  static Result<std::unique_ptr<OpenWatch>> create(asio::io_context& loop);
  /// Calls `opened` after each open(2) of `path` until remove(); -1 when the watch could not be set.
  int add(const std::string& path, std::function<void()> opened);
  void remove(int watch);

 private:
  OpenWatch(asio::io_context& loop, int descriptor);
  Awaitable<> run();
  void dispatch(std::string_view events);

  asio::posix::stream_descriptor events_;
  std::array<char, 4096> buffer_;
  std::unordered_map<int, std::function<void()>> watchers_;
};

class PtyPort : public Port {
 public:
  /// `baud` 0: as fast as the kernel.
  PtyPort(asio::io_context& loop, OpenWatch& watch, std::string link, int baud = 0);
  ~PtyPort() override;

  /// A new pseudo-terminal behind the symlink, raw. Errc::io when the kernel gives none.
  Result<void> open() override;
  /// The symlink goes, and the host sees a hang-up.
  void close() override;
  bool write(std::string_view bytes) override;
  /// Something written is not yet read by the host.
  [[nodiscard]] bool has_unread() const override;

  [[nodiscard]] bool is_open() const override { return state_ != nullptr; }
  /// The symlink.
  [[nodiscard]] std::string name() const override { return link_; }
  [[nodiscard]] std::string pts() const override { return pts_; }

 private:
  struct State;
  static Awaitable<> read(std::shared_ptr<State> state);
  static Awaitable<> send_paced(std::shared_ptr<State> state);
  Result<void> link_to(const std::string& pts);

  asio::io_context& loop_;
  OpenWatch& watch_;
  std::string link_;
  int baud_;
  std::string pts_;
  std::shared_ptr<State> state_;
};

}  // namespace dfota::sim
