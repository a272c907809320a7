// One host on a stream socket, from its connection to its end: what the ports over TCP and over a QEMU chardev have in
// common. Shared by the port and the coroutine that reads. On the loop's thread.
#pragma once

#include <array>
#include <asio/generic/stream_protocol.hpp>
#include <memory>
#include <string_view>

#include "modem/simulator/port.hpp"
#include "transport/base/awaitable.hpp"

namespace dfota::sim {

class StreamLine {
 public:
  using Socket = asio::generic::stream_protocol::socket;

  /// A connected socket.
  StreamLine(Socket socket, std::shared_ptr<Port::Events> events);

  /// Tells that a listener is there, then what it writes, until it hangs up or end(); then that it is gone.
  static Awaitable<> read(std::shared_ptr<StreamLine> line);
  /// The connection is closed.
  void end();
  /// True when everything fitted into the socket.
  bool write(std::string_view bytes);
  /// Bytes that are still on this side.
  [[nodiscard]] bool has_unread() const;
  /// The host writes no more, whether that has been read or not.
  [[nodiscard]] bool hung_up() const;

 private:
  mutable Socket socket_;  ///< asio gives its descriptor to nobody const
  std::shared_ptr<Port::Events> events_;
  std::array<char, 1024> buffer_;
  bool open_ = true;
  bool told_ = false;  ///< that a listener is there
};

}  // namespace dfota::sim
