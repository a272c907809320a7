#include "transport/probe.hpp"

#include <doctest/doctest.h>

#include <cstdlib>

#include "tests/support/origin.hpp"
#include "tests/support/process.hpp"

using namespace dfota;

namespace {
const ProbeOptions kOptions{.limit = std::chrono::seconds(30)};

std::uint16_t port_of(const test::Origin& origin) {
  const auto url = origin.url("");
  return static_cast<std::uint16_t>(std::stoi(url.substr(url.rfind(':') + 1)));
}

struct ProxyEnvironment {
  explicit ProxyEnvironment(const std::string& proxy) { ::setenv("http_proxy", proxy.c_str(), 1); }
  ~ProxyEnvironment() { ::unsetenv("http_proxy"); }
};
}  // namespace

TEST_CASE("where the way to a server ends") {
  test::Origin origin;
  const auto there = probe_connection("127.0.0.1", port_of(origin), false, kOptions);
  CHECK_FALSE(there.fault);
  CHECK(there.address == "127.0.0.1");
  const auto unknown = probe_connection("no-such-host.invalid", 1, false, kOptions);
  REQUIRE(unknown.fault);
  CHECK(unknown.fault->stage == ProbeStage::name);
  const auto closed = probe_connection("127.0.0.1", test::free_port(), true, kOptions);
  REQUIRE(closed.fault);
  CHECK(closed.fault->stage == ProbeStage::tcp);
  CHECK(closed.fault->why == "Connection refused");
}

TEST_CASE("a GET: what was answered, and never by the environment's proxy") {
  test::Origin origin, proxy;
  origin.serve("/page", "twelve bytes");
  const ProxyEnvironment environment(proxy.url(""));
  const auto page = probe_http(origin.url("/page"), kOptions);
  CHECK_FALSE(page.fault);
  CHECK(page.status == 200);
  CHECK(page.body_bytes == 12);
  CHECK(page.via.empty());
  const auto none = probe_http(origin.url("/none"), kOptions);
  CHECK(none.status == 404);
  const auto closed = probe_http("http://127.0.0.1:" + std::to_string(test::free_port()) + "/", kOptions);
  REQUIRE(closed.fault);
  CHECK(closed.fault->stage == ProbeStage::tcp);
  CHECK(proxy.requests("/page") == 0);
}

TEST_CASE("what is longer than it needs to be is not read to its end") {
  test::Origin origin;
  origin.serve("/long", std::string(1000000, 'x'));
  const auto probe = probe_http(origin.url("/long"), kOptions);
  CHECK_FALSE(probe.fault);
  CHECK(probe.body_bytes > 65536);
  CHECK(probe.body_bytes < 1000000);
}
