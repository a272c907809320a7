#include "tests/support/tcp_module.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace dfota::test {
namespace {

int must(int result, const char* what) {
  if (result < 0) throw std::runtime_error(std::string("tcp module: ") + what);
  return result;
}

int bound(std::uint16_t& number) {
  const int handle = must(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "socket");
  const auto share = [handle] {
    const int on = 1;
    must(::setsockopt(handle, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), "SO_REUSEADDR");
  };
  const bool any = number == 0;
  if (!any) share();
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(number);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  must(::bind(handle, reinterpret_cast<const sockaddr*>(&address), size), "bind");
  must(::getsockname(handle, reinterpret_cast<sockaddr*>(&address), &size), "getsockname");
  number = ntohs(address.sin_port);
  // Later: with it, the kernel may choose a port that another test has reserved in the same way.
  if (any) share();
  return handle;
}

void close_handle(int& handle) {
  if (handle >= 0) ::close(std::exchange(handle, -1));
}

/// What is there; closes the handle at its end.
std::string read_all(int& handle) {
  std::string out;
  char bytes[4096];
  while (handle >= 0) {
    const auto got = ::recv(handle, bytes, sizeof bytes, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) break;
    if (got <= 0) {
      close_handle(handle);
    } else {
      out.append(bytes, static_cast<std::size_t>(got));
    }
  }
  return out;
}

}  // namespace

TcpModule::TcpModule() : reserved_(bound(number_)) {
  plug();
}

TcpModule::~TcpModule() {
  unplug();
  close_handle(reserved_);
}

void TcpModule::plug() {
  if (plugged()) return;
  listener_ = bound(number_);
  must(::listen(listener_, 4), "listen");
}

void TcpModule::unplug() {
  close_handle(connection_);
  close_handle(listener_);
  received_.clear();
}

bool TcpModule::pump() {
  bool any = false;
  if (connection_ >= 0) {
    const auto bytes = read_all(connection_);
    any = !bytes.empty() || connection_ < 0;
    received_ += bytes;
  }
  if (listener_ < 0) return any;
  const int next = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (next < 0) return any;
  const int on = 1;
  ::setsockopt(next, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  close_handle(connection_);
  connection_ = next;
  ++connections_;
  received_.clear();
  return true;
}

std::optional<std::string> TcpModule::next_line() {
  const auto end = received_.find('\r');
  if (end == std::string::npos) return std::nullopt;
  auto line = received_.substr(0, end);
  received_.erase(0, end + 1);
  return line;
}

bool TcpModule::say(std::string_view bytes) {
  if (connection_ < 0) return false;
  const auto sent = ::send(connection_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  return sent == static_cast<ssize_t>(bytes.size());
}

TcpDownload::TcpDownload(std::uint16_t port, const std::string& path) {
  connection_ = must(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const auto request = "GET " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
  const bool asked = ::connect(connection_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
                     ::send(connection_, request.data(), request.size(), MSG_NOSIGNAL) >= 0;
  if (!asked) close_handle(connection_);
}

TcpDownload::~TcpDownload() {
  close_handle(connection_);
}

bool TcpDownload::pump() {
  if (connection_ < 0) return false;
  auto bytes = read_all(connection_);
  const bool any = !bytes.empty() || connection_ < 0;
  if (!in_body_) {
    head_ += bytes;
    bytes.clear();
    const auto end = head_.find("\r\n\r\n");
    if (end == std::string::npos) return any;
    in_body_ = true;
    good_ = head_.starts_with("HTTP/1.1 200");
    bytes = head_.substr(end + 4);
    if (!good_) close_handle(connection_);
  }
  if (good_) bytes_ += bytes.size();
  return any;
}

}  // namespace dfota::test
