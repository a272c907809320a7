// Brokers that are gone for long, and those that only seem to be there: what the gateway has to say waits in the
// journal, each of it arrives, in order, and what is retained is set again.
#include <doctest/doctest.h>
#include <unistd.h>

#include <fstream>

#include "tests/support/job_checks.hpp"
#include "tests/support/scripted_broker.hpp"

using namespace dfota::test;
using namespace std::chrono_literals;
using Json = nlohmann::json;

namespace {
constexpr int kModules = 4;
/// A silent connection is found out by a heartbeat (every 30 s) that has no answer for 15 s.
constexpr std::chrono::seconds kHeartbeatWatchdog{120};

RigOptions rack_of(int modules) {
  RigOptions options;
  options.rack.modules = modules;
  options.proxy = true;
  return options;
}

/// An empty broker gives a result only to those who are there: the observer comes before the gateway.
void start_empty_broker(Rig& rig) {
  rig.proxy->refuse();
  rig.broker.start();
  rig.observer.publish("marker", "here", true);
  REQUIRE(rig.observer.wait_for_topic("marker"));
  rig.proxy->pass();
}

void check_retained(Rig& rig, const std::string& job, int modules) {
  CHECK(rig.retained(rig.topic("status")) == "online");
  CHECK(Json::parse(rig.retained(rig.topic("info")))["modules"] == modules);
  CHECK(Json::parse(rig.retained(rig.topic("job/" + job + "/state")))["state"] == "succeeded");
  for (int i = 0; i < modules; ++i) {
    const auto module = Rig::m(i);
    CAPTURE(module);
    CHECK_FALSE(rig.retained(rig.topic("module/" + module + "/status")).empty());
    CHECK(Json::parse(rig.retained(rig.topic("module/" + module + "/state")))["last_result"] == "succeeded");
  }
}

std::size_t resident_bytes(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/statm");
  std::size_t all = 0, resident = 0;
  file >> all >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}
}  // namespace

TEST_CASE("the broker is killed in mid-update, stays away for 30 s more, and comes back empty") {
  Rig rig(rack_of(kModules));
  rig.accept(rig.job("outage"));
  REQUIRE(rig.rack.wait_for_urc("m0", "UPDATING"));
  rig.broker.kill();
  wait_until_flashed(rig, kModules);
  CHECK_FALSE(rig.gateway().wait(30s));  // longer than any pause between two attempts to connect
  start_empty_broker(rig);
  check_succeeded(rig, "outage", kModules);
  check_retained(rig, "outage", kModules);
}

TEST_CASE("a connection that is dead and does not say so is found out by the heartbeat, and every result arrives") {
  Rig rig(rack_of(kModules));
  rig.accept(rig.job("half-open"));
  REQUIRE(rig.rack.wait_for_urc("m0", "UPDATING"));
  const auto before = rig.proxy->connections();
  rig.proxy->silence();
  rig.proxy->pass();
  REQUIRE(rig.proxy->wait_for_connections(before + 1, kHeartbeatWatchdog));
  CHECK(rig.gateway().err().find("a publication was not acknowledged in time") != std::string::npos);
  check_succeeded(rig, "half-open", kModules);
  check_retained(rig, "half-open", kModules);
}

TEST_CASE("a broker that takes one publication and never acknowledges it: nothing is lost, little is kept") {
  constexpr std::size_t kMostGrowth = 64 << 20;
  Rig rig(rack_of(kModules));
  rig.accept(rig.job("deaf"));
  REQUIRE(rig.rack.wait_for_urc("m0", "UPDATING"));
  const auto resident = resident_bytes(rig.gateway().pid());
  ScriptedBroker deaf(1);
  rig.proxy->lead_to(deaf.port());
  rig.proxy->reset();
  wait_until_flashed(rig, kModules);
  for (int i = 0; i < kModules; ++i) REQUIRE(rig.gateway().wait_for_err("module " + Rig::m(i) + " succeeded"));
  // What was not acknowledged in time ends the connection; the next one is not better.
  REQUIRE(rig.proxy->wait_for_connections(3, kHeartbeatWatchdog));
  std::size_t unacknowledged = 0;
  for (const auto& publish : deaf.publishes()) unacknowledged += publish.packet_id != 0;
  CHECK(unacknowledged <= rig.proxy->connections());
  CHECK(resident_bytes(rig.gateway().pid()) < resident + kMostGrowth);
  rig.proxy->lead_to(rig.broker.port());
  rig.proxy->reset();
  check_succeeded(rig, "deaf", kModules);
  check_retained(rig, "deaf", kModules);
}
