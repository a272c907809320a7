// A delta that cannot be had, or is not the one that the job names: every module is rejected with the right word, and
// none of them hears of it.
#include <doctest/doctest.h>

#include "tests/support/rig.hpp"

using namespace dfota::test;
using Json = nlohmann::json;

namespace {

/// Runs the job on a rack of two, which must end rejected by this finding.
void check_rejected(Rig& rig, const Json& job, const std::string& word) {
  const std::string id = job["job"];
  rig.accept(job);
  const auto last = rig.finish(id);
  CHECK(last["state"] == "rejected");
  CHECK(last["modules"] == Json{{"m0", "rejected"}, {"m1", "rejected"}});
  for (const auto* module : {"m0", "m1"}) {
    const auto result = rig.result(module);
    CHECK(rig.results(module).size() == 1);
    CHECK(result["outcome"] == "rejected");
    CHECK(result["attempts"] == 0);
    CHECK(result["error"]["code"] == word);
    const auto errors = rig.errors(module);
    REQUIRE(errors.size() == 1);
    CHECK(errors[0].first == "gateway/" + word);
    CHECK(errors[0].second["source"] == "gateway");
  }
  rig.rack.stop();
  CHECK(rig.rack.qfotadl("m0") == 0);
  CHECK(rig.rack.qfotadl("m1") == 0);
}

RigOptions two() {
  RigOptions options;
  options.rack.modules = 2;
  return options;
}

}  // namespace

TEST_CASE("another hash than the job's: artifact_hash_mismatch") {
  Rig rig(two());
  auto job = rig.job("hash");
  job["artifact"]["sha256"] = std::string(64, 'a');
  check_rejected(rig, job, "artifact_hash_mismatch");
  CHECK_FALSE(std::filesystem::exists(rig.dir() / "state/artifacts/" + std::string(64, 'a')));
}

TEST_CASE("another size than the job's: artifact_hash_mismatch") {
  Rig rig(two());
  for (const int difference : {-1, 1}) {
    CAPTURE(difference);
    Rig one(two());
    auto job = one.job("size");
    job["artifact"]["size"] = static_cast<int>(RigOptions{}.delta_bytes) + difference;
    check_rejected(one, job, "artifact_hash_mismatch");
  }
  auto job = rig.job("right");
  job["artifact"]["size"] = RigOptions{}.delta_bytes;
  rig.accept(job);
  CHECK(rig.finish("right")["state"] == "succeeded");
}

TEST_CASE("404 at the origin: artifact_unavailable") {
  Rig rig(two());
  auto job = rig.job("gone");
  job["artifact"]["url"] = rig.origin.url("/nothing.bin?key=secret");
  check_rejected(rig, job, "artifact_unavailable");
  for (const auto& message : rig.observer.messages()) {
    const bool ours = message.topic == rig.topic("cmd/update");
    CHECK((ours || message.payload.find("secret") == std::string::npos));
  }
  CHECK(rig.gateway().err().find("secret") == std::string::npos);
}

TEST_CASE("an origin that is not there: artifact_unavailable") {
  Rig rig(two());
  auto job = rig.job("nobody");
  job["artifact"]["url"] = "http://127.0.0.1:" + std::to_string(free_port()) + "/delta.bin";
  check_rejected(rig, job, "artifact_unavailable");
}

TEST_CASE("a loopback origin that is not allowed is never asked: artifact_unavailable") {
  auto options = two();
  options.settings = {{"artifacts.allow_hosts", ""}};
  Rig rig(options);
  check_rejected(rig, rig.job("loop"), "artifact_unavailable");
  CHECK(rig.origin.requests(kDelta) == 0);
}

TEST_CASE("a delta over artifacts.max_bytes: rejected, and the gateway goes on") {
  auto options = two();
  options.settings = {{"artifacts.max_bytes", "10000"}};
  Rig rig(options);
  check_rejected(rig, rig.job("big"), "artifact_unavailable");
  CHECK(rig.request("nonsense", Json::object())["error"]["code"] == "unknown_verb");
}
