#include "modem/simulator/chardev_port.hpp"

#include <doctest/doctest.h>

#include <asio/local/stream_protocol.hpp>
#include <asio/write.hpp>
#include <functional>
#include <optional>

#include "tests/support/temp_dir.hpp"

using namespace dfota;
using namespace dfota::sim;
using asio::local::stream_protocol;

namespace {

constexpr auto kWatchdog = std::chrono::seconds(60);

/// A socket as QEMU serves it, and a port that is its client.
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
  void serve() {
    server.emplace(loop, stream_protocol::endpoint(path));
    server->non_blocking(true);
  }
  void plugged_in() {
    until(
        [&] {
          asio::error_code failure;
          server->accept(guest, failure);
          return !failure;
        },
        "a connection");
    guest.non_blocking(true);
  }
  bool unplugged() {
    char room[1024];
    asio::error_code failure;
    heard.append(room, guest.read_some(asio::buffer(room), failure));
    return failure && failure != asio::error::would_block;
  }
  test::TempDir dir;
  std::string path = dir / "m0.sock";
  asio::io_context loop;
  ChardevPort port{loop, path};
  std::optional<stream_protocol::acceptor> server;
  stream_protocol::socket guest{loop};
  std::string received, told, heard;
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "QEMU may come later; bytes go both ways; closing unplugs, opening plugs in again") {
  REQUIRE(port.open().ok());
  CHECK(port.name() == "unix:" + path);
  CHECK_FALSE(port.write("lost"));
  loop.run_for(std::chrono::milliseconds(1));
  serve();
  plugged_in();
  until([&] { return told == "opened "; }, "the connection to be told");
  asio::write(guest, asio::buffer(std::string_view("ATI\r")));
  until([&] { return received == "ATI\r"; }, "the command");
  CHECK(port.write("last words"));
  CHECK(port.has_unread());
  port.close();
  CHECK(told == "opened closed ");
  until([&] { return unplugged(); }, "the unplugging");
  CHECK(heard == "last words");
  guest.close();

  REQUIRE(port.open().ok());
  plugged_in();
  until([&] { return told == "opened closed opened "; }, "the connection to be told");
}

TEST_CASE_FIXTURE(Fixture, "a QEMU that ends is a hang-up, and its successor is found") {
  serve();
  REQUIRE(port.open().ok());
  plugged_in();
  until([&] { return told == "opened "; }, "the connection to be told");
  guest.close();
  server.reset();
  ::unlink(path.c_str());
  until([&] { return told == "opened closed "; }, "the hang-up");
  CHECK(port.is_open());
  CHECK_FALSE(port.write("lost"));
  CHECK_FALSE(port.has_unread());
  serve();
  plugged_in();
  until([&] { return told == "opened closed opened "; }, "the successor");
}

TEST_CASE_FIXTURE(Fixture, "what the guest has read is not unread for ever") {
  serve();
  REQUIRE(port.open().ok());
  plugged_in();
  until([&] { return port.write("OK"); }, "the connection");
  until([&] { return !unplugged() && heard == "OK"; }, "to be read");
  until([&] { return !port.has_unread(); }, "nothing unread");
}

TEST_CASE_FIXTURE(Fixture, "what nobody in the guest reads is dropped after a while") {
  serve();
  REQUIRE(port.open().ok());
  plugged_in();
  until([&] { return port.write("x"); }, "the connection");
  until([&] { return !port.write("x"); }, "bytes to be dropped");
  CHECK(told == "opened ");
  until([&] { return !unplugged() && !heard.empty(); }, "the guest to read");
  CHECK(port.write("y"));
}

TEST_CASE_FIXTURE(Fixture, "a path that is no socket's is refused") {
  ChardevPort long_one(loop, "/" + std::string(200, 'd') + "/m0.sock");
  CHECK(long_one.open().error().code == Errc::invalid);
  CHECK_FALSE(long_one.is_open());
}
