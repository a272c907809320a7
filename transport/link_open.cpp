#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/stat.h>

#include <asio/ip/tcp.hpp>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <vector>

#include "transport/link.hpp"
#include "transport/serial_port.hpp"

namespace dfota {
namespace {

using asio::ip::tcp;

constexpr std::string_view kTcp = "tcp://";
// A ser2net that was switched off is noticed after 30 + 3 * 10 s of silence.
constexpr int kKeepaliveIdleS = 30;
constexpr int kKeepaliveIntervalS = 10;
constexpr int kKeepaliveProbes = 3;
constexpr unsigned kUnackedLimitMs = 60000;

Result<std::string> real_path(const std::string& port) {
  const std::unique_ptr<char, decltype(&std::free)> path(::realpath(port.c_str(), nullptr), &std::free);
  if (!path) return open_error(errno, port);
  return std::string(path.get());
}

/// `tcp://host:port`, `tcp://[v6]:port`.
struct TcpAddress {
  TcpAddress(std::string host, std::uint16_t port) : host(std::move(host)), port(port) {}
  std::string host;
  std::uint16_t port;
};

Result<TcpAddress> tcp_address(const std::string& name) {
  const Error malformed(Errc::invalid, name + " is not of the form tcp://host:port");
  const std::string_view rest = std::string_view(name).substr(kTcp.size());
  const auto colon = rest.rfind(':');
  if (colon == std::string_view::npos) return malformed;
  auto host = rest.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  const auto digits = rest.substr(colon + 1);
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (host.empty() || port == 0 || error != std::errc() || end != digits.data() + digits.size()) return malformed;
  return TcpAddress(std::string(host), port);
}

/// Shared by the coroutine and the handlers that may come after it has given up.
struct Lookup {
  explicit Lookup(asio::io_context& loop) : resolver(loop), done(loop) {}
  tcp::resolver resolver;
  Timer done;
  asio::error_code error = asio::error::would_block;
  std::vector<tcp::endpoint> endpoints;
};

/// A name look-up cannot be broken off: it is left to end by itself, and the deadline holds.
Awaitable<Result<std::vector<tcp::endpoint>>> look_up(asio::io_context& loop, TcpAddress address, std::string name,
                                                      Clock::time_point deadline) {
  asio::error_code not_numeric;
  const auto numeric = asio::ip::make_address(address.host, not_numeric);
  if (!not_numeric) co_return std::vector<tcp::endpoint>(1, tcp::endpoint(numeric, address.port));

  const auto lookup = std::make_shared<Lookup>(loop);
  lookup->done.expires_at(deadline);
  lookup->resolver.async_resolve(address.host, std::to_string(address.port),
                                 [lookup](const asio::error_code& error, const tcp::resolver::results_type& found) {
                                   lookup->error = error;
                                   for (const auto& entry : found) lookup->endpoints.push_back(entry.endpoint());
                                   lookup->done.cancel();
                                 });
  co_await lookup->done.async_wait(kNoThrow);
  if (lookup->error == asio::error::would_block)
    co_return Error(Errc::timeout, name + ": its address was not found in time");
  if (lookup->error) co_return Error(Errc::absent, name + ": " + lookup->error.message());
  co_return std::move(lookup->endpoints);
}

Error connect_error(const std::error_code& error, const std::string& name) {
  if (error == asio::error::operation_aborted || error == asio::error::timed_out) {
    return Error(Errc::timeout, name + ": no connection in time");
  }
  const bool nobody = error == asio::error::connection_refused || error == asio::error::host_unreachable ||
                      error == asio::error::network_unreachable || error == asio::error::connection_reset;
  return Error(nobody ? Errc::absent : Errc::io, name + ": " + error.message());
}

void watch_for_dead_peer(tcp::socket& socket) {
  const int handle = socket.native_handle();
  const int on = 1;
  ::setsockopt(handle, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ::setsockopt(handle, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  ::setsockopt(handle, IPPROTO_TCP, TCP_KEEPIDLE, &kKeepaliveIdleS, sizeof kKeepaliveIdleS);
  ::setsockopt(handle, IPPROTO_TCP, TCP_KEEPINTVL, &kKeepaliveIntervalS, sizeof kKeepaliveIntervalS);
  ::setsockopt(handle, IPPROTO_TCP, TCP_KEEPCNT, &kKeepaliveProbes, sizeof kKeepaliveProbes);
  ::setsockopt(handle, IPPROTO_TCP, TCP_USER_TIMEOUT, &kUnackedLimitMs, sizeof kUnackedLimitMs);
}

Awaitable<Result<std::unique_ptr<Link>>> open_tcp(asio::io_context& loop, std::string name, Clock::duration limit) {
  const auto address = tcp_address(name);
  if (!address) co_return address.error();
  const auto deadline = Clock::now() + limit;
  const auto endpoints = co_await look_up(loop, *address, name, deadline);
  if (!endpoints) co_return endpoints.error();

  const auto socket = std::make_shared<tcp::socket>(loop);
  Timer timer(loop, deadline);
  timer.async_wait([socket](const asio::error_code& error) {
    asio::error_code ignored;
    if (!error) socket->close(ignored);
  });
  std::error_code last = asio::error::host_not_found;
  for (const auto& endpoint : *endpoints) {
    asio::error_code ignored;
    socket->close(ignored);
    // A deadline that has passed must not be met by a socket that connect() would open anew.
    if (Clock::now() >= deadline) co_return connect_error(asio::error::timed_out, name);
    auto [error] = co_await socket->async_connect(endpoint, kNoThrow);
    last = error;
    if (!error) break;
  }
  timer.cancel();
  if (last) co_return connect_error(last, name);
  if (!socket->is_open()) co_return connect_error(asio::error::timed_out, name);
  watch_for_dead_peer(*socket);
  asio::error_code error;
  const int descriptor = socket->release(error);
  if (error) co_return connect_error(error, name);
  co_return std::make_unique<Link>(loop, descriptor);
}

Result<Descriptor> open_terminal(const std::string& port, const LinkOptions& options) {
  const auto path = real_path(port);
  if (!path) return path.error();
  // libserialport refuses pseudo-terminals.
  if (!path->starts_with("/dev/pts/")) return open_serial_port(*path, options.baud, options.rtscts);
  auto tty = open_tty(*path);
  if (!tty) return tty;
  if (auto claimed = claim_tty(*tty, *path); !claimed) return claimed.error();
  return tty;
}

}  // namespace

Awaitable<Result<std::unique_ptr<Link>>> open_link(asio::io_context& loop, std::string port, LinkOptions options) {
  if (port.starts_with(kTcp)) co_return co_await open_tcp(loop, port, options.connect_limit);
  auto terminal = open_terminal(port, options);
  if (!terminal) co_return terminal.error();
  co_return std::make_unique<Link>(loop, terminal->release());
}

std::string real_port(const std::string& port) {
  std::error_code nowhere;
  const auto real = std::filesystem::canonical(port, nowhere);
  return nowhere ? port : real.string();
}

bool port_present(const std::string& port) {
  if (port.starts_with(kTcp)) return true;
  struct stat status {};
  return ::stat(port.c_str(), &status) == 0 && S_ISCHR(status.st_mode);
}

}  // namespace dfota
