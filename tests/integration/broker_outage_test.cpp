// A broker that is gone for long and has forgotten everything: what the gateway has to say waits in the journal, each
// of it arrives, in order, and what is retained is set again.
#include <doctest/doctest.h>

#include <chrono>
#include <map>

#include "tests/support/job_checks.hpp"

using namespace dfota::test;
using Json = nlohmann::json;
using namespace std::chrono_literals;

namespace {
constexpr int kModules = 4;

/// An empty broker gives a result only to those who are there: the observer comes before the gateway.
void start_empty_broker(Rig& rig) {
  rig.proxy->refuse();
  rig.broker.start();
  rig.observer.publish("marker", "here", true);
  REQUIRE(rig.observer.wait_for_topic("marker"));
  rig.proxy->pass();
}

/// The broker has acknowledged all that has to arrive.
void wait_until_acknowledged(Rig& rig) {
  const auto give_up = std::chrono::steady_clock::now() + kWatchdog;
  while (rig.request("list", Json::object())["data"]["outbox"] != 0)
    REQUIRE(std::chrono::steady_clock::now() < give_up);
}
}  // namespace

TEST_CASE("the broker is killed in mid-update, stays away for 30 s more, and comes back empty") {
  Rig rig(rack_behind_proxy(kModules));
  rig.accept(rig.job("outage"));
  REQUIRE(rig.rack.wait_for_urc("m0", "UPDATING"));
  rig.broker.kill();
  wait_until_flashed(rig, kModules);
  CHECK_FALSE(rig.gateway().wait(30s));  // longer than any pause between two attempts to connect
  start_empty_broker(rig);
  check_succeeded(rig, "outage", kModules);
  check_retained(rig, "outage", kModules);
}

TEST_CASE("a broker that has acknowledged everything and comes back empty is told the last state of each job again") {
  Rig rig(rack_behind_proxy(2));
  for (const auto* job : {"first", "second"}) {
    rig.accept(rig.job(job));
    rig.finish(job);
  }
  wait_until_acknowledged(rig);
  std::map<std::string, std::string> before;
  for (const auto* job : {"first", "second"}) {
    const auto topic = rig.topic("job/" + std::string(job) + "/state");
    before[topic] = rig.retained(topic);
    REQUIRE(Json::parse(before[topic])["seq"] > 0);
  }
  rig.broker.kill();
  rig.observer.forget();
  start_empty_broker(rig);
  for (const auto& [topic, payload] : before) {
    CAPTURE(topic);
    REQUIRE(rig.observer.wait_for_topic(topic));
    CHECK(rig.retained(topic) == payload);  // the same bytes, the seq among them
  }
  for (int i = 0; i < 2; ++i) CHECK(rig.observer.on(rig.topic("module/" + Rig::m(i) + "/result")).empty());
}
