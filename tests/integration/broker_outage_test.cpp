// A broker that is gone for long and has forgotten everything: what the gateway has to say waits in the journal, each
// of it arrives, in order, and what is retained is set again.
#include <doctest/doctest.h>

#include "tests/support/job_checks.hpp"

using namespace dfota::test;
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
