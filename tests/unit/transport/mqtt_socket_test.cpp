#include "transport/mqtt_socket.hpp"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace dfota;

namespace {
class Socket {
 public:
  explicit Socket(int fd) : fd_(fd) {}
  ~Socket() { ::close(fd_); }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  [[nodiscard]] int fd() const { return fd_; }
  [[nodiscard]] std::uint16_t port() const {
    sockaddr_in address{};
    socklen_t size = sizeof address;
    ::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
    return ntohs(address.sin_port);
  }

 private:
  int fd_;
};

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

int connected_to(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  const auto address = loopback(port);
  REQUIRE(::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  return fd;
}

bool sends_at_once(int fd) {
  int on = 0;
  socklen_t size = sizeof on;
  ::getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, &size);
  return on != 0;
}

bool is_writable(int fd) {
  return ::send(fd, "x", 1, MSG_NOSIGNAL) == 1;
}
}  // namespace

TEST_CASE("only the socket with the given local port is shut down, or sends at once") {
  const Socket server(::socket(AF_INET, SOCK_STREAM, 0));
  const auto any = loopback(0);
  REQUIRE(::bind(server.fd(), reinterpret_cast<const sockaddr*>(&any), sizeof any) == 0);
  REQUIRE(::listen(server.fd(), 8) == 0);
  const Socket first(connected_to(server.port())), second(connected_to(server.port()));
  const auto both = local_ports_to("127.0.0.1", server.port());
  CHECK(both == std::set<std::uint16_t>{first.port(), second.port()});
  CHECK(local_ports_to("127.0.0.2", server.port()).empty());
  CHECK(local_ports_to("localhost", server.port()) == both);

  send_at_once_to("127.0.0.1", server.port(), {first.port()});
  CHECK(sends_at_once(first.fd()));
  CHECK_FALSE(sends_at_once(second.fd()));

  shut_down_sockets_to("127.0.0.1", server.port(), {first.port()});
  CHECK_FALSE(is_writable(first.fd()));
  CHECK(is_writable(second.fd()));
}
