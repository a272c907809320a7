// The far end of a USB serial port in a QEMU guest: a connection to the unix socket on which QEMU serves the chardev of
// a usb-serial device. QEMU shows the guest the device while somebody is connected, so connecting is plugging in and
// closing is unplugging. Whether the guest has its tty open cannot be seen from here: a listener is a connection, and
// what nobody takes over there is dropped when QEMU has no room for it. On the loop's thread.
#pragma once

#include <asio/io_context.hpp>
#include <memory>
#include <string>

#include "modem/simulator/port.hpp"
#include "modem/simulator/stream_line.hpp"
#include "transport/base/clock.hpp"

namespace dfota::sim {

class ChardevPort : public Port {
 public:
  /// The socket need not be there yet: it is tried again until it is.
  ChardevPort(asio::io_context& loop, std::string path);
  ~ChardevPort() override;

  /// Errc::invalid: the path is too long for a socket.
  Result<void> open() override;
  void close() override;
  bool write(std::string_view bytes) override;
  /// What QEMU has taken from the socket still has to go over the guest's USB: it counts as unread for a while.
  [[nodiscard]] bool has_unread() const override;
  [[nodiscard]] bool is_open() const override { return state_ != nullptr; }
  /// unix:PATH, as QEMU writes it
  [[nodiscard]] std::string name() const override { return "unix:" + path_; }

 private:
  struct State;
  static Awaitable<> stay_connected(std::shared_ptr<State> state);

  asio::io_context& loop_;
  std::string path_;
  std::shared_ptr<State> state_;
};

}  // namespace dfota::sim
