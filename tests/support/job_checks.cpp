#include "tests/support/job_checks.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>

namespace dfota::test {

using Json = nlohmann::json;

void check_succeeded(Rig& rig, const std::string& job, int modules, int commands) {
  const auto last = rig.finish(job);
  CHECK(last["state"] == "succeeded");
  rig.rack.stop();
  for (int i = 0; i < modules; ++i) {
    const auto module = Rig::m(i);
    CAPTURE(module);
    const auto results = rig.results(module);
    for (const auto& result : results) CHECK(result == results.front());
    CHECK(results.front()["outcome"] == "succeeded");
    CHECK(results.front()["version"] == kTo);
    CHECK(rig.errors(module).empty());
    CHECK(rig.rack.qfotadl(module) == commands);
    CHECK(rig.rack.version(module) == kTo);
    for (const auto& text : rig.rack.written_while_flashing(module)) CHECK(text == "AT\r");
  }
  check_order(rig, job);
}

void check_order(Rig& rig, const std::string& job) {
  std::map<std::uint64_t, std::string> seen;
  std::uint64_t last = 0;
  for (const auto& message : rig.observer.messages()) {
    const auto body = Json::parse(message.payload, nullptr, false);
    if (!body.is_object() || !body.contains("seq") || body.value("job", "") != job) continue;
    const auto seq = body["seq"].get<std::uint64_t>();
    CAPTURE(message.topic);
    CHECK(seq >= last);
    last = seq;
    const auto what = message.topic + " " + message.payload;
    CHECK(seen.emplace(seq, what).first->second == what);
  }
}

void check_retained(Rig& rig, const std::string& job, int modules) {
  MqttObserver late(rig.broker.uri(), {rig.topic("#")});
  const auto retained = [&](const std::string& topic) {
    CAPTURE(topic);
    const auto message = late.wait_for_topic(rig.topic(topic));
    REQUIRE(message);
    CHECK(message->retained);
    return message->payload;
  };
  CHECK(retained("status") == "online");
  CHECK(Json::parse(retained("info"))["modules"] == modules);
  CHECK(Json::parse(retained("job/" + job + "/state"))["state"] == "succeeded");
  for (int i = 0; i < modules; ++i) {
    const auto module = "module/" + Rig::m(i);
    CHECK_FALSE(retained(module + "/status").empty());
    CHECK(Json::parse(retained(module + "/state"))["last_result"] == "succeeded");
  }
}

void wait_for_progress(Rig& rig, const std::string& module, const std::string& phase) {
  const auto topic = rig.topic("module/" + module + "/progress");
  rig.wait_until(
      [&](const std::vector<dfota::MqttMessage>& messages) {
        return std::any_of(messages.rbegin(), messages.rend(), [&](const dfota::MqttMessage& message) {
          return message.topic == topic && Json::parse(message.payload)["phase"] == phase;
        });
      },
      module + " to be " + phase);
}

void wait_until_flashed(Rig& rig, int modules) {
  for (int i = 0; i < modules; ++i) REQUIRE(rig.rack.wait_for(Rig::m(i), "flashing_end"));
}

}  // namespace dfota::test
