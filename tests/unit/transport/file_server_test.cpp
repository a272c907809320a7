#include "transport/file_server.hpp"

#include <doctest/doctest.h>

#include "tests/support/file_server_rig.hpp"

using namespace dfota;
using namespace dfota::file_server_rig;
using namespace std::chrono_literals;

TEST_CASE("the last byte is held until it is released") {
  for (const std::size_t size : {std::size_t{1}, std::size_t{2}, std::size_t{1000}, std::size_t{16384},
                                 std::size_t{16385}, std::size_t{100000}}) {
    CAPTURE(size);
    FileServerRig rig(size);
    Client client(rig, rig.get());
    REQUIRE(rig.until([&] {
      client.take();
      return rig.look().last_byte_wanted && rig.look().delivered_bytes == size - 1;
    }));
    REQUIRE(client.until_body(size - 1));
    CHECK(client.body_so_far() == rig.file.content.substr(0, size - 1));
    CHECK_FALSE(rig.look().complete);
    CHECK_FALSE(rig.look().released);
    CHECK(rig.look().open_connections == 1);
    rig.server->release(rig.token);
    REQUIRE(client.until_response());
    CHECK(client.body == rig.file.content);
    REQUIRE(rig.until([&] { return rig.look().complete && rig.look().open_connections == 0; }));
    CHECK_FALSE(rig.look().last_byte_wanted);
    CHECK(Answered(rig, rig.get()).body == rig.file.content);
  }
}

TEST_CASE("a range that holds only the last byte waits for the release, one that does not hold it never waits") {
  FileServerRig rig;
  CHECK(Answered(rig, rig.get("Range: bytes=0-998\r\n")).body.size() == 999);
  Client client(rig, rig.get("Range: bytes=-1\r\n"));
  REQUIRE(rig.until([&] { return rig.look().last_byte_wanted; }));
  REQUIRE(client.until_body(0));
  CHECK(client.body_so_far().empty());
  rig.server->release(rig.token);
  REQUIRE(client.until_response());
  CHECK(client.body == rig.file.content.substr(999));
  CHECK(rig.until([&] { return rig.look().complete; }));
}

TEST_CASE("on_change is called on the loop when the last byte is wanted, and may release or revoke right there") {
  FileServerRig rig;
  int wanted = 0;
  rig.on_change = [&] {
    if (!rig.look().last_byte_wanted) return;
    ++wanted;
    rig.server->release(rig.token);
  };
  CHECK(Answered(rig, rig.get("Connection: close\r\n")).body == rig.file.content);
  CHECK(wanted == 1);

  FileServerRig other;
  bool was_held = false;
  other.on_change = [&] {
    if (other.look().last_byte_wanted) was_held = other.server->revoke(other.token);
  };
  Client client(other, other.get());
  REQUIRE(client.until_end());
  CHECK(was_held);
  CHECK(client.body_so_far().size() < 1000);
}

TEST_CASE("revoked before its release: the last byte never arrives, and nothing is served again") {
  FileServerRig rig;
  Client client(rig, rig.get());
  REQUIRE(rig.until([&] { return rig.look().last_byte_wanted; }));
  REQUIRE(client.until_body(999));
  CHECK(rig.server->revoke(rig.token));
  rig.server->release(rig.token);
  const int changes = rig.changes;
  REQUIRE(client.until_end());
  CHECK(client.body_so_far().size() == 999);
  CHECK(rig.look().size == 0);
  Client again(rig, rig.get());
  REQUIRE(again.until_end());
  CHECK(again.got == kEmpty404);
  CHECK(rig.changes == changes);
}

TEST_CASE("revoked after its release: the module may have all of it") {
  FileServerRig rig;
  rig.server->release(rig.token);
  CHECK_FALSE(rig.server->revoke(rig.token));
  Client client(rig, rig.get());
  REQUIRE(client.until_end());
  CHECK(client.got == kEmpty404);
  CHECK(rig.server->revoke("unknown"));
}

TEST_CASE("revoking cuts a connection that is stuck, and a keep-alive connection gets nothing more") {
  FileServerRig rig(8 << 20);
  Client stuck(rig, rig.get());
  REQUIRE(stuck.until_stuck());
  Client idle(rig, rig.get("Range: bytes=0-9\r\n"));
  REQUIRE(idle.until_response());
  // Its thread has handed the connection back: from then on it is one that waits for its next head.
  REQUIRE(rig.until([&] { return rig.look().open_connections == 1; }));
  CHECK(rig.server->revoke(rig.token));
  CHECK(stuck.until_reset());
  idle.send(rig.get());
  REQUIRE(idle.until_end());
  CHECK(idle.got == kEmpty404);
}

TEST_CASE("a reader that reads nothing: what the kernel took is not counted as delivered") {
  FileServerRig rig(8 << 20);
  rig.server->release(rig.token);
  Client client(rig, rig.get());
  REQUIRE(client.until_stuck());
  CHECK(rig.look().delivered_bytes > 0);
  for (int i = 0; i < 10; ++i) {
    const auto delivered = rig.look().delivered_bytes;
    CHECK(delivered <= client.unread());
    rig.turn();
  }
  CHECK(rig.look().delivered_bytes < (8u << 20));
  CHECK(rig.look().open_connections == 1);
  client.close();  // with bytes unread: RST
  REQUIRE(rig.until([&] { return rig.look().open_connections == 0; }));
  CHECK(rig.look().delivered_bytes < (8u << 20));
  CHECK_FALSE(rig.look().complete);
}

TEST_CASE("a download that was cut is resumed by Range, and the union is what counts") {
  FileServerRig rig(1 << 20);
  rig.server->release(rig.token);
  std::string part;
  {
    Client first(rig, rig.get());
    REQUIRE(first.until_body(300000));
    part = first.body_so_far();
  }
  REQUIRE(rig.until([&] { return rig.look().open_connections == 0; }));
  const auto before = rig.look().delivered_bytes;
  CHECK(before >= part.size());
  Answered rest(rig, rig.get("Range: bytes=" + std::to_string(part.size()) + "-\r\nConnection: close\r\n"));
  CHECK(part + rest.body == rig.file.content);
  REQUIRE(rig.until([&] { return rig.look().open_connections == 0; }));
  CHECK(rig.look().delivered_bytes == (1 << 20));
  CHECK(rig.look().complete);
  CHECK(rig.look().requests == 2);
}

TEST_CASE("fetched twice is delivered once") {
  FileServerRig rig;
  rig.server->release(rig.token);
  CHECK(Answered(rig, rig.get()).body == rig.file.content);
  CHECK(Answered(rig, rig.get()).body == rig.file.content);
  REQUIRE(rig.until([&] { return rig.look().open_connections == 0; }));
  CHECK(rig.look().delivered_bytes == 1000);
  CHECK(rig.look().requests == 2);
}

TEST_CASE("a peer that goes away while it waits for the last byte is noticed") {
  FileServerRig rig;
  {
    Client client(rig, rig.get());
    REQUIRE(rig.until([&] { return rig.look().last_byte_wanted; }));
    REQUIRE(client.until_body(999));
  }
  REQUIRE(rig.until([&] { return rig.look().open_connections == 0; }));
  CHECK_FALSE(rig.look().last_byte_wanted);
  CHECK(rig.server->revoke(rig.token));
}

TEST_CASE("of too many requests with one token the oldest is cut") {
  FileServerRig rig;
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 5; ++i) {
    clients.push_back(std::make_unique<Client>(rig, rig.get()));
    REQUIRE(rig.until([&] { return rig.look().requests == static_cast<std::uint64_t>(i + 1); }));
  }
  REQUIRE(clients.front()->until_end());
  rig.server->release(rig.token);
  for (std::size_t i = 1; i < clients.size(); ++i) {
    REQUIRE(clients[i]->until_response());
    CHECK(clients[i]->body == rig.file.content);
  }
}

TEST_CASE("an offer that cannot be served is refused") {
  FileServerRig rig;
  TempFile empty(0);
  const auto nothing = [] {};
  CHECK(rig.server->offer("t1", "n", "/no/such/file", nothing).error().code == Errc::absent);
  CHECK(rig.server->offer("t1", "n", empty.path, nothing).error().code == Errc::invalid);
  CHECK(rig.server->offer("t1", "n", std::filesystem::temp_directory_path(), nothing).error().code == Errc::invalid);
  CHECK(rig.server->offer("t1", "a/b", rig.file.path, nothing).error().code == Errc::invalid);
  CHECK(rig.server->offer("t1", "a b", rig.file.path, nothing).error().code == Errc::invalid);
  CHECK(rig.server->offer("t1", "..", rig.file.path, nothing).error().code == Errc::invalid);
  CHECK(rig.server->offer("", "n", rig.file.path, nothing).error().code == Errc::invalid);
  CHECK(rig.server->offer(rig.token, "n", rig.file.path, nothing).error().code == Errc::refused);
}

TEST_CASE("tokens are 128 bits in hex, never the same") {
  const auto token = FileServer::make_token();
  CHECK(token.size() == 32);
  CHECK(token.find_first_not_of("0123456789abcdef") == std::string::npos);
  CHECK(token != FileServer::make_token());
}

TEST_CASE("the destructor ends transfers that are stuck, and those that wait for their release") {
  FileServerRig rig(8 << 20);
  TempFile small(10);
  const auto token = FileServer::make_token();
  REQUIRE(rig.server->offer(token, "n", small.path, [] {}).ok());
  Client stuck(rig, rig.get());
  Client waiting(rig, "GET /a/" + token + "/n HTTP/1.1\r\n\r\n");
  Client silent(rig, "GET ");
  REQUIRE(rig.until([&] { return rig.server->look(token).last_byte_wanted; }));
  REQUIRE(stuck.until_stuck());
  rig.server.reset();
  CHECK(waiting.until_end());
  CHECK(waiting.body_so_far().size() <= 9);
  CHECK(stuck.until_end());
  CHECK(silent.until_end());
  rig.loop.restart();
  rig.loop.poll();
}

TEST_CASE("what it has delivered in all stays when offers end") {
  FileServerRig rig;
  rig.server->release(rig.token);
  CHECK(Answered(rig, rig.get()).body == rig.file.content);
  CHECK(Answered(rig, rig.get()).body == rig.file.content);  // the same bytes again: delivered once
  REQUIRE(rig.until([&] { return rig.server->totals().open_connections == 0; }));
  CHECK(rig.server->totals().delivered_bytes == 1000);
  CHECK(rig.server->totals().served == 2);
  CHECK_FALSE(rig.server->revoke(rig.token));
  CHECK(Answered(rig, rig.get()).head.starts_with("HTTP/1.1 404"));

  const auto second = FileServer::make_token();
  REQUIRE(rig.server->offer(second, "delta.bin", rig.file.path, [] {}).ok());
  Client client(rig, "GET /a/" + second + "/delta.bin HTTP/1.1\r\nHost: here\r\n\r\n");
  REQUIRE(client.until_body(999));
  CHECK(rig.server->totals().open_connections == 1);
  CHECK(rig.until([&] { return rig.server->totals().delivered_bytes == 1999; }));
  CHECK(rig.server->revoke(second));
  REQUIRE(rig.until([&] { return rig.server->totals().open_connections == 0; }));
  CHECK(rig.server->totals().delivered_bytes == 1999);
  CHECK(rig.server->totals().served == 3);
  CHECK(rig.server->totals().refused == 1);
}
