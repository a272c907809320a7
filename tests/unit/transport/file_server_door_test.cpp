#include "transport/http_door.hpp"

#include <doctest/doctest.h>
#include <sys/resource.h>
#include "tests/support/file_server_rig.hpp"

using namespace dfota;
using namespace dfota::file_server_rig;
using namespace std::chrono_literals;

TEST_CASE("F19: everything else is 404 with an empty body and a closed connection") {
  FileServerRig rig;
  rig.server->release(rig.token);
  const std::string base = "/a/" + rig.token;
  const std::vector<std::string> targets = {
      "/",
      "/a",
      base,
      base + "/",
      base + "/x",
      base + "/delta.bin/",
      base + "/delta.bin?x=1",
      base + "//delta.bin",
      "//a/" + rig.token + "/delta.bin",
      base + "/../" + rig.token + "/delta.bin",
      base + "/%64elta.bin",
      base + "/delta.bin%00",
      "/a/" + FileServer::make_token() + "/delta.bin",
      "/a/" + rig.token.substr(1) + "/delta.bin",
      "/a//delta.bin",
      "/a/../../../../etc/passwd",
      "http://here/a/" + rig.token + "/delta.bin",
  };
  for (const auto& target : targets) {
    CAPTURE(target);
    Client client(rig, "GET " + target + " HTTP/1.1\r\nHost: here\r\n\r\n");
    REQUIRE(client.until_end());
    CHECK(client.got == kEmpty404);
  }
  std::string many = "GET " + rig.path() + " HTTP/1.1\r\n";
  for (int i = 0; i < 20000; ++i) many += "A: b\r\n";
  const std::vector<std::string> requests = {
      "POST " + rig.path() + " HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc",
      "PUT " + rig.path() + " HTTP/1.1\r\n\r\n",
      rig.get("Transfer-Encoding: chunked\r\n") + "5\r\nabcde\r\n0\r\n\r\n",
      rig.get("Content-Length: 3\r\n") + "abc",
      "GET " + rig.path() + "\r\n\r\n",
      rig.get("", "2.0"),
      rig.get(std::string("A: b\0c\r\n", 8)),
      many + "\r\n",
  };
  for (const auto& request : requests) {
    CAPTURE(request.substr(0, 200));
    Client client(rig, request);
    REQUIRE(client.until_end());
    CHECK(client.got == kEmpty404);
  }
  Client long_line(rig, "GET /" + std::string(2 * 1024 * 1024, 'x') + " HTTP/1.1\r\n\r\n");
  CHECK(long_line.until_end());
  CHECK(rig.look().requests == 0);
  CHECK(Answered(rig, rig.get()).body == rig.file.content);
}

TEST_CASE("500 silent and dripping sockets do not delay a good request") {
  FileServerRig rig;
  rig.server->release(rig.token);
  std::vector<std::unique_ptr<Client>> crowd;
  for (int i = 0; i < 500; ++i) {
    crowd.push_back(std::make_unique<Client>(rig));
    crowd.back()->connect();
    if (i % 2 == 1) crowd.back()->send("GET /a/");
    rig.loop.poll();
  }
  CHECK(Answered(rig, rig.get()).body == rig.file.content);
  for (auto& one : crowd) one->send("x");
  CHECK(Answered(rig, rig.get()).body == rig.file.content);
}

TEST_CASE("heads that do not come are bounded in number, and the oldest is cut") {
  FileServerOptions options;
  options.max_pending_heads = 4;
  FileServerRig rig(1000, options);
  std::vector<std::unique_ptr<Client>> crowd;
  for (int i = 0; i < 5; ++i) crowd.push_back(std::make_unique<Client>(rig, "GET "));
  CHECK(crowd.front()->until_end());
  CHECK(crowd.front()->got.empty());
  crowd[1]->send("/ HTTP/1.1\r\n\r\n");
  CHECK(crowd[1]->until_end());
  CHECK(crowd[1]->got == kEmpty404);
}

TEST_CASE("heads of one source are bounded until it has shown a valid token") {
  FileServerOptions options;
  options.max_pending_heads_per_source = 2;
  FileServerRig rig(1000, options);
  rig.server->release(rig.token);
  std::vector<std::unique_ptr<Client>> crowd;
  for (int i = 0; i < 3; ++i) crowd.push_back(std::make_unique<Client>(rig, "GET "));
  REQUIRE(crowd.front()->until_end());
  CHECK(crowd.front()->got.empty());

  CHECK(Answered(rig, rig.get()).body == rig.file.content);
  crowd.clear();
  for (int i = 0; i < 8; ++i) crowd.push_back(std::make_unique<Client>(rig, "GET "));
  for (auto& one : crowd) {
    one->send(rig.get().substr(4));
    REQUIRE(one->until_response());
    CHECK(one->body == rig.file.content);
  }
}

TEST_CASE("a request that has come is read, however many silent sockets come behind it before anybody looks") {
  FileServerOptions options;
  SUBCASE("of one source") {
    options.max_pending_heads_per_source = 8;
  }
  SUBCASE("of all") {
    options.max_pending_heads = 8;
  }
  FileServerRig rig(1000, options);
  rig.server->release(rig.token);
  Client first(rig, rig.get());
  std::vector<std::unique_ptr<Client>> crowd;
  for (int i = 0; i < 20; ++i) {
    crowd.push_back(std::make_unique<Client>(rig));
    crowd.back()->connect();
  }
  REQUIRE(first.until_response());
  CHECK(first.body == rig.file.content);
}

TEST_CASE("a head that is not whole at its deadline is cut, not before") {
  SteppedClock clock;
  FileServerRig rig;
  Client silent(rig, "");
  Client dripping(rig, "GET ");
  Client whole(rig, "GET / HTTP/1.1\r\n\r\n");
  REQUIRE(whole.until_end());  // so the others were accepted, too
  clock.advance(9s);
  dripping.send("/");
  for (int i = 0; i < 20; ++i) rig.loop.poll();
  silent.take();
  CHECK_FALSE(silent.ended);
  clock.advance(2s);
  CHECK(silent.until_end());
  CHECK(dripping.until_end());
  CHECK(dripping.got.empty());
}

TEST_CASE("a port that is taken is busy, an address that is not ours or none at all is invalid") {
  FileServerRig rig;
  asio::io_context loop;
  FileServerOptions options;
  options.port = rig.server->port();
  CHECK(FileServer(loop, options).start().error().code == Errc::busy);
  options.port = 0;
  options.host = "192.0.2.1";
  CHECK(FileServer(loop, options).start().error().code == Errc::invalid);
  options.host = "not-an-address";
  CHECK(FileServer(loop, options).start().error().code == Errc::invalid);
}

TEST_CASE("the port is free again at once after a server that had connections") {
  auto first = std::make_unique<FileServerRig>();
  const auto port = first->server->port();
  first->server->release(first->token);
  Answered(*first, first->get("Connection: close\r\n")).until_end();
  first.reset();
  FileServerOptions options;
  options.port = port;
  FileServerRig second(1000, options);
  CHECK(second.server->port() == port);
}

TEST_CASE("without descriptors the listener stays, says so once, and serves when there are some again") {
  FileServerRig rig;
  rig.server->release(rig.token);
  Client client(rig);
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  const int next = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  ::close(next);
  rlimit none = before;
  none.rlim_cur = static_cast<rlim_t>(next);
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
  client.connect();
  const bool said = rig.until([&] { return !rig.faults.empty(); });
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
  REQUIRE(said);
  client.send(rig.get());
  REQUIRE(client.until_response());
  CHECK(client.body == rig.file.content);
  CHECK(rig.faults.size() == 1);
}
