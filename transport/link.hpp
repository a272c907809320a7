// A Link is one open descriptor on the loop: a serial port, a pseudo-terminal or a TCP connection. How it was opened
// (open_link) no longer matters here: all three end in this one class. Loop thread only. It is closed when destroyed; a
// read or write suspended then ends with link_lost on the next turn of the loop, and only its buffer must still be
// there.
#pragma once

#include <asio/io_context.hpp>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "transport/base/awaitable.hpp"
#include "transport/base/clock.hpp"
#include "transport/base/result.hpp"

namespace dfota {

class Link {
 public:
  /// Takes the descriptor over and makes it non-blocking. When the loop cannot take it (no kernel memory), the link is
  /// closed.
  Link(asio::io_context& loop, int descriptor);
  ~Link();
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  /// At least one byte, or Errc::link_lost: a hang-up, an end of file and an error are all the end of this link, never
  /// a silent 0. One reader; `into` is not empty.
  Awaitable<Result<std::size_t>> read(std::span<char> into);

  /// All of `bytes`, or Errc::link_lost, or Errc::timeout when the peer took none or only some of them before the
  /// deadline. One writer.
  Awaitable<Result<void>> write(std::string_view bytes, Clock::time_point deadline);

  /// Ends a pending read and write with Errc::link_lost. The descriptor is closed at once: a port that is held open
  /// while its module re-enumerates makes the kernel give the module another name. What a serial port has not sent yet
  /// is dropped: the kernel would wait for it, and the whole loop with it.
  void close();
  [[nodiscard]] bool is_open() const;

 private:
  struct State;
  std::shared_ptr<State> state_;  ///< shared with the suspended operations, so that none outlives what it works on
};

struct LinkOptions {
  unsigned baud = 115200;  ///< for serial ports; 8N1, no flow control unless rtscts
  bool rtscts = false;
  Clock::duration connect_limit = std::chrono::seconds(5);  ///< for tcp://
};

/// Opens what the configuration names: `tcp://host:port` (ser2net, raw), a pseudo-terminal, or a serial port; names are
/// resolved to the real path first (/dev/serial/by-path/..., DIR/m0). The descriptor is close-on-exec, exclusive
/// (TIOCEXCL and flock), raw, and does not drop DTR when it is closed (no HUPCL). What was waiting in a serial port's
/// or pseudo-terminal's input is kept: it may be what a flashing module said. Errors: absent (no such name now,
/// connection refused), busy (held by another program), timeout (tcp), refused (no permission), invalid (not a
/// terminal, a malformed tcp:// address), io. A terminal is opened without suspending.
Awaitable<Result<std::unique_ptr<Link>>> open_link(asio::io_context& loop, std::string port, LinkOptions options);

/// What the name leads to at this moment, links followed; the name itself where it leads nowhere, and tcp://.
std::string real_port(const std::string& port);

/// Whether the name leads to something that could be opened at this moment; for tcp:// always true.
bool port_present(const std::string& port);

}  // namespace dfota
