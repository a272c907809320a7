// Jobs that say where to, and not how, with the real programs: over several deltas, by the version that each module
// reports; back again; in a crash; and when there is no way. The rack's log is the evidence.
#include <doctest/doctest.h>

#include <set>

#include "tests/support/deltas.hpp"

using namespace dfota::test;
using Json = nlohmann::json;

namespace {

const std::string kA11 = uc20("A11"), kA12 = uc20("A12"), kA14 = uc20("A14");

RigOptions mixed_rack(int modules, std::vector<std::string> faults) {
  RigOptions options;
  options.rack.modules = modules;
  options.rack.faults = std::move(faults);
  options.rack.version = kA11;
  return options;
}

/// Three versions, five deltas: up in small steps and in one that costs more, and down.
void add_five(Rig& rig) {
  add(rig, {"up-11-12.bin", kA11, kA12, {{"from", "2023-01-10"}, {"to", "2023-06-01"}}, 30000});
  add(rig, {"up-12-14.bin", kA12, kA14, "2024-02-01", 30000});
  add(rig, {"up-11-14.bin", kA11, kA14, "2024-02-01", 90000});
  add(rig, {"down-14-12.bin", kA14, kA12, "2023-06-01", 30000});
  add(rig, {"down-12-11.bin", kA12, kA11, "2023-01-10", 30000});
}

void wait_for_versions(Rig& rig, int modules) {
  for (int i = 0; i < modules; ++i) {
    rig.wait_for_newest(rig.topic("module/" + Rig::m(i) + "/state"),
                        [](const Json& state) { return state["version"].is_string(); });
  }
}

Json to_target(const std::string& id, const std::string& target, const Json& modules = "all") {
  return {{"job", id}, {"modules", modules}, {"target", target}};
}

std::string way_of(const Json& result) {
  std::string text;
  for (const auto& hop : result["way"]) text += (text.empty() ? "" : " ") + hop.value("artifact", "");
  return text;
}

}  // namespace

TEST_CASE("a mixed rack is brought to one target by one job, each module its own way; and back again") {
  Rig rig(mixed_rack(4, {"m1:version=" + kA12, "m2:version=" + kA14}));
  add_five(rig);
  wait_for_versions(rig, 4);
  rig.accept(to_target("shelf-3", kA14));
  const auto last = rig.finish("shelf-3");
  CHECK(last["state"] == "succeeded");
  CHECK(last["modules"] == Json({{"m0", "succeeded"}, {"m1", "succeeded"}, {"m2", "skipped"}, {"m3", "succeeded"}}));
  CHECK(way_of(rig.result("m0")) == "up-11-12.bin up-12-14.bin");
  CHECK(way_of(rig.result("m1")) == "up-12-14.bin");
  CHECK(way_of(rig.result("m2")).empty());
  for (const auto* module : {"m0", "m3"}) {
    const auto result = rig.result(module);
    CHECK(result["from"] == kA11);
    CHECK(result["to"] == kA14);
    CHECK(result["version"] == kA14);
    CHECK(result["attempts"] == 2);
    CHECK(result["hops"] == 2);
    CHECK(result["way"][1]["from"] == kA12);
  }
  std::set<std::pair<int, int>> hops;
  for (const auto& progress : rig.progress("m0")) hops.emplace(progress["hop"], progress["hops"]);
  CHECK(hops == std::set<std::pair<int, int>>{{1, 2}, {2, 2}});

  rig.accept({{"job", "back"}, {"modules", {"m0", "m1", "m2"}}, {"rollback", true}});
  CHECK(rig.finish("back")["state"] == "partial");
  CHECK(way_of(rig.results("m0").back()) == "down-14-12.bin down-12-11.bin");
  CHECK(rig.results("m0").back()["version"] == kA11);
  CHECK(way_of(rig.results("m1").back()) == "down-14-12.bin");
  CHECK(rig.results("m2").back()["outcome"] == "rejected");
  CHECK(rig.results("m2").back()["error"]["code"] == "no_rollback");
  rig.rack.stop();
  CHECK(rig.rack.qfotadl("m0") == 4);
  CHECK(rig.rack.qfotadl("m1") == 2);
  CHECK(rig.rack.qfotadl("m2") == 0);
  CHECK(rig.rack.version("m0") == kA11);
  CHECK(rig.rack.version("m1") == kA12);
  for (const auto* module : {"m0", "m1", "m3"}) CHECK(rig.rack.written_while_flashing(module).empty());
  // Each delta was fetched once, for all modules and both jobs.
  for (const auto* name : {"/up-11-12.bin", "/up-12-14.bin", "/down-14-12.bin", "/down-12-11.bin"}) {
    CHECK(rig.origin.requests(name) == 1);
  }
}

TEST_CASE("dry_run tells each module's way, and does nothing") {
  Rig rig(mixed_rack(3, {"m1:version=" + kA14, "m2:version=UC20GQBR03A10E1G"}));
  add_five(rig);
  wait_for_versions(rig, 3);
  auto job = to_target("", kA14);
  job.erase("job");
  job["dry_run"] = true;
  const auto reply = rig.request("update", job);
  REQUIRE(reply["status"] == "ok");
  const auto& modules = reply["data"]["modules"];
  REQUIRE(modules.size() == 3);
  CHECK(modules[0]["bytes"] == 60000);
  CHECK(modules[0]["way"].size() == 2);
  CHECK(modules[0]["reason"].is_null());
  CHECK(modules[0]["expected_duration_s"].is_null());  // nothing was updated here yet
  CHECK(modules[1]["way"].empty());
  CHECK(modules[1]["reason"].is_null());
  CHECK(modules[2]["reason"]["code"] == "no_way");
  job = {{"modules", {"m1"}}, {"artifact", {{"name", "up-11-12.bin"}}}, {"dry_run", true}};
  CHECK(rig.request("update", job)["data"]["modules"][0]["reason"]["code"] == "base_mismatch");

  rig.accept(to_target("up", kA14, {"m0"}));
  CHECK(rig.finish("up")["state"] == "succeeded");
  job = {{"modules", {"m0"}}, {"rollback", true}, {"dry_run", true}};
  const auto back = rig.request("update", job)["data"]["modules"][0];
  CHECK(back["target"] == kA11);
  CHECK(back["way"].size() == 2);
  CHECK(back["expected_duration_s"] > 0);  // by the model's updates so far
  rig.rack.stop();
  CHECK(rig.rack.qfotadl("m0") == 2);
  CHECK(rig.rack.qfotadl("m1") == 0);
}

TEST_CASE("no way, a way back, and targets that nobody knows have their words; nothing is commanded") {
  Rig rig(mixed_rack(2, {"m1:version=" + kA14}));
  add(rig, {"up-11-12.bin", kA11, kA12, {{"from", "2023-01-10"}, {"to", "2023-06-01"}}});
  add(rig, {"down-14-12.bin", kA14, kA12, {{"from", "2024-02-01"}, {"to", "2023-06-01"}}});
  add(rig, {"dateless.bin", kA12, uc20("A13")});
  CHECK(rig.request("update", to_target("x", uc20("A99")))["error"]["code"] == "unknown_target");
  const Json back = {{"job", "b"}, {"modules", {"m1"}}, {"artifact", {{"name", "down-14-12.bin"}}}};
  CHECK(rig.request("update", back)["error"]["code"] == "downgrade_refused");
  const Json dateless = {{"job", "d"}, {"modules", "all"}, {"artifact", {{"name", "dateless.bin"}}}};
  CHECK(rig.request("update", dateless)["error"]["code"] == "downgrade_refused");
  const Json unknown = {{"job", "u"}, {"modules", "all"}, {"artifact", {{"name", "nothing.bin"}}}};
  CHECK(rig.request("update", unknown)["error"]["code"] == "unknown_artifact");
  // The same direction in a job that names a URL and both versions.
  auto by_url = offer(rig, {"again-14-12.bin", kA14, kA12});
  const Json url_job = {{"job", "url"},
                        {"modules", {"m1"}},
                        {"artifact", {{"url", by_url["url"]}, {"sha256", by_url["sha256"]}}},
                        {"from", kA14},
                        {"to", kA12}};
  CHECK(rig.request("update", url_job)["error"]["code"] == "downgrade_refused");

  rig.accept(to_target("mixed", kA12));
  CHECK(rig.finish("mixed")["modules"] == Json({{"m0", "succeeded"}, {"m1", "rejected"}}));
  CHECK(rig.result("m1")["error"]["code"] == "downgrade_refused");
  REQUIRE(rig.errors("m1").size() == 1);
  CHECK(rig.errors("m1")[0].first == "gateway/downgrade_refused");

  rig.accept(to_target("missing", kA14, {"m0"}));
  CHECK(rig.finish("missing")["state"] == "rejected");
  const auto error = rig.results("m0").back()["error"];
  CHECK(error["code"] == "no_way");
  CHECK(error["message"].get<std::string>().find("nearest version that can be reached is " + kA12) !=
        std::string::npos);

  auto allowed = to_target("allowed", kA12, {"m1"});
  allowed["allow_downgrade"] = true;
  rig.accept(allowed);
  CHECK(rig.finish("allowed")["state"] == "succeeded");
  rig.rack.stop();
  CHECK(rig.rack.qfotadl("m0") == 1);
  CHECK(rig.rack.qfotadl("m1") == 1);
}

TEST_CASE("a hop that fails ends the plan, and says how far it got; retry goes on from there") {
  Rig rig(mixed_rack(1, {}));
  add(rig, {"up-11-12.bin", kA11, kA12, {{"from", "2023-01-10"}, {"to", "2023-06-01"}}, 30000});
  // Its manifest says that it starts from A12, and it does not: the module refuses it in mid-flash.
  auto wrong = offer(rig, {"up-12-14.bin", uc20("A10"), kA14, "2024-02-01", 30000});
  wrong["from"] = kA12;
  CHECK(rig.request("artifact_add", wrong)["status"] == "ok");
  rig.accept(to_target("up", kA14));
  CHECK(rig.finish("up")["state"] == "failed");
  const auto result = rig.result("m0");
  CHECK(result["outcome"] == "failed");
  CHECK(result["version"] == kA12);
  CHECK(way_of(result) == "up-11-12.bin");
  CHECK(result["attempts"] == 2);
  CHECK(rig.request("artifact_remove", {{"name", "up-12-14.bin"}})["status"] == "ok");
  add(rig, {"good-12-14.bin", kA12, kA14, "2024-02-01", 30000});
  CHECK(rig.request("retry", {{"job", "up"}, {"run", 1}})["status"] == "ok");
  rig.wait_for_newest(rig.topic("job/up/state"),
                      [](const Json& state) { return state["run"] == 2 && state["state"] == "succeeded"; });
  CHECK(rig.results("m0").back()["outcome"] == "succeeded");
  CHECK(way_of(rig.results("m0").back()) == "good-12-14.bin");
}

TEST_CASE("killed while it flashes, and in the next hop: the plan goes on from the version that the module reports") {
  // Slow, so that the second kill comes before the last byte: between its release and itself it would be a failure.
  Rig rig(mixed_rack(1, {"client=slow:20000"}));
  add_five(rig);
  rig.accept(to_target("up", kA14));
  REQUIRE(rig.rack.wait_for("m0", "flashing_begin"));
  rig.gateway().kill();
  rig.start_gateway();
  REQUIRE(rig.rack.wait_for([](const Json& event) {
    return event.value("module", "") == "m0" && event.value("event", "") == "qfotadl" && event.value("count", 0) == 2;
  }));
  rig.gateway().kill();
  rig.start_gateway();
  CHECK(rig.finish("up")["state"] == "succeeded");
  CHECK(way_of(rig.result("m0")) == "up-11-12.bin up-12-14.bin");
  rig.rack.stop();
  CHECK(rig.rack.version("m0") == kA14);
  CHECK(rig.rack.written_while_flashing("m0").empty());
}

TEST_CASE("a cancel after the first hop leaves the module where it is") {
  Rig rig(mixed_rack(1, {}));
  add_five(rig);
  rig.accept(to_target("up", kA14));
  REQUIRE(rig.rack.wait_for("m0", "flashing_begin"));
  CHECK(rig.request("cancel", {{"job", "up"}})["data"]["will_end"] == Json({"m0"}));
  CHECK(rig.finish("up")["state"] == "canceled");
  const auto result = rig.result("m0");
  CHECK(result["outcome"] == "canceled");
  CHECK(result["version"] == kA12);
  CHECK(way_of(result) == "up-11-12.bin");
  rig.rack.stop();
  CHECK(rig.rack.qfotadl("m0") == 1);
}

TEST_CASE("an alias of a version is that version") {
  Rig rig(mixed_rack(1, {"m0:version=UC20GQBR03A11E1G_01.001"}));
  auto manifest = offer(rig, {"up.bin", kA11, kA12, {{"from", "2023-01-10"}, {"to", "2023-06-01"}}});
  manifest["aliases"] = {{kA11, {kA11 + "_01.001"}}};
  CHECK(rig.request("artifact_add", manifest)["status"] == "ok");
  rig.accept(to_target("up", kA12));
  const auto last = rig.finish("up");
  CAPTURE(last.dump());
  // The rack checks its base by itself: it must have been given the delta at all.
  CHECK(rig.rack.events("m0", "qfotadl").size() == 1);
}
