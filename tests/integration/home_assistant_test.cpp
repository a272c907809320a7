// Home Assistant as the gateway sees it: what it is told over discovery and on the update topics keeps its rules to the
// letter (support/ha_rules.hpp), and what it sends when somebody presses a button is taken from there and nowhere else.
#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "tests/support/deltas.hpp"
#include "tests/support/ha_rules.hpp"

using namespace dfota::test;
using dfota::MqttMessage;
using Json = nlohmann::json;

namespace {

const std::string kA11 = uc20("A11"), kA12 = uc20("A12"), kA14 = uc20("A14"), kPrefix = "homeassistant";

RigOptions with_home_assistant(int modules, std::vector<std::string> faults = {}) {
  auto options = rack_of(modules, std::move(faults), {{"home_assistant.enabled", "true"}});
  options.rack.version = kA11;
  return options;
}

void add_way(Rig& rig, std::size_t bytes = 40000) {
  add(rig, {"up-11-12.bin", kA11, kA12, {{"from", "2023-01-10"}, {"to", "2023-06-01"}}, bytes});
  add(rig, {"up-12-14.bin", kA12, kA14, "2024-02-01", bytes});
}

std::string config_topic(const std::string& object) {
  return kPrefix + "/device/" + object + "/config";
}

std::size_t count_on(const std::vector<MqttMessage>& messages, const std::string& topic) {
  return static_cast<std::size_t>(
      std::count_if(messages.begin(), messages.end(), [&](const MqttMessage& one) { return one.topic == topic; }));
}

/// What Home Assistant is told to do with a part of a device.
Json component(Rig& rig, const std::string& object, const std::string& id) {
  return Json::parse(rig.retained(config_topic(object)))["components"][id];
}

void press(Rig& rig, const Json& button) {
  rig.observer.publish(button["command_topic"], button["payload_press"]);
}

void wait_for_update(Rig& rig, const std::string& module, const Json& wanted) {
  rig.wait_for_newest(rig.topic("module/" + module + "/update"), [wanted](const Json& state) {
    return std::all_of(wanted.items().begin(), wanted.items().end(),
                       [&](const auto& one) { return state.contains(one.key()) && state[one.key()] == one.value(); });
  });
}

/// The n-th reply on a verb's default topic, where Home Assistant's go.
Json reply_to(Rig& rig, const std::string& verb, std::size_t n = 1) {
  const auto topic = rig.topic("rsp/" + verb);
  rig.wait_until([&](const std::vector<MqttMessage>& messages) { return count_on(messages, topic) >= n; },
                 "reply " + std::to_string(n) + " on " + topic);
  return rig.published(topic).at(n - 1);
}

/// All that Home Assistant was told so far keeps its rules. How many of both kinds there were.
std::pair<int, int> check_rules(Rig& rig, const std::vector<std::string>& foreign = {}) {
  int devices = 0, states = 0;
  for (const auto& message : rig.observer.messages()) {
    if (message.payload.empty()) continue;
    HaRules::Faults faults;
    if (message.topic.starts_with(kPrefix + "/") && message.topic != kPrefix + "/status") {
      ++devices;
      faults = HaRules::device(kPrefix, message.topic, Json::parse(message.payload), foreign);
    } else if (message.topic.starts_with(rig.topic("module/")) && message.topic.ends_with("/update")) {
      ++states;
      faults = HaRules::update_state(message.payload);
    }
    for (const auto& fault : faults) FAIL_CHECK(message.topic << ": " << fault << ": " << message.payload);
  }
  return {devices, states};
}

}  // namespace

TEST_CASE("the Install of Home Assistant brings a module to the newest release; pressed twice it is one job") {
  Rig rig(with_home_assistant(2));
  wait_for_update(rig, "m0", {{"installed_version", kA11}, {"latest_version", kA11}});
  add_way(rig);
  wait_for_update(rig, "m0", {{"latest_version", kA14}, {"in_progress", false}, {"title", "UC20 firmware"}});
  wait_for_update(rig, "m1", {{"latest_version", kA14}});
  const auto update = component(rig, "dfota_t_m0", "update");
  REQUIRE(update["state_topic"] == rig.topic("module/m0/update"));
  rig.observer.publish(update["command_topic"], update["payload_install"]);
  const auto first = reply_to(rig, "install");
  REQUIRE(first["status"] == "ok");
  CHECK(first["data"]["modules"] == Json({"m0"}));
  const std::string job = first["data"]["job"];
  wait_for_update(rig, "m0", {{"in_progress", true}});
  rig.observer.publish(update["command_topic"], update["payload_install"]);
  const auto second = reply_to(rig, "install", 2);
  CHECK(second["data"]["job"] == job);
  CHECK(second["data"]["state"] == "running");
  CHECK(rig.request("install", {{"module", "m0"}, {"target", kA14}})["data"]["job"] == job);

  CHECK(rig.finish(job)["state"] == "succeeded");
  wait_for_update(rig, "m0", {{"installed_version", kA14}, {"in_progress", false}, {"update_percentage", nullptr}});
  rig.wait_for_newest(config_topic("dfota_t_m0"),
                      [](const Json& config) { return config["device"]["sw_version"] == kA14; });
  CHECK(rig.request("install", {{"module", "m0"}})["error"]["code"] == "up_to_date");
  CHECK(rig.request("list", Json::object())["data"]["jobs"].size() == 1);
  rig.rack.stop();
  CHECK(rig.rack.qfotadl("m0") == 2);
  CHECK(rig.rack.qfotadl("m1") == 0);

  int last = -1, told = 0;
  bool began = false, ended = false;
  for (const auto& state : rig.published(rig.topic("module/m0/update"))) {
    const bool runs = state["in_progress"];
    CHECK_FALSE((ended && runs));
    ended = ended || (began && !runs);
    began = began || runs;
    const auto& percent = state["update_percentage"];
    if (percent.is_null()) continue;
    ++told;
    CHECK(runs);
    CHECK(percent.get<int>() >= last);
    last = percent;
  }
  CHECK(ended);
  CHECK(told >= 2);
  const auto [devices, states] = check_rules(rig, {kA11, kA14});
  CHECK(devices >= 4);
  CHECK(states >= 6);
}

TEST_CASE("hold switch, cancel, pause and resume as Home Assistant presses them") {
  Rig rig(with_home_assistant(1));
  add_way(rig);
  wait_for_update(rig, "m0", {{"latest_version", kA14}});
  const auto hold = component(rig, "dfota_t", "hold");
  const auto turn = [&](const char* payload) {
    rig.observer.publish(hold["command_topic"], hold[payload].get<std::string>(), hold["retain"]);
  };
  turn("payload_on");
  rig.wait_for_newest(hold["state_topic"], [](const Json& info) { return info["hold"] == "Home Assistant"; });
  const auto update = component(rig, "dfota_t_m0", "update");
  rig.observer.publish(update["command_topic"], update["payload_install"]);
  const std::string job = reply_to(rig, "install")["data"]["job"];
  rig.wait_for_newest(rig.topic("module/m0/state"), [&](const Json& state) { return state["job"] == job; });
  press(rig, component(rig, "dfota_t", "pause"));
  CHECK(reply_to(rig, "pause")["data"]["jobs"] == Json({job}));
  press(rig, component(rig, "dfota_t", "resume"));
  CHECK(reply_to(rig, "resume")["data"]["jobs"] == Json({job}));
  press(rig, component(rig, "dfota_t_m0", "cancel"));
  CHECK(reply_to(rig, "cancel")["status"] == "ok");
  CHECK(rig.finish(job)["state"] == "canceled");
  turn("payload_off");
  rig.wait_for_newest(hold["state_topic"], [](const Json& info) { return info["hold"].is_null(); });
  // A canceled one is over: the next press is another job.
  rig.observer.publish(update["command_topic"], update["payload_install"]);
  const auto again = reply_to(rig, "install", 2);
  CHECK(again["data"]["job"] != job);
  CHECK(rig.finish(again["data"]["job"])["state"] == "succeeded");
  rig.rack.stop();
  CHECK(rig.rack.qfotadl("m0") == 2);
  check_rules(rig, {kA11, kA14});
}

TEST_CASE("told again when Home Assistant was born, and when the broker has forgotten; removed when it is forgotten") {
  Rig rig(with_home_assistant(1));
  wait_for_update(rig, "m0", {{"installed_version", kA11}});
  const auto gateway = config_topic("dfota_t"), module = config_topic("dfota_t_m0");
  const auto told = rig.observer.on(gateway).size();
  rig.observer.publish(kPrefix + "/status", "offline");
  rig.observer.publish(kPrefix + "/status", "online");
  rig.wait_until([&](const std::vector<MqttMessage>& messages) { return count_on(messages, gateway) > told; },
                 "the gateway's device once more", 2 * kWatchdog);
  rig.wait_until([&](const std::vector<MqttMessage>& messages) { return count_on(messages, module) >= 2; },
                 "the module's device once more");
  CHECK(rig.observer.on(rig.topic("rsp/status")).empty());  // that was no command
  check_rules(rig);

  rig.observer.forget();
  rig.broker.restart();
  for (const auto& topic : {gateway, module, rig.topic("module/m0/update")}) {
    CAPTURE(topic);
    REQUIRE(rig.observer.wait_for_topic(topic));
    CHECK_FALSE(rig.retained(topic).empty());
  }

  // Not in the configuration any more.
  std::stringstream text;
  text << std::ifstream(rig.config_file()).rdbuf();
  const auto all = text.str();
  std::ofstream(rig.config_file()) << all.substr(0, all.find("[[module]]"));
  CHECK(rig.gateway().terminate() == 0);
  rig.start_gateway();
  CHECK(rig.request("forget", {{"module", "m0"}})["status"] == "ok");
  for (const auto& topic : {module, rig.topic("module/m0/update"), rig.topic("module/m0/state")}) {
    CAPTURE(topic);
    CHECK(rig.observer.wait_for_payload(topic, ""));
  }
}

TEST_CASE("modules that say hostile things of themselves: plain values, and nothing else; they are updated, too") {
  const std::string model = "UC20-{{7*7}}'+/#", from = "{{states('x')}}+/#'}", to = "{%raw%}\\u0022";
  Rig rig(with_home_assistant(2, {"m0:model=" + model, "m0:version=" + from, "m1:version=" + from}));
  wait_for_update(rig, "m0", {{"installed_version", from}, {"title", model + " firmware"}});
  wait_for_update(rig, "m1", {{"installed_version", from}});
  auto manifest = offer(rig, {"up.bin", from, to, {{"from", "2023-01-10"}, {"to", "2023-06-01"}}}, model);
  std::string notes;
  for (int i = 0; i < 200; ++i) notes += "\u20ac\"";
  manifest["notes"] = notes;
  REQUIRE(rig.request("artifact_add", manifest)["status"] == "ok");
  wait_for_update(rig, "m0", {{"latest_version", to}});
  const auto update = component(rig, "dfota_t_m0", "update");
  rig.observer.publish(update["command_topic"], update["payload_install"]);
  const std::string job = reply_to(rig, "install")["data"]["job"];
  CHECK(rig.finish(job)["state"] == "succeeded");
  wait_for_update(rig, "m0", {{"installed_version", to}, {"in_progress", false}});
  const auto device = Json::parse(rig.retained(config_topic("dfota_t_m0")))["device"];
  CHECK(device["model"] == model);
  check_rules(rig, {"7*7", "states(", "raw%", "\u20ac"});
  for (const auto& message : rig.observer.messages()) {
    for (const auto* word : {"7*7", "states", "raw"}) CHECK(message.topic.find(word) == std::string::npos);
  }
}

TEST_CASE("install: what it refuses, and what it leaves to other gateways") {
  auto options = with_home_assistant(1);
  options.absent = 1;
  options.settings.erase("home_assistant.enabled");
  Rig rig(options);
  add_way(rig);
  add(rig, {"down-11-10.bin", kA11, uc20("A10"), "2022-01-01"});
  wait_for_update(rig, "m0", {{"latest_version", kA14}});  // without Home Assistant, too
  const auto refusal = [&](const Json& command) {
    const auto error = rig.request("install", command)["error"];
    return error.value("code", "") + " " + error.value("pointer", "");
  };
  CHECK(refusal(Json::object()) == "invalid /module");
  CHECK(refusal({{"module", "a b"}}) == "invalid /module");
  CHECK(refusal({{"module", "m0"}, {"job", "x"}}) == "unknown_key /job");
  CHECK(refusal({{"module", "m9"}}) == "unknown_module /module");
  CHECK(refusal({{"module", "absent-0"}}) == "version_unknown /module");
  CHECK(refusal({{"module", "absent-0"}, {"target", kA14}}) == "version_unknown /module");
  CHECK(refusal({{"module", "m0"}, {"target", kA11}}) == "up_to_date /target");
  CHECK(refusal({{"module", "m0"}, {"target", uc20("A99")}}) == "unknown_target /target");
  CHECK(refusal({{"module", "m0"}, {"target", uc20("A10")}}) == "downgrade_refused /target");
  add(rig, {"elsewhere.bin", uc20("A20"), uc20("A21"), {{"from", "2025-01-01"}, {"to", "2025-02-01"}}});
  CHECK(refusal({{"module", "m0"}, {"target", uc20("A21")}}) == "no_way /target");
  CHECK(rig.request("list", Json::object())["data"]["jobs"].empty());

  rig.observer.publish(kRoot + "/all/cmd/install", R"({"module":"m9"})");
  rig.observer.publish(kRoot + "/all/cmd/install", Json({{"module", "m0"}, {"target", kA12}}).dump());
  const auto reply = reply_to(rig, "install");
  CHECK(reply["data"]["modules"] == Json({"m0"}));
  CHECK(rig.finish(reply["data"]["job"])["state"] == "succeeded");
  CHECK(rig.published(rig.topic("rsp/install")).size() == 1);
  CHECK(rig.request("artifact_remove", {{"name", "up-12-14.bin"}})["status"] == "ok");
  wait_for_update(rig, "m0", {{"installed_version", kA12}, {"latest_version", kA12}, {"in_progress", false}});
  CHECK(check_rules(rig).first == 0);

  // What was left there when it was enabled goes with the module.
  const auto left = config_topic("dfota_t_gone");
  const Json scan = {{"platform", "button"},
                     {"unique_id", "dfota_t_gone_scan"},
                     {"default_entity_id", "button.dfota_t_gone_scan"},
                     {"name", "Scan"}};
  const Json device = {{"device", {{"identifiers", {"dfota_t_gone"}}, {"name", "gone"}}},
                       {"origin", {{"name", "dfota-gateway"}, {"sw_version", "0.1.0"}}},
                       {"components", {{"scan", scan}}}};
  rig.observer.publish(left, device.dump(), true);
  CHECK(rig.request("forget", {{"module", "gone"}})["status"] == "ok");
  CHECK(rig.observer.wait_for_payload(left, ""));
}

TEST_CASE("a module's last error stands in its state, with its meaning, after a restart, too") {
  Rig rig(with_home_assistant(1, {"m0:httpend=711"}));
  rig.wait_for_newest(rig.topic("module/m0/state"), [](const Json& state) { return state["last_error"].is_null(); });
  rig.accept(rig.job("one"));
  CHECK(rig.finish("one")["state"] == "failed");
  const auto fits = [](const Json& state) {
    const auto& error = state["last_error"];
    return error.is_object() && error["code"] == 711 && error["class"] == "7xx" && error["job"] == "one";
  };
  rig.wait_for_newest(rig.topic("module/m0/state"), fits);
  const auto error = Json::parse(rig.retained(rig.topic("module/m0/state")))["last_error"];
  CHECK(error.size() == 8);
  CHECK(error["meaning"] == rig.errors("m0").at(0).second["meaning"]);
  CHECK(error["ts"] == rig.errors("m0").at(0).second["ts"]);
  rig.gateway().kill();
  rig.observer.forget();
  rig.start_gateway();
  rig.wait_for_newest(rig.topic("module/m0/state"), fits);
  CHECK(Json::parse(rig.retained(rig.topic("module/m0/state")))["last_error"] == error);
  CHECK(rig.request("list", Json::object())["data"]["modules"][0]["last_error"] == error);
}
