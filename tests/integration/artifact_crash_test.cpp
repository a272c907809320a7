// The gateway dies while its delta comes: the next process goes on with what is there, and the job that was accepted
// succeeds.
#include <doctest/doctest.h>

#include "tests/support/crash_day.hpp"
#include "transport/fetch.hpp"

using namespace dfota::test;

TEST_CASE("killed at each step of an artifact: whole or not there, and the job succeeds afterwards") {
  // What is there whole, under its own name or not yet, is not asked for again.
  const std::map<std::string, int> requests_by_point = {
      {"artifact_part", 2}, {"artifact_synced", 1}, {"artifact_renamed", 1}};
  for (const auto& [point, requests] : requests_by_point) {
    CAPTURE(point);
    RigOptions options;
    options.rack.modules = 1;
    options.rack.speed = 60;
    options.start = false;
    Rig rig(options);
    rig.start_gateway({{"DFOTA_CRASH_AT", point + ":1"}}, true);
    Survivor backend(rig);
    must_be_ok(backend.ask("update", rig.job("crash")));
    backend.finish("crash");
    backend.drain();
    CHECK(backend.deaths() == 1);
    const std::filesystem::path whole = rig.dir() / ("state/artifacts/" + rig.sha256);
    CHECK(*dfota::sha256_of(whole) == rig.sha256);
    CHECK(rig.origin.requests(kDelta) == requests);
    const auto account = backend.check({{{"crash", 1}, {"m0"}}});
    CHECK(account.outcomes.at("succeeded") == 1);
  }
}
