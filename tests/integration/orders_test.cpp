// What somebody orders of jobs, with the real programs: cancel, pause, resume, hold, retry, forget, list and replay.
#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "tests/support/rig.hpp"

using namespace dfota::test;
using dfota::MqttMessage;
using Json = nlohmann::json;

namespace {

/// Its delta is more than sockets hold, so that a download can be stopped in its middle.
RigOptions rack_with_big_delta(int modules, std::vector<std::string> faults = {}) {
  auto options = rack_of(modules, std::move(faults));
  options.delta_bytes = 1 << 20;
  return options;
}

void check_refused(const Json& reply, const std::string& code) {
  CHECK(reply["status"] == "error");
  CHECK(reply["error"]["code"] == code);
}

void hold(Rig& rig, bool held, const std::string& reason = "") {
  rig.observer.publish(rig.topic("hold"), Json({{"hold", held}, {"reason", reason}}).dump(), true);
  rig.wait_for_newest(rig.topic("info"), [&](const Json& info) { return info["hold"].is_null() != held; });
}

bool was_commanded(Rig& rig, const std::string& module) {
  return !rig.rack.events(module, "qfotadl").empty();
}

}  // namespace

TEST_CASE("cancel: what waits ends, a download is cut before its last byte, what flashes goes on") {
  auto options = rack_with_big_delta(3, {"m1:client=slow:15000"});
  options.settings = {{"limits.updates", "2"}};
  Rig rig(options);
  rig.accept(rig.job("half"));
  REQUIRE(rig.rack.wait_for_urc("m0", "UPDATING"));
  REQUIRE(rig.rack.wait_for("m1", "http_response"));
  const auto reply = rig.request("cancel", {{"job", "half"}});
  CHECK(reply["status"] == "ok");
  CHECK(reply["data"]["will_end"] == Json({"m0"}));
  CHECK(reply["data"]["stopped"] == Json({"m1"}));
  CHECK(reply["data"]["stopping"] == Json({"m2"}));
  const auto last = rig.finish("half");
  CHECK(last["modules"] == Json({{"m0", "succeeded"}, {"m1", "canceled"}, {"m2", "canceled"}}));
  CHECK(last["state"] == "canceled");
  check_refused(rig.request("cancel", {{"job", "half"}}), "job_ended");
  check_refused(rig.request("cancel", {{"job", "none"}}), "unknown_job");
  rig.rack.stop();
  CHECK(rig.rack.qfotadl("m2") == 0);
  CHECK(rig.rack.events("m1", "flashing_begin").empty());
  CHECK(rig.result("m1")["error"].is_null());
  CHECK(rig.errors("m1").empty());
}

TEST_CASE("cancel of a module: its parts of every job, and nobody else's") {
  Rig rig(rack_with_big_delta(2, {"m0:client=slow:15000"}));
  rig.accept(rig.job("first", {"m0"}));
  rig.accept(rig.job("second"));
  REQUIRE(rig.rack.wait_for("m0", "http_response"));
  const auto reply = rig.request("cancel", {{"module", "m0"}});
  CHECK(reply["data"]["stopped"] == Json({"first", "second"}));
  CHECK(rig.finish("first")["state"] == "canceled");
  CHECK(rig.finish("second")["modules"] == Json({{"m0", "canceled"}, {"m1", "succeeded"}}));
  check_refused(rig.request("cancel", {{"module", "m7"}}), "unknown_module");
  check_refused(rig.request("cancel", Json::object()), "invalid");
}

TEST_CASE("pause: nothing new is commanded, over a restart, too; resume: it goes on") {
  auto options = rack_with_big_delta(3);
  options.settings = {{"limits.updates", "1"}};
  Rig rig(options);
  rig.accept(rig.job("night"));
  REQUIRE(rig.rack.wait_for_urc("m0", "UPDATING"));
  CHECK(rig.request("pause", Json::object())["data"]["jobs"] == Json({"night"}));
  CHECK(rig.result("m0")["outcome"] == "succeeded");
  rig.gateway().kill();
  rig.start_gateway();
  rig.wait_for_newest(rig.topic("job/night/state"), [](const Json& state) { return state["state"] == "paused"; });
  // A job that is not paused has the modules meanwhile.
  rig.accept(rig.job("other", {"m2"}));
  CHECK(rig.finish("other")["state"] == "succeeded");
  CHECK_FALSE(was_commanded(rig, "m1"));
  CHECK(rig.request("resume", {{"job", "night"}})["data"]["jobs"] == Json({"night"}));
  CHECK(rig.finish("night")["modules"] == Json({{"m0", "succeeded"}, {"m1", "succeeded"}, {"m2", "skipped"}}));
  check_refused(rig.request("pause", {{"job", "night"}}), "job_ended");
}

TEST_CASE("held: no module is commanded, even when the gateway starts again and the broker has forgotten it") {
  Rig rig(rack_with_big_delta(2));
  hold(rig, true, "UPS on battery");
  rig.accept(rig.job("held"));
  rig.gateway().kill();
  rig.broker.kill();
  rig.broker.start();
  rig.start_gateway();
  rig.wait_for_newest(rig.topic("info"), [](const Json& info) { return info["hold"] == "UPS on battery"; });
  // What cannot be read changes nothing.
  rig.observer.publish(rig.topic("hold"), "{}", true);
  rig.observer.publish(rig.topic("hold"), R"({"hold": false, "until": "noon"})", true);
  rig.wait_until(
      [&](const std::vector<MqttMessage>& all) {
        return std::count_if(all.begin(), all.end(), [&](const MqttMessage& message) {
                 return message.topic == rig.topic("error/gateway/hold_invalid");
               }) == 2;
      },
      "two refusals");
  CHECK_FALSE(was_commanded(rig, "m0"));
  hold(rig, false);
  CHECK(rig.finish("held")["state"] == "succeeded");
}

TEST_CASE("retry: the modules that did not get there, once, as the next run") {
  Rig rig(rack_with_big_delta(3, {"m1:end=505,once"}));
  rig.accept(rig.job("again"));
  CHECK(rig.finish("again")["state"] == "partial");
  rig.observer.forget();
  const auto reply = rig.request("retry", {{"job", "again"}, {"run", 1}});
  CHECK(reply["data"]["run"] == 2);
  CHECK(reply["data"]["modules"] == Json({"m1"}));
  check_refused(rig.request("retry", {{"job", "again"}, {"run", 1}}), "not_newest_run");
  const auto last = rig.finish("again");
  CHECK(last["run"] == 2);
  CHECK(last["state"] == "succeeded");
  CHECK(rig.results("m1").size() == 1);
  CHECK(rig.result("m1")["run"] == 2);
  check_refused(rig.request("retry", {{"job", "again"}, {"run", 2}}), "nothing_to_retry");
  rig.rack.stop();
  CHECK(rig.rack.qfotadl("m0") == 1);
}

TEST_CASE("the same id: the stored state while it runs, after, and when it was forgotten; never a second run") {
  Rig rig(rack_with_big_delta(1));
  const auto job = rig.job("once");
  rig.accept(job);
  CHECK(rig.request("update", job)["data"]["job"] == "once");
  check_refused(rig.request("forget", {{"job", "once"}}), "job_not_ended");
  CHECK(rig.finish("once")["state"] == "succeeded");
  CHECK(rig.request("update", job)["data"]["state"] == "succeeded");
  CHECK(rig.request("forget", {{"job", "once"}})["status"] == "ok");
  rig.wait_until(
      [&](const std::vector<MqttMessage>& messages) {
        return std::any_of(messages.begin(), messages.end(), [&](const MqttMessage& message) {
          return message.topic == rig.topic("job/once/state") && message.payload.empty();
        });
      },
      "the retained state to go");
  for (int restart = 0; restart < 2; ++restart) {
    const auto reply = rig.request("update", job);
    CHECK(reply["status"] == "ok");
    CHECK(reply["data"]["forgotten"] == true);
    CHECK(reply["data"]["state"] == "succeeded");
    CHECK(reply["data"]["counts"]["succeeded"] == 1);
    auto other = job;
    other["attempts"] = 2;
    check_refused(rig.request("update", other), "job_conflict");
    check_refused(rig.request("forget", {{"job", "once"}}), "unknown_job");
    CHECK(rig.request("list", Json::object())["data"]["jobs"].empty());
    CHECK(rig.request("replay", {{"after", 0}})["data"]["count"] == 0);
    rig.gateway().kill();
    rig.start_gateway();
  }
  check_refused(rig.request("forget", {{"module", "m0"}}), "module_configured");
  rig.rack.stop();
  CHECK(rig.rack.qfotadl("m0") == 1);
}

TEST_CASE("replay: results and errors behind a seq once more, the same bytes, after a restart, too") {
  Rig rig(rack_with_big_delta(3, {"m1:end=505"}));
  rig.accept(rig.job("told"));
  rig.finish("told");
  const auto told = [](const std::vector<MqttMessage>& messages) {
    std::vector<std::string> payloads;
    for (const auto& message : messages) {
      const bool is_one =
          message.topic.find("/result") != std::string::npos || message.topic.find("/error/") != std::string::npos;
      if (is_one) payloads.push_back(message.topic + " " + message.payload);
    }
    return payloads;
  };
  const auto before = told(rig.observer.messages());
  REQUIRE(before.size() == 4);
  rig.gateway().kill();
  rig.start_gateway();
  rig.observer.forget();
  const auto first = rig.request("replay", {{"after", 0}, {"limit", 3}});
  CHECK(first["data"]["count"] == 3);
  const auto rest = rig.request("replay", {{"after", first["data"]["next"]}});
  CHECK(rest["data"]["count"] == 1);
  CHECK(rest["data"]["next"].is_null());
  rig.wait_until([&](const std::vector<MqttMessage>& messages) { return told(messages).size() >= 4; }, "the replay");
  CHECK(told(rig.observer.messages()) == before);
}

TEST_CASE("list: jobs and modules, page by page, each once") {
  Rig rig(rack_with_big_delta(3));
  rig.accept(rig.job("a"));
  rig.accept(rig.job("b", {"m1"}));
  rig.finish("a");
  rig.finish("b");
  std::vector<std::string> parts, modules;
  Json body = {{"limit", 2}};
  for (int page = 0; page < 10; ++page) {
    const auto data = rig.request("list", body)["data"];
    for (const auto& job : data["jobs"]) {
      for (const auto& [module, word] : job["modules"].items()) {
        parts.push_back(job["job"].get<std::string>() + " " + module + " " + word.get<std::string>());
      }
    }
    for (const auto& module : data["modules"]) modules.push_back(module["module"]);
    if (data["next"].is_null()) break;
    body["after"] = data["next"];
  }
  CHECK(parts == std::vector<std::string>{"a m0 succeeded", "a m1 succeeded", "a m2 succeeded", "b m1 skipped"});
  CHECK(modules == std::vector<std::string>{"m0", "m1", "m2"});
  check_refused(rig.request("list", {{"after", "nonsense"}}), "invalid");
}
