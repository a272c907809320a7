// A job's rollout with the real programs: how many modules at once, which first, and when it stops by itself, before it
// ruins a rack. The rack's log is the evidence: a module that is left alone never sees AT+QFOTADL.
#include <doctest/doctest.h>

#include <algorithm>
#include <ctime>
#include <filesystem>

#include "tests/support/rig.hpp"

using namespace dfota::test;
using dfota::MqttMessage;
using Json = nlohmann::json;

namespace {

Json outcomes(const Json& last) {
  return last["modules"];
}

/// Of the rack's whole log, the place of the first such event of a module; a large one when there is none.
std::size_t place_of(Rig& rig, const std::string& module, const std::string& event) {
  const auto& events = rig.rack.events();
  const auto found = std::find_if(events.begin(), events.end(), [&](const Json& one) {
    return one.value("module", "") == module && one.value("event", "") == event;
  });
  return static_cast<std::size_t>(found - events.begin());
}

/// It was left alone: nothing was commanded, and its result says why.
void check_untouched(Rig& rig, const std::string& module, const std::string& why) {
  CAPTURE(module);
  const auto result = rig.result(module);
  CHECK(result["outcome"] == "canceled");
  CHECK(result["attempts"] == 0);
  CHECK(result["error"]["code"] == why);
  REQUIRE(rig.errors(module).size() == 1);
  CHECK(rig.errors(module)[0].first == "gateway/" + why);
  CHECK(rig.rack.qfotadl(module) == 0);
  CHECK(rig.rack.version(module) == kFrom);
}

std::string rfc3339_in(int seconds) {
  const std::time_t then = std::time(nullptr) + seconds;
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", std::gmtime(&then));
  return text;
}

std::string local_hour(int hours_from_now) {
  const std::time_t then = std::time(nullptr) + hours_from_now * 3600;
  char text[8];
  std::strftime(text, sizeof text, "%H:00", std::localtime(&then));
  return text;
}

}  // namespace

TEST_CASE("a canary that fails stops the other modules of its job untouched") {
  Rig rig(rack_of(5, {"m3:end=505"}));
  auto job = rig.job("canary", {"m3", "m0", "m1", "m2", "m4"});  // in the order given, not by name
  job["canary"] = 1;
  rig.accept(job);
  CHECK(rig.finish("canary")["state"] == "failed");
  rig.rack.stop();
  CHECK(rig.result("m3")["outcome"] == "failed");
  CHECK(rig.rack.qfotadl("m3") == 1);
  for (const auto* module : {"m0", "m1", "m2", "m4"}) check_untouched(rig, module, "canary_failed");
}

TEST_CASE("canaries are modules that really ran: skipped, rejected and absent ones are none; then the others begin") {
  auto options = rack_of(6, {"m0:version=" + kTo, "m1:version=UC20GQBR03A10E1G"}, {{"timeouts.absent", "3"}});
  options.start = false;
  Rig rig(options);
  std::filesystem::rename(rig.rack.port(2), rig.rack.port(2) + ".away");
  rig.start_gateway();
  auto job = rig.job("canary");
  job["canary"] = 2;
  rig.accept(job);
  const auto last = rig.finish("canary");
  CHECK(last["state"] == "partial");
  CHECK(outcomes(last) == Json({{"m0", "skipped"},
                                {"m1", "rejected"},
                                {"m2", "rejected"},
                                {"m3", "succeeded"},
                                {"m4", "succeeded"},
                                {"m5", "succeeded"}}));
  rig.rack.stop();
  // m3 and m4 were the canaries: the third was told when both had been through.
  CHECK(place_of(rig, "m5", "qfotadl") > place_of(rig, "m3", "flashing_end"));
  CHECK(place_of(rig, "m5", "qfotadl") > place_of(rig, "m4", "flashing_end"));
  REQUIRE(rig.errors("m2").size() == 1);
  CHECK(rig.errors("m2")[0].first == "gateway/absent");
}

TEST_CASE("abort_after_failures: so many failed, and the others are left alone") {
  Rig rig(rack_of(6, {"m0:end=505", "m2:end=505"}));
  auto job = rig.job("abort");
  job["abort_after_failures"] = 2;
  job["max_parallel"] = 1;
  rig.accept(job);
  const auto last = rig.finish("abort");
  CHECK(last["state"] == "partial");
  rig.rack.stop();
  CHECK(outcomes(last)["m0"] == "failed");
  CHECK(outcomes(last)["m1"] == "succeeded");
  CHECK(outcomes(last)["m2"] == "failed");
  for (const auto* module : {"m3", "m4", "m5"}) check_untouched(rig, module, "too_many_failures");
}

TEST_CASE("a lost module stops its job at once: downloads are cut before their last byte") {
  auto options = rack_of(3, {"m0:no-return", "m1:client=slow:15000"}, {{"timeouts.update", "6"}});
  options.delta_bytes = 1 << 20;
  Rig rig(options);
  auto job = rig.job("lost");
  job["max_parallel"] = 2;
  rig.accept(job);
  const auto last = rig.finish("lost");
  CHECK(outcomes(last) == Json({{"m0", "lost"}, {"m1", "canceled"}, {"m2", "canceled"}}));
  rig.rack.stop();
  CHECK(rig.result("m1")["error"]["code"] == "module_lost_in_job");
  CHECK(rig.rack.events("m1", "flashing_begin").empty());
  CHECK(rig.rack.version("m1") == kFrom);
  check_untouched(rig, "m2", "module_lost_in_job");
}

TEST_CASE("max_parallel holds, and every module has its turn") {
  Rig rig(rack_of(5));
  auto job = rig.job("two");
  job["max_parallel"] = 2;
  rig.accept(job);
  CHECK(rig.finish("two")["state"] == "succeeded");
  rig.rack.stop();
  int at_once = 0, most = 0;
  for (const auto& event : rig.rack.events()) {
    if (event["event"] == "qfotadl") most = std::max(most, ++at_once);
    if (event["event"] == "flashing_end") --at_once;
  }
  CHECK(most == 2);
}

TEST_CASE("a module that is not there holds up nobody; with absent \"wait\" it is waited for") {
  auto options = rack_of(3, {}, {{"timeouts.absent", "2"}});
  options.start = false;
  Rig rig(options);
  std::filesystem::rename(rig.rack.port(0), rig.rack.port(0) + ".away");
  rig.start_gateway();
  auto job = rig.job("wait");
  job["absent"] = "wait";
  job["max_parallel"] = 1;
  rig.accept(job);
  for (const auto* module : {"m1", "m2"}) CHECK(rig.result(module)["outcome"] == "succeeded");
  // A later job for it fails meanwhile, as it says nothing of waiting.
  rig.accept(rig.job("later", {"m0"}));
  CHECK(outcomes(rig.finish("later")) == Json({{"m0", "rejected"}}));
  std::filesystem::rename(rig.rack.port(0) + ".away", rig.rack.port(0));
  CHECK(rig.finish("wait")["state"] == "succeeded");
}

TEST_CASE("expires ends what was not commanded, of a held and a paused job, too; a restart changes nothing") {
  Rig rig(rack_of(2));
  rig.observer.publish(rig.topic("hold"), R"({"hold": true, "reason": "UPS on battery"})", true);
  rig.wait_for_newest(rig.topic("info"), [](const Json& info) { return info["hold"] == "UPS on battery"; });
  auto held = rig.job("held", {"m0"}), paused = rig.job("paused", {"m1"});
  held["expires"] = paused["expires"] = rfc3339_in(8);
  rig.accept(held);
  rig.accept(paused);
  CHECK(rig.request("pause", {{"job", "paused"}})["data"]["jobs"] == Json({"paused"}));
  rig.gateway().kill();
  rig.start_gateway();
  for (const auto* id : {"held", "paused"}) CHECK(rig.finish(id)["state"] == "rejected");
  for (const auto* module : {"m0", "m1"}) CHECK(rig.result(module)["error"]["code"] == "expired");
  held["job"] = "too-late";
  held["expires"] = rfc3339_in(-60);
  CHECK(rig.request("update", held)["error"]["code"] == "expired");
  rig.rack.stop();
  for (const auto* module : {"m0", "m1"}) CHECK(rig.rack.qfotadl(module) == 0);
}

TEST_CASE("nothing begins before its hour: not_before, and outside of the window") {
  Rig rig(rack_of(3));
  auto night = rig.job("night", {"m0"}), tomorrow = rig.job("tomorrow", {"m1"}), now = rig.job("now", {"m2"});
  night["window"] = {{"start", local_hour(2)}, {"end", local_hour(3)}};
  tomorrow["not_before"] = rfc3339_in(86400);
  now["window"] = {{"start", local_hour(-1)}, {"end", local_hour(2)}};
  now["not_before"] = rfc3339_in(3);
  for (const auto& job : {night, tomorrow, now}) rig.accept(job);
  // They do not keep their modules from a job whose hour has come.
  rig.accept(rig.job("other", {"m0"}));
  CHECK(rig.finish("now")["state"] == "succeeded");
  CHECK(rig.finish("other")["state"] == "succeeded");
  const auto jobs = rig.request("list", Json::object())["data"]["jobs"];
  for (const auto& job : jobs) {
    if (job["job"] == "night" || job["job"] == "tomorrow") CHECK(job["state"] == "queued");
  }
  rig.rack.stop();
  CHECK(rig.rack.qfotadl("m1") == 0);
  CHECK(rig.rack.qfotadl("m0") == 1);
}
