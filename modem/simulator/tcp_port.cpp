#include "modem/simulator/tcp_port.hpp"

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <charconv>

#include "transport/base/signal.hpp"

namespace dfota::sim {
namespace {

using asio::ip::tcp;

/// The kernel had no descriptor for a connection: not again at once.
constexpr auto kAcceptAgain = std::chrono::milliseconds(100);

std::string url_of(const tcp::endpoint& address) {
  const auto host = address.address().to_string();
  return "tcp://" + (address.address().is_v6() ? "[" + host + "]" : host) + ":" + std::to_string(address.port());
}

}  // namespace

Result<tcp::endpoint> listening_address(asio::io_context& loop, const std::string& text) {
  const Error malformed(Errc::invalid, "'" + text + "' is not of the form HOST:PORT");
  const auto colon = text.rfind(':');
  if (colon == std::string::npos) return malformed;
  auto host = text.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  std::uint16_t port = 0;
  const auto* end = text.data() + text.size();
  const auto [rest, wrong] = std::from_chars(text.data() + colon + 1, end, port);
  if (host.empty() || wrong != std::errc() || rest != end) return malformed;
  asio::error_code failure;
  tcp::resolver resolver(loop);
  const auto found = resolver.resolve(host, std::to_string(port), tcp::resolver::passive, failure);
  if (failure || found.empty()) return Error(Errc::absent, "no address of " + host + " is known: " + failure.message());
  return found.begin()->endpoint();
}

struct TcpPort::State {
  State(asio::io_context& loop, std::shared_ptr<Events> events)
      : loop(loop), acceptor(loop), events(std::move(events)) {}
  asio::io_context& loop;
  tcp::acceptor acceptor;
  std::shared_ptr<Events> events;
  std::shared_ptr<StreamLine> line;
  bool closed = false;
};

TcpPort::TcpPort(asio::io_context& loop, const tcp::endpoint& address)
    : loop_(loop), address_(address), reserved_(loop) {}

TcpPort::~TcpPort() {
  tell_nobody();
  close();
}

/// Takes over the number that port 0 has become.
Result<void> TcpPort::bind(tcp::acceptor& socket) {
  asio::error_code failure;
  socket.open(address_.protocol(), failure);
  if (!failure) socket.set_option(tcp::acceptor::reuse_address(true), failure);
  if (!failure) socket.bind(address_, failure);
  if (!failure) address_ = socket.local_endpoint(failure);
  if (!failure) return {};
  return Error(failure == asio::error::address_in_use ? Errc::busy : Errc::io,
               "cannot listen at " + name() + ": " + failure.message());
}

Result<void> TcpPort::open() {
  close();
  if (!reserved_.is_open()) {
    auto reserved = bind(reserved_);
    if (!reserved) return reserved;
  }
  auto state = std::make_shared<State>(loop_, events());
  auto bound = bind(state->acceptor);
  if (!bound) return bound;
  asio::error_code failure;
  state->acceptor.listen(tcp::acceptor::max_listen_connections, failure);
  if (failure) return Error(Errc::busy, "cannot listen at " + name() + ": " + failure.message());
  state_ = state;
  asio::co_spawn(loop_, accept(state), asio::detached);
  return {};
}

void TcpPort::close() {
  if (!state_) return;
  const auto state = std::move(state_);
  state_ = nullptr;
  state->closed = true;
  asio::error_code ignored;
  state->acceptor.close(ignored);
  if (state->line) state->line->end();
}

bool TcpPort::write(std::string_view bytes) {
  return state_ && state_->line && state_->line->write(bytes);
}

bool TcpPort::has_unread() const {
  return state_ && state_->line && state_->line->has_unread();
}

std::string TcpPort::name() const {
  return url_of(address_);
}

Awaitable<> TcpPort::accept(std::shared_ptr<State> state) {
  while (!state->closed) {
    auto [failure, peer] = co_await state->acceptor.async_accept(kNoThrow);
    if (state->closed) co_return;
    if (failure) {
      co_await sleep_for(state->loop, kAcceptAgain);
      continue;
    }
    // A host that comes back at once may be here before its last connection was read to its end.
    if (state->line && !state->line->hung_up()) continue;
    if (state->line) state->line->end();
    asio::error_code ignored;
    peer.set_option(tcp::no_delay(true), ignored);
    state->line = std::make_shared<StreamLine>(std::move(peer), state->events);
    asio::co_spawn(state->loop, StreamLine::read(state->line), asio::detached);
  }
}

}  // namespace dfota::sim
