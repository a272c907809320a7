// What networks and brokers do to a connection while modules are updated: each job still ends in one outcome for each
// module, after one AT+QFOTADL, and each result arrives. What takes its time is in broker_outage_test.cpp and
// broker_silent_test.cpp.
#include <doctest/doctest.h>

#include <algorithm>

#include "tests/support/job_checks.hpp"

using namespace dfota::test;
using namespace std::chrono_literals;

namespace {
constexpr int kModules = 3;

/// The gateway says its info at each connection.
void reset_and_wait_for_the_next(Rig& rig) {
  const auto before = rig.observer.on(rig.topic("info")).size();
  rig.proxy->reset();
  rig.wait_until(
      [&](const std::vector<dfota::MqttMessage>& messages) {
        const auto said = std::count_if(messages.begin(), messages.end(),
                                        [&](const auto& message) { return message.topic == rig.topic("info"); });
        return static_cast<std::size_t>(said) > before;
      },
      "the gateway to be back");
}
}  // namespace

TEST_CASE("the broker is stopped in the middle of an update and goes on when all modules are through") {
  Rig rig(rack_behind_proxy(kModules));
  rig.accept(rig.job("frozen"));
  REQUIRE(rig.rack.wait_for_urc("m0", "UPDATING"));
  rig.broker.freeze();
  wait_until_flashed(rig, kModules);
  rig.broker.thaw();
  check_succeeded(rig, "frozen", kModules);
}

TEST_CASE("the connection is reset again and again") {
  Rig rig(rack_behind_proxy(kModules));
  rig.accept(rig.job("torn"));
  REQUIRE(rig.rack.wait_for("m0", "http_response"));
  reset_and_wait_for_the_next(rig);
  for (const auto* word : {"HTTPEND", "UPDATING\",10", "UPDATING\",40", "UPDATING\",70", "END\",0"}) {
    CAPTURE(word);
    REQUIRE(rig.rack.wait_for_urc("m1", word));
    reset_and_wait_for_the_next(rig);
  }
  wait_until_flashed(rig, kModules);
  reset_and_wait_for_the_next(rig);
  check_succeeded(rig, "torn", kModules);
  CHECK(rig.retained(rig.topic("status")) == "online");
}

TEST_CASE("the connection is reset with a command on the way: it runs once") {
  Rig rig(rack_behind_proxy(1));
  REQUIRE(rig.observer.wait_for_payload(rig.topic("status"), "online"));
  rig.proxy->refuse();
  rig.proxy->reset();
  // The broker keeps it for the session; the gateway is given it when it is back.
  rig.observer.publish(rig.topic("cmd/update"), rig.job("kept").dump());
  rig.proxy->pass();
  check_succeeded(rig, "kept", 1);
}

TEST_CASE("each byte comes 300 ms late, both ways") {
  auto options = rack_behind_proxy(kModules);
  options.start = false;
  Rig rig(options);
  rig.proxy->pass(300ms);
  rig.start_gateway();
  rig.accept(rig.job("far"));
  check_succeeded(rig, "far", kModules);
}

TEST_CASE("the gateway starts without a broker: a command runs when there is one") {
  auto options = rack_behind_proxy(kModules);
  options.start = false;
  Rig rig(options);
  rig.proxy->refuse();
  rig.launch_gateway();
  REQUIRE(rig.gateway().wait_for_err("cannot connect"));
  rig.proxy->pass();
  rig.wait_for_newest(rig.topic("info"), [](const auto&) { return true; });
  rig.accept(rig.job("late"));
  check_succeeded(rig, "late", kModules);
}

TEST_CASE("the gateway starts without a broker while its modules flash: every result comes when there is one") {
  Rig rig(rack_behind_proxy(kModules));
  rig.accept(rig.job("alone"));
  for (int i = 0; i < kModules; ++i) REQUIRE(rig.rack.wait_for_urc(Rig::m(i), "UPDATING"));
  rig.gateway().kill();
  rig.proxy->refuse();
  rig.launch_gateway();
  wait_until_flashed(rig, kModules);
  for (int i = 0; i < kModules; ++i) {
    REQUIRE(rig.gateway().wait_for_err("module " + Rig::m(i) + " succeeded"));
    CHECK(rig.observer.on(rig.topic("module/" + Rig::m(i) + "/result")).empty());
  }
  rig.proxy->pass();
  check_succeeded(rig, "alone", kModules);
}
