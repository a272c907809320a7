// Brokers that only seem to be there: the gateway finds out, nothing is lost, and what is retained is set again.
#include <doctest/doctest.h>
#include <unistd.h>

#include <fstream>

#include "tests/support/job_checks.hpp"
#include "tests/support/scripted_broker.hpp"

using namespace dfota::test;

namespace {
constexpr int kModules = 4;
/// A silent connection is found out by a heartbeat (every 30 s) that has no answer for 15 s.
constexpr std::chrono::seconds kHeartbeatWatchdog{120};

std::size_t resident_bytes(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/statm");
  std::size_t all = 0, resident = 0;
  file >> all >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}
}  // namespace

TEST_CASE("a connection that is dead and does not say so is found out by the heartbeat, and every result arrives") {
  Rig rig(rack_behind_proxy(kModules));
  rig.accept(rig.job("half-open"));
  REQUIRE(rig.rack.wait_for_urc("m0", "UPDATING"));
  const auto before = rig.proxy->connections();
  rig.proxy->silence();
  rig.proxy->pass();
  REQUIRE(rig.proxy->wait_for_connections(before + 1, kHeartbeatWatchdog));
  CHECK(rig.gateway().wait_for_err("a publication was not acknowledged in time"));
  check_succeeded(rig, "half-open", kModules);
  check_retained(rig, "half-open", kModules);
}

TEST_CASE("a broker that takes one publication and never acknowledges it: nothing is lost, little is kept") {
  constexpr std::size_t kMostGrowth = 64 << 20;
  Rig rig(rack_behind_proxy(kModules));
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
