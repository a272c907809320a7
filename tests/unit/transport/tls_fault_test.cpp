#include "transport/tls_fault.hpp"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <string>
#include <thread>

using namespace dfota;
using namespace std::chrono_literals;

namespace {

/// A server of one connection on loopback, to which it says a byte of this every 20 ms, for as long as it lives.
class Dripper {
 public:
  explicit Dripper(std::string text) : text_(std::move(text)), listener_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in here{};
    here.sin_family = AF_INET;
    here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof here;
    REQUIRE(::bind(listener_, reinterpret_cast<sockaddr*>(&here), sizeof here) == 0);
    REQUIRE(::listen(listener_, 1) == 0);
    REQUIRE(::getsockname(listener_, reinterpret_cast<sockaddr*>(&here), &size) == 0);
    REQUIRE(::pipe(stop_.data()) == 0);
    port = ntohs(here.sin_port);
    thread_ = std::thread([this] { drip(); });
  }
  ~Dripper() {
    ::close(stop_[1]);
    thread_.join();
    for (const int fd : {listener_, stop_[0]}) ::close(fd);
  }
  Dripper(const Dripper&) = delete;
  Dripper& operator=(const Dripper&) = delete;

  std::uint16_t port = 0;

 private:
  bool stopped_within(int ms) const {
    pollfd stop{stop_[0], POLLIN, 0};
    return ::poll(&stop, 1, ms) > 0;
  }
  void drip() {
    const int guest = ::accept(listener_, nullptr, nullptr);
    for (std::size_t i = 0; !stopped_within(20); ++i) {
      if (i < text_.size()) ::send(guest, &text_[i], 1, MSG_NOSIGNAL);
    }
    ::close(guest);
  }

  std::string text_;
  int listener_;
  std::array<int, 2> stop_{};
  std::thread thread_;
};

std::optional<std::string> fault_at(std::uint16_t port, std::chrono::milliseconds limit) {
  MqttBroker broker;
  broker.host = "127.0.0.1";
  broker.port = port;
  broker.tls = true;
  return tls_fault(broker, {}, limit);
}

}  // namespace

TEST_CASE("a server that says nothing, or drips a handshake without an end, is waited for no longer than the limit") {
  // A record of a server's handshake (RFC 8446, 5.1) that announces 16 KiB, and then a byte at a time.
  const std::string record("\x16\x03\x03\x40\x00\x02\x00\x3f\xf0", 9);
  for (const auto& text : {std::string(), record + std::string(100000, '\x03')}) {
    CAPTURE(text.size());
    const Dripper server(text);
    CHECK_FALSE(fault_at(server.port, 200ms));
  }
}

TEST_CASE("what is no TLS is told as that") {
  const Dripper server("HTTP/1.1 400 Bad Request\r\n\r\n");
  const auto fault = fault_at(server.port, 60s);
  REQUIRE(fault);
  CHECK(fault->find("there is no TLS at this port") != std::string::npos);
}
