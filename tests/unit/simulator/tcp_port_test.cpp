#include "modem/simulator/tcp_port.hpp"

#include <doctest/doctest.h>

#include <asio/co_spawn.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/write.hpp>
#include <functional>

using namespace dfota;
using namespace dfota::sim;
using asio::ip::tcp;

namespace {

constexpr auto kWatchdog = std::chrono::seconds(60);

struct Fixture {
  Fixture() {
    port.tell({[this](std::string_view bytes) { received += bytes; },
               [this](bool there) { told += there ? "opened " : "closed "; }});
  }
  void until(const std::function<bool()>& reached, const std::string& what) {
    const auto give_up = std::chrono::steady_clock::now() + kWatchdog;
    while (!reached()) {
      REQUIRE_MESSAGE(std::chrono::steady_clock::now() < give_up, what);
      loop.restart();
      loop.run_one_for(std::chrono::milliseconds(1));
    }
  }
  [[nodiscard]] tcp::endpoint address() const {
    const auto name = port.name();
    return {asio::ip::address_v4::loopback(), static_cast<uint16_t>(std::stoi(name.substr(name.rfind(':') + 1)))};
  }
  asio::error_code connect(tcp::socket& host) const {
    asio::error_code failure;
    host.connect(address(), failure);
    if (!failure) host.non_blocking(true);
    return failure;
  }
  /// What has come until the connection ends, if it does.
  static std::string heard(tcp::socket& host, bool& ended) {
    char room[1024];
    asio::error_code failure;
    const auto size = host.read_some(asio::buffer(room), failure);
    ended = failure && failure != asio::error::would_block;
    return {room, size};
  }
  void until_heard(tcp::socket& host, const std::string& text) {
    std::string all;
    bool ended = false;
    until(
        [&] {
          all += heard(host, ended);
          return all == text;
        },
        "to hear " + text);
  }
  void until_cut_off(tcp::socket& host) {
    bool ended = false;
    until(
        [&] {
          heard(host, ended);
          return ended;
        },
        "the end of the connection");
  }
  asio::io_context loop;
  TcpPort port{loop, tcp::endpoint(asio::ip::address_v4::loopback(), 0)};
  tcp::socket host{loop}, other{loop};
  std::string received, told;
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "bytes go both ways; without a host they are gone") {
  REQUIRE(port.open().ok());
  CHECK(port.is_open());
  CHECK_FALSE(port.write("lost"));
  REQUIRE_FALSE(connect(host));
  until([&] { return told == "opened "; }, "a listener");
  asio::write(host, asio::buffer(std::string_view("ATI\r")));
  until([&] { return received == "ATI\r"; }, "the command");
  CHECK(port.write("OK"));
  until_heard(host, "OK");
  until([&] { return !port.has_unread(); }, "the bytes to have arrived");
  host.close();
  until([&] { return told == "opened closed "; }, "the hang-up");
  CHECK_FALSE(port.write("lost"));
  CHECK(port.pts().empty());
}

TEST_CASE_FIXTURE(Fixture,
                  "a module that is off cuts its host off and refuses connections, and is back under its number") {
  REQUIRE(port.open().ok());
  const auto before = port.name();
  REQUIRE_FALSE(connect(host));
  until([&] { return told == "opened "; }, "a listener");
  CHECK(port.write("last words"));
  port.close();
  CHECK_FALSE(port.is_open());
  CHECK(told == "opened closed ");
  until_heard(host, "last words");
  until_cut_off(host);
  CHECK(connect(other) == asio::error::connection_refused);
  other.close();

  REQUIRE(port.open().ok());
  CHECK(port.name() == before);
  REQUIRE_FALSE(connect(other));
  until([&] { return told == "opened closed opened "; }, "a listener");
}

TEST_CASE_FIXTURE(Fixture, "one host at a time: a second one is turned away") {
  REQUIRE(port.open().ok());
  REQUIRE_FALSE(connect(host));
  until([&] { return told == "opened "; }, "a listener");
  REQUIRE_FALSE(connect(other));
  until_cut_off(other);
  CHECK(port.write("OK"));
  until_heard(host, "OK");
  CHECK(told == "opened ");
}

TEST_CASE_FIXTURE(Fixture, "a host that hangs up and comes back at once is not turned away") {
  REQUIRE(port.open().ok());
  REQUIRE_FALSE(connect(host));
  until([&] { return told == "opened "; }, "a listener");
  host.close();
  REQUIRE_FALSE(connect(other));
  until([&] { return told == "opened closed opened "; }, "the next listener");
  CHECK(port.write("OK"));
  until_heard(other, "OK");
}

TEST_CASE_FIXTURE(Fixture, "closed before the loop has seen its host: nobody is told of it") {
  REQUIRE(port.open().ok());
  REQUIRE_FALSE(connect(host));
  port.close();
  until_cut_off(host);
  CHECK(told.empty());
}

TEST_CASE_FIXTURE(Fixture, "a number that somebody else listens on is named") {
  tcp::acceptor taken(loop, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  TcpPort second(loop, taken.local_endpoint());
  const auto opened = second.open();
  REQUIRE_FALSE(opened.ok());
  CHECK(opened.error().code == Errc::busy);
  CHECK(opened.error().message.find("cannot listen at tcp://127.0.0.1:") == 0);
  CHECK_FALSE(second.is_open());
}

TEST_CASE("where to listen") {
  asio::io_context loop;
  CHECK(listening_address(loop, "127.0.0.1:7000")->port() == 7000);
  CHECK(listening_address(loop, "0.0.0.0:0")->address().is_unspecified());
  CHECK(listening_address(loop, "[::1]:7000")->address().is_v6());
  CHECK(listening_address(loop, "localhost:1")->address().is_loopback());
  for (const char* wrong : {"", "7000", ":7000", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:70000"}) {
    CAPTURE(wrong);
    CHECK(listening_address(loop, wrong).error().code == Errc::invalid);
  }
}
