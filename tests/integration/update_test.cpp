// One job from MQTT to a whole rack: what is promised of an update that goes well, with every fault and client habit
// that a module may survive.
#include <doctest/doctest.h>

#include <set>

#include "tests/support/rig.hpp"

using namespace dfota::test;
using dfota::MqttMessage;
using Json = nlohmann::json;

namespace {

std::set<std::string> keys_of(const Json& object) {
  std::set<std::string> keys;
  for (const auto& [key, value] : object.items()) keys.insert(key);
  return keys;
}

const std::set<std::string> kResultKeys = {"ts",         "gateway",  "seq",   "job",     "run",      "module",
                                           "outcome",    "from",     "to",    "version", "attempts", "hops",
                                           "duration_s", "warnings", "error", "way"};
const std::set<std::string> kProgressKeys = {
    "ts",      "gateway",         "job",   "run",         "module",           "attempt", "phase",
    "percent", "overall_percent", "bytes", "total_bytes", "bytes_per_second", "eta_s",   "hop",
    "hops"};

/// `time` as RFC 3339 in UTC with milliseconds.
bool is_time(const std::string& time) {
  const std::string shape = "dddd-dd-ddTdd:dd:dd.dddZ";
  if (time.size() != shape.size()) return false;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] == 'd' ? (time[i] < '0' || time[i] > '9') : time[i] != shape[i]) return false;
  }
  return true;
}

void check_result(const Json& result, const std::string& module, const std::string& job) {
  CHECK(keys_of(result) == kResultKeys);
  CHECK(is_time(result["ts"]));
  CHECK(result["gateway"] == "t");
  CHECK(result["job"] == job);
  CHECK(result["run"] == 1);
  CHECK(result["module"] == module);
  CHECK(result["outcome"] == "succeeded");
  CHECK(result["from"] == kFrom);
  CHECK(result["to"] == kTo);
  CHECK(result["version"] == kTo);
  CHECK(result["attempts"] == 1);
  CHECK(result["hops"] == 1);
  CHECK(result["duration_s"].get<double>() > 0);
  CHECK(result["warnings"].is_array());
  CHECK(result["error"].is_null());
}

/// Of all that came on the module's progress topic, in order.
void check_progress(const std::vector<Json>& all, const std::string& module) {
  std::set<std::string> phases;
  int overall = 0;
  for (const auto& progress : all) {
    CAPTURE(progress.dump());
    CHECK(keys_of(progress) == kProgressKeys);
    CHECK(progress["module"] == module);
    CHECK(progress["attempt"] == 1);
    phases.insert(progress["phase"].get<std::string>());
    CHECK(progress["overall_percent"].get<int>() >= overall);
    overall = progress["overall_percent"];
    const auto& percent = progress["percent"];
    CHECK((percent.is_null() || (percent.get<int>() >= 0 && percent.get<int>() <= 100)));
    if (progress["phase"] == "downloading" && !progress["bytes"].is_null()) {
      CHECK(progress["bytes"].get<std::int64_t>() <= progress["total_bytes"].get<std::int64_t>());
    }
  }
  CHECK(phases.contains("downloading"));
  CHECK(phases.contains("updating"));
}

/// Nothing of progress behind the result, in the order in which the broker delivered.
void check_last_is_result(const std::vector<MqttMessage>& messages, const std::string& module) {
  bool ended = false;
  for (const auto& message : messages) {
    if (message.topic.ends_with("/module/" + module + "/result")) ended = true;
    if (message.topic.ends_with("/module/" + module + "/progress")) CHECK_FALSE(ended);
  }
  CHECK(ended);
}

void check_module(Rig& rig, const std::string& module, const std::string& job) {
  CAPTURE(module);
  const auto results = rig.results(module);
  REQUIRE(results.size() == 1);
  check_result(results[0], module, job);
  check_progress(rig.progress(module), module);
  check_last_is_result(rig.observer.messages(), module);
  CHECK(rig.errors(module).empty());
  CHECK(rig.rack.qfotadl(module) == 1);
  CHECK(rig.rack.version(module) == kTo);
  for (const auto& text : rig.rack.written_while_flashing(module)) CHECK(text == "AT\r");  // law 3
}

void update_all(Rig& rig, int modules) {
  Process pub({"mosquitto_pub", "-p", std::to_string(rig.broker.port()), "-q", "1", "-t", rig.topic("cmd/update"), "-m",
               rig.job("night").dump()});
  REQUIRE(pub.wait() == 0);
  const auto last = rig.finish("night");
  CHECK(last["state"] == "succeeded");
  CHECK(last["counts"]["succeeded"] == modules);
  CHECK(last["modules"].size() == static_cast<std::size_t>(modules));
  rig.rack.stop();

  std::set<std::uint64_t> seqs = {last["seq"].get<std::uint64_t>()};
  for (int i = 0; i < modules; ++i) {
    check_module(rig, Rig::m(i), "night");
    CHECK(last["modules"][Rig::m(i)] == "succeeded");
    seqs.insert(rig.result(Rig::m(i))["seq"].get<std::uint64_t>());
  }
  CHECK(seqs.size() == static_cast<std::size_t>(modules) + 1);
  CHECK(*seqs.rbegin() == last["seq"]);
  CHECK(rig.origin.requests(kDelta) == 1);
  CHECK(Json::parse(rig.retained(rig.topic("job/night/state"))) == last);
  const auto replies = rig.published(rig.topic("rsp/update"));
  REQUIRE(replies.size() == 1);
  CHECK(replies[0]["status"] == "ok");
}

}  // namespace

TEST_CASE("a rack of 8, each with another client habit, updated by one job of mosquitto_pub") {
  RigOptions options;
  options.rack.modules = 8;
  options.rack.faults = {"m0:client=barelf", "m1:client=chunks", "m2:client=range0", "m3:client=head",
                         "m4:client=slow",   "m5:client=http10", "m6:client=resume", "m7:client=chunks-keep:5000"};
  Rig rig(options);
  update_all(rig, 8);
}

TEST_CASE("a rack of 8, each with another fault that a module survives, updated by one job of mosquitto_pub") {
  RigOptions options;
  options.rack.modules = 8;
  options.rack.faults = {"m0:garbage-boot,split-writes",   "m1:lost-start,percent-back",
                         "m2:lost-end,client=barelf",      "m3:uart,end-twice",
                         "m4:echo-always,client=chunks",   "m5:client=slow:60000,hangup-download=40",
                         "m6:urc-in-answer,client=resume", "m7:boot-noise,echo=crcrlf,client=http10"};
  Rig rig(options);
  update_all(rig, 8);
}

TEST_CASE("all UPDATING lost, all of START, UPDATING and END lost: the version decides") {
  RigOptions options;
  options.rack.modules = 2;
  options.rack.faults = {"m0:lost-updating", "m1:lost-start,lost-updating,lost-end"};
  Rig rig(options);
  rig.accept(rig.job("mute"));
  CHECK(rig.finish("mute")["state"] == "succeeded");
  rig.rack.stop();
  for (int i = 0; i < 2; ++i) {
    CHECK(rig.rack.qfotadl(Rig::m(i)) == 1);
    for (const auto& text : rig.rack.written_while_flashing(Rig::m(i))) CHECK(text == "AT\r");
  }
  CHECK(rig.result("m1")["warnings"] == Json::array({"end_not_seen"}));
}

TEST_CASE("a module on the target already is skipped, and the delta of a second job comes from the cache") {
  RigOptions options;
  options.rack.modules = 2;
  options.rack.faults = {"m0:version=" + kTo};
  Rig rig(options);
  rig.accept(rig.job("first"));
  const auto last = rig.finish("first");
  CHECK(last["state"] == "succeeded");
  CHECK(last["modules"] == Json{{"m0", "skipped"}, {"m1", "succeeded"}});
  rig.accept(rig.job("second"));
  CHECK(rig.finish("second")["modules"] == Json{{"m0", "skipped"}, {"m1", "skipped"}});
  CHECK(rig.origin.requests(kDelta) == 1);
  const auto skipped = rig.result("m0");
  CHECK(skipped["outcome"] == "skipped");
  CHECK(skipped["attempts"] == 0);
  CHECK(skipped["version"] == kTo);
  CHECK(skipped["error"].is_null());
  rig.rack.stop();
  CHECK(rig.rack.qfotadl("m0") == 0);
  CHECK(rig.rack.qfotadl("m1") == 1);
}

TEST_CASE("limits hold: of 6 modules at most 2 download and at most 3 update at once") {
  RigOptions options;
  options.rack.modules = 6;
  options.rack.faults = {"all:client=slow:100000"};
  options.settings = {{"limits.downloads", "2"}, {"limits.updates", "3"}};
  Rig rig(options);
  rig.accept(rig.job("few"));
  CHECK(rig.finish("few")["state"] == "succeeded");
  rig.rack.stop();
  std::set<std::string> downloading, updating;
  for (const auto& event : rig.rack.events()) {
    const auto module = event.value("module", "");
    if (event["event"] == "qfotadl") {
      downloading.insert(module);
      updating.insert(module);
    }
    if (event["event"] == "download_done") downloading.erase(module);
    if (event["event"] == "flashing_end") updating.erase(module);
    CHECK(downloading.size() <= 2);
    CHECK(updating.size() <= 3);
  }
}
