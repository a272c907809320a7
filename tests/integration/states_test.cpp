// What stands retained at the broker for those who come later: the gateway's status and info, each module's status and
// state.
#include <doctest/doctest.h>

#include <set>

#include "tests/support/rig.hpp"

using namespace dfota::test;
using Json = nlohmann::json;

namespace {

std::set<std::string> keys_of(const Json& object) {
  std::set<std::string> keys;
  for (const auto& [key, value] : object.items()) keys.insert(key);
  return keys;
}

void wait_for_payload(Rig& rig, const std::string& topic, const std::string& payload) {
  CAPTURE(topic);
  REQUIRE(rig.observer.wait_for_payload(rig.topic(topic), payload));
}

}  // namespace

TEST_CASE("R/status: online, offline by the will of a killed gateway and by the word of a stopped one") {
  RigOptions options;
  Rig rig(options);
  wait_for_payload(rig, "status", "online");
  CHECK(rig.retained(rig.topic("status")) == "online");
  rig.gateway().kill();
  wait_for_payload(rig, "status", "offline");
  CHECK(rig.retained(rig.topic("status")) == "offline");
  rig.start_gateway();
  rig.observer.forget();
  CHECK(rig.gateway().terminate() == 0);
  wait_for_payload(rig, "status", "offline");
  CHECK(rig.retained(rig.topic("status")) == "offline");
}

TEST_CASE("R/status: it contradicts an offline that somebody else has said") {
  Rig rig(RigOptions{});
  wait_for_payload(rig, "status", "online");
  rig.observer.forget();
  rig.observer.publish(rig.topic("status"), "offline", true);
  wait_for_payload(rig, "status", "online");
}

TEST_CASE("R/info: what the gateway is, and no problem") {
  Rig rig(RigOptions{});
  const auto info = Json::parse(rig.retained(rig.topic("info")));
  CHECK(info["gateway"] == "t");
  CHECK(info["http"] == "http://127.0.0.1:" + std::to_string(rig.http_port()));
  CHECK(info["modules"] == 1);
  CHECK(info["problems"] == Json::array());
  for (const auto* key : {"ts", "version", "started_at", "zone"}) {
    CAPTURE(key);
    CHECK(info[key].is_string());
  }
}

TEST_CASE("each module's status and state, before, in and after an update") {
  RigOptions options;
  options.rack.modules = 2;
  options.rack.faults = {"m1:absent"};
  options.settings = {{"timeouts.absent", "1"}};
  Rig rig(options);
  wait_for_payload(rig, "module/m0/status", "online");
  wait_for_payload(rig, "module/m1/status", "offline");
  CHECK(rig.retained(rig.topic("module/m0/status")) == "online");
  rig.wait_for_newest(rig.topic("module/m0/state"), [](const Json& now) { return !now["registered"].is_null(); });
  auto state = Json::parse(rig.retained(rig.topic("module/m0/state")));
  for (const auto* key : {"ts", "gateway", "module", "port", "imei", "model", "profile", "version", "phase", "job",
                          "tags", "registered", "signal_dbm", "last_result"}) {
    CAPTURE(key);
    CHECK(keys_of(state).contains(key));
  }
  CHECK(state["module"] == "m0");
  CHECK(state["port"] == rig.rack.port(0));
  CHECK(state["model"] == "UC20");
  CHECK(state["version"] == kFrom);
  CHECK(state["phase"] == "idle");
  CHECK(state["job"].is_null());
  CHECK(state["last_result"].is_null());
  CHECK(state["registered"] == true);
  CHECK(state["signal_dbm"] == -71);
  CHECK(Json::parse(rig.retained(rig.topic("module/m1/state")))["problem"] == "absent");

  rig.observer.forget();
  rig.accept(rig.job("one", {"m0"}));
  CHECK(rig.finish("one")["state"] == "succeeded");
  rig.wait_for_newest(rig.topic("module/m0/state"),
                      [](const Json& now) { return now["phase"] == "idle" && now["last_result"] == "succeeded"; });
  std::set<std::string> phases;
  for (const auto& one : rig.published(rig.topic("module/m0/state"))) {
    phases.insert(one["phase"].get<std::string>());
    CHECK((one["phase"] == "idle" || one["job"] == "one"));
  }
  for (const auto* phase : {"downloading", "updating", "idle"}) CHECK(phases.contains(phase));
  state = Json::parse(rig.retained(rig.topic("module/m0/state")));
  CHECK(state["version"] == kTo);
  CHECK(state["phase"] == "idle");
}
