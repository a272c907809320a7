#include <doctest/doctest.h>

#include "tests/support/fetch_fixture.hpp"

using namespace dfota;
using namespace dfota::test;

namespace {

/// An HTTP proxy that has every file itself.
struct Proxied {
  Proxied() { bench.options.allow_hosts.clear(); }
  FetchBench bench;
  ScriptedOrigin proxy{answer(kBody)};
  std::string at = proxy.url("user:hunter1@127.0.0.1");
  Environment http{"http_proxy", at.substr(0, at.rfind('/'))};
  Environment none{"no_proxy", ""};
};

}  // namespace

TEST_CASE("fetch: the proxy of the environment is used, on loopback too") {
  Proxied world;
  REQUIRE(world.bench.get("http://firmware.example/delta.bin", hash_of(kBody)).ok());
  const auto heads = world.proxy.heads();
  REQUIRE(heads.size() == 1);
  CHECK(heads[0].starts_with("GET http://firmware.example/delta.bin HTTP/1.1\r\n"));
  CHECK(heads[0].find("Proxy-Authorization: Basic dXNlcjpodW50ZXIx\r\n") != std::string::npos);
}

TEST_CASE("fetch: no_proxy goes straight to the origin") {
  Proxied world;
  world.bench.options.allow_hosts = {"127.0.0.1"};
  const Environment none("no_proxy", "127.0.0.1");
  ScriptedOrigin origin(answer(kBody));
  CHECK(world.bench.get(origin.url(), hash_of(kBody)).ok());
  CHECK(origin.requests() == 1);
  CHECK(world.proxy.requests() == 0);
}

TEST_CASE("fetch: no_proxy does not open loopback") {
  Proxied world;
  const Environment none("no_proxy", "*");
  ScriptedOrigin origin(answer(kBody));
  CHECK(world.bench.failure(origin.url(), hash_of(kBody)).code == Errc::refused);
  CHECK(world.bench.failure(origin.url("localhost"), hash_of(kBody)).code == Errc::refused);
  CHECK(origin.requests() == 0);
}

TEST_CASE("fetch: a local origin is refused behind a proxy as well, unless it is named") {
  Proxied world;
  const auto hash = hash_of(kBody);
  for (const std::string host :
       {"127.0.0.1", "127.1", "0x7f.1", "2130706433", "0.0.0.0", "169.254.169.254", "localhost", "LOCALHOST.",
        "a.localhost", "[::1]", "[::ffff:127.0.0.1]", "[fe80::1]"}) {
    const auto error = world.bench.failure("http://" + host + ":8080/delta.bin", hash);
    INFO(host << ": " << error.message);
    CHECK(error.code == Errc::refused);
    CHECK(error.message.find("allow_hosts") != std::string::npos);
  }
  CHECK(world.proxy.requests() == 0);
  world.bench.fetch.reset();
  world.bench.options.allow_hosts = {"localhost"};
  CHECK(world.bench.get("http://localhost:8080/delta.bin", hash).ok());
  CHECK(world.proxy.requests() == 1);
}

TEST_CASE("fetch: a redirect to this machine is refused behind a proxy") {
  FetchBench bench;
  bench.options.allow_hosts.clear();
  ScriptedOrigin proxy(redirect("http://localhost:1/delta.bin"));
  const Environment http("http_proxy", proxy.url());
  CHECK(bench.failure("http://firmware.example/delta.bin", hash_of(kBody)).code == Errc::refused);
  CHECK(proxy.requests() == 1);
}

TEST_CASE("fetch: what a proxy does wrong is told without its password") {
  FetchBench bench;
  std::string gone;
  {
    ScriptedOrigin closed("");
    gone = closed.url("user:hunter1@127.0.0.1");
  }
  ScriptedOrigin denies("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n");
  for (const std::string& proxy : {gone, denies.url("user:hunter1@127.0.0.1")}) {
    const Environment http("http_proxy", proxy);
    const Environment https("https_proxy", proxy);
    for (const std::string scheme : {"http", "https"}) {
      const auto error = bench.failure(scheme + "://firmware.example/delta.bin?sig=hunter2", hash_of(kBody));
      INFO(error.message);
      CHECK(error.code == Errc::absent);
      CHECK(error.message.find("hunter") == std::string::npos);
      CHECK((proxy == gone || error.message.find("the proxy answered 407") != std::string::npos));
    }
  }
}

TEST_CASE("fetch: user and password of the origin can come from netrc") {
  FetchBench bench;
  const Environment home("HOME", bench.root.string());
  ScriptedOrigin origin(answer(kBody));
  SUBCASE("without one") {
    REQUIRE(bench.get(origin.url(), hash_of(kBody)).ok());
    CHECK(origin.heads()[0].find("Authorization") == std::string::npos);
  }
  SUBCASE("with one") {
    std::ofstream(bench.root / ".netrc") << "machine 127.0.0.1 login user password hunter1\n";
    REQUIRE(bench.get(origin.url(), hash_of(kBody)).ok());
    CHECK(origin.heads()[0].find("Authorization: Basic dXNlcjpodW50ZXIx\r\n") != std::string::npos);
  }
}
