// A module's port over TCP, raw, as ser2net offers a serial port: one host at a time, any other is turned away at once.
// A closed port cuts its host off and refuses connections, but keeps its number. On the loop's thread.
#pragma once

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <memory>
#include <string>

#include "modem/simulator/port.hpp"
#include "modem/simulator/stream_line.hpp"

namespace dfota::sim {

/// "host:port" or "[v6]:port"; port 0: any that is free. Errc::invalid, or Errc::absent for a name that is not known.
Result<asio::ip::tcp::endpoint> listening_address(asio::io_context& loop, const std::string& text);

class TcpPort : public Port {
 public:
  TcpPort(asio::io_context& loop, const asio::ip::tcp::endpoint& address);
  ~TcpPort() override;

  /// Errc::busy: somebody else listens there; Errc::io: this machine has no such address.
  Result<void> open() override;
  void close() override;
  bool write(std::string_view bytes) override;
  [[nodiscard]] bool has_unread() const override;
  [[nodiscard]] bool is_open() const override { return state_ != nullptr; }
  /// tcp://host:port
  [[nodiscard]] std::string name() const override;

 private:
  struct State;
  static Awaitable<> accept(std::shared_ptr<State> state);
  Result<void> bind(asio::ip::tcp::acceptor& socket);

  asio::io_context& loop_;
  asio::ip::tcp::endpoint address_;
  asio::ip::tcp::acceptor reserved_;  ///< bound, but not listening
  std::shared_ptr<State> state_;
};

}  // namespace dfota::sim
