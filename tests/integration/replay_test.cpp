// Recorded updates as modules of the rack, each through a whole job of the real gateway: what was recorded happens
// again, and ends with the recorded outcome and error.
#include <doctest/doctest.h>

#include <fstream>

#include "tests/support/rig.hpp"

using namespace dfota::test;
using Json = nlohmann::json;

namespace {

const std::string kEc800kFrom = "EC800KCNHAR01A02M16", kEc800kTo = "EC800KCNHAR01A03M16";

RigOptions streams_of(std::vector<std::string> transcripts) {
  auto options = replay_of(std::move(transcripts));
  options.rack.model = "EC800K";
  options.from = kEc800kFrom;
  options.to = kEc800kTo;
  return options;
}

/// Its result has the recorded outcome and, on the topic of that number, the recorded error.
void check_failed(Rig& rig, const std::string& module, const std::string& topic, int code) {
  CAPTURE(module);
  const auto result = rig.result(module);
  CHECK(result["outcome"] == "failed");
  CHECK(result["error"]["code"] == code);
  const auto errors = rig.errors(module);
  REQUIRE_FALSE(errors.empty());
  for (const auto& [rest, error] : errors) {
    CHECK(rest == topic);
    CHECK(error["code"] == code);
  }
}

void check_replayed(Rig& rig, const std::string& module) {
  CAPTURE(module);
  CHECK(rig.rack.events(module, "replay_miss").empty());
  CHECK(rig.rack.events(module, "replay_skip").empty());
  CHECK(rig.rack.events(module, "replay_end").size() == 1);
  CHECK(rig.rack.written_while_flashing(module).empty());
}

std::optional<int> run_rack(const std::string& dir, const std::string& file, std::string& told) {
  Process rack({program("dfota-rack"), "--dir", dir, "--replay", file});
  const auto code = rack.wait();
  told = rack.err();
  return code;
}

}  // namespace

TEST_CASE("a shelf of recordings, two that succeeded and two that failed, ends as it ended") {
  Rig rig(replay_of({kept_transcript("http-success"), kept_transcript("http-716"), kept_transcript("end-502"),
                     kept_transcript("port-comes-and-goes")}));
  auto job = rig.job("again");
  job["attempts"] = 2;
  rig.accept(job);
  const auto last = rig.finish("again");
  CHECK(last["modules"] == Json({{"m0", "succeeded"}, {"m1", "failed"}, {"m2", "failed"}, {"m3", "succeeded"}}));
  CHECK(rig.result("m0")["version"] == kTo);
  CHECK(rig.result("m0")["warnings"] == Json::array());
  check_failed(rig, "m1", "7xx/716", 716);
  CHECK(rig.result("m1")["attempts"] == 2);
  CHECK(rig.errors("m1").size() == 2);
  check_failed(rig, "m2", "5xx/502", 502);
  CHECK(rig.result("m2")["version"] == kFrom);
  CHECK(rig.result("m3")["version"] == kTo);
  // The second attempt had as many bytes as the recorded one, of a delta of the same size.
  const auto done = rig.rack.events("m1", "download_done");
  REQUIRE(done.size() == 1);
  CHECK(done[0]["bytes"] == 4096);
  CHECK(rig.rack.events("m0", "download_done").at(0)["sha256"] == rig.sha256);
  rig.rack.stop();
  CHECK(rig.rack.qfotadl("m0") == 1);
  CHECK(rig.rack.qfotadl("m1") == 2);
  CHECK(rig.rack.version("m0") == kTo);
  CHECK(rig.rack.version("m2") == kFrom);
  for (const auto* module : {"m0", "m1", "m2", "m3"}) check_replayed(rig, module);
}

TEST_CASE(
    "an update that failed, recorded by the gateway and saved by dfota, fails in the same way when it is replayed") {
  const TempDir dir;
  const std::string file = dir / "field.jsonl";
  Json recorded;
  {
    Rig field(rack_of(1, {"m0:httpend=716"}));
    auto job = field.job("field");
    job["attempts"] = 2;
    field.accept(job);
    field.finish("field");
    recorded = field.result("m0");
    Process dfota({program("dfota"), "--broker", field.broker.uri(), "--gateway", "t", "transcript", "m0", "-o", file});
    INFO(dfota.err());
    REQUIRE(dfota.wait() == 0);
  }
  CHECK(recorded["error"]["code"] == 716);
  Rig rig(replay_of({file}));
  auto job = rig.job("desk");
  job["attempts"] = 2;
  rig.accept(job);
  rig.finish("desk");
  const auto again = rig.result("m0");
  for (const auto* key : {"outcome", "version", "attempts", "hops", "from", "to"}) CHECK(again[key] == recorded[key]);
  for (const auto* key : {"code", "name", "phase", "meaning"}) CHECK(again["error"][key] == recorded["error"][key]);
  rig.rack.stop();
  CHECK(rig.rack.qfotadl("m0") == 2);
  check_replayed(rig, "m0");
}

TEST_CASE("an upload over the port takes the delta of now, whatever the size of the recorded one") {
  Rig rig(replay_of({kept_transcript("upload")}));
  auto job = rig.job("up");
  job["delivery"] = "upload";
  rig.accept(job);
  CHECK(rig.finish("up")["state"] == "succeeded");
  CHECK(rig.rack.events("m0", "uploaded").at(0)["sha256"] == rig.sha256);
  rig.rack.stop();
  check_replayed(rig, "m0");
}

TEST_CASE("streams behind the command: one that was taken, one that the module gave up") {
  Rig rig(streams_of({kept_transcript("file-stream"), kept_transcript("file-500")}));
  auto job = rig.job("stream");
  job["delivery"] = "upload";
  rig.accept(job);
  CHECK(rig.finish("stream")["state"] == "partial");
  CHECK(rig.result("m0")["outcome"] == "succeeded");
  CHECK(rig.result("m0")["version"] == kEc800kTo);
  CHECK(rig.rack.events("m0", "uploaded").at(0)["sha256"] == rig.sha256);
  check_failed(rig, "m1", "5xx/500", 500);
  rig.rack.stop();
  check_replayed(rig, "m0");
  CHECK(rig.rack.qfotadl("m1") == 1);
}

TEST_CASE("a module that was lost is lost again") {
  auto options = replay_of({kept_transcript("lost")});
  options.settings = {{"timeouts.update", "8"}, {"timeouts.progress_gap", "2"}};
  Rig rig(options);
  rig.accept(rig.job("lost"));
  rig.finish("lost");
  CHECK(rig.result("m0")["outcome"] == "lost");
  CHECK(rig.result("m0")["error"]["code"] == "update_timeout");
}

TEST_CASE("over TCP, behind a simulated module") {
  RigOptions options;
  options.rack.tcp = true;
  options.rack.replays = {kept_transcript("http-success")};
  Rig rig(options);
  rig.accept(rig.job("both"));
  CHECK(rig.finish("both")["modules"] == Json({{"m0", "succeeded"}, {"m1", "succeeded"}}));
  rig.rack.stop();
  check_replayed(rig, "m1");
}

TEST_CASE("what is no transcript is refused by file and line, before any port stands") {
  const TempDir dir;
  std::string told;
  const std::string file = dir / "wrong.jsonl";
  std::ofstream(file) << "{\"transcript\":1,\"from\":\"A\"}\n{\"t\":0,\"dance\":1}\n";
  CHECK(run_rack(dir / "rack", file, told) == 1);
  CHECK(told.find(file + ":2: an event that is not understood") != std::string::npos);
  CHECK_FALSE(std::filesystem::exists(dir / "rack"));
  CHECK(run_rack(dir / "rack", dir / "missing.jsonl", told) == 1);
  CHECK(told.find("cannot read the transcript") != std::string::npos);
}
