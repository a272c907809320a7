// What MQTT 5 adds to the API: properties on everything published, and commands that expire.
#include <doctest/doctest.h>

#include <algorithm>

#include "gateway/command_message.hpp"
#include "tests/support/rig.hpp"

using namespace dfota::test;
using namespace std::chrono_literals;
using dfota::MqttMessage;
using dfota::MqttPublication;
using Json = Rig::Json;

namespace {

MqttPublication command(const Rig& rig, const std::string& verb, const Json& body) {
  MqttPublication publication;
  publication.topic = rig.topic("cmd/" + verb);
  publication.payload = body.dump();
  return publication;
}

bool has_schema(const MqttMessage& message) {
  const std::pair<std::string, std::string> wanted = {dfota::kSchemaProperty, dfota::kApiVersion};
  const auto& all = message.user_properties;
  return std::find(all.begin(), all.end(), wanted) != all.end();
}

/// Whether the broker still has it: a retained message goes when it expires.
bool is_kept(const Rig& rig, const std::string& topic) {
  MqttObserver late(rig.broker.uri(), {topic});
  return !late.messages().empty();
}

}  // namespace

TEST_CASE("all that is published says what it is, and by which version of the API") {
  Rig rig(rack_of(2, {"m1:httpend=716"}));
  rig.accept(rig.job("j"));
  rig.finish("j");
  rig.request("list", Json::object());
  std::size_t seen = 0;
  for (const auto& message : rig.observer.messages()) {
    if (message.topic.find("/cmd/") != std::string::npos || message.payload.empty()) continue;
    CAPTURE(message.topic);
    ++seen;
    CHECK(has_schema(message));
    const bool json = message.payload.starts_with('{');
    CHECK(message.content_type == (json ? "application/json" : "text/plain"));
    const bool passing = message.topic.ends_with("/progress") || message.topic.find("/client/") != std::string::npos;
    CHECK(message.expires.has_value() == passing);
  }
  CHECK(seen > 20);
}

TEST_CASE("a command that expired while the gateway was away never runs") {
  Rig rig(rack_of(1));
  REQUIRE(rig.gateway().terminate() == 0);
  auto stale = command(rig, "update", rig.job("stale"));
  stale.message_expiry = 1s;
  rig.observer.publish(stale);
  auto fresh = command(rig, "update", rig.job("fresh"));
  fresh.message_expiry = 1h;
  rig.observer.publish(fresh);
  // Sent later and kept as long: when the broker has given this one up, the command is gone, too.
  MqttPublication probe;
  probe.topic = "probe";
  probe.payload = "x";
  probe.retained = true;
  probe.message_expiry = 1s;
  rig.observer.publish(probe);
  while (is_kept(rig, "probe")) continue;
  rig.start_gateway();
  rig.finish("fresh");
  const auto jobs = rig.request("list", Json::object())["data"]["jobs"];
  REQUIRE(jobs.size() == 1);
  CHECK(jobs[0]["job"] == "fresh");
}

TEST_CASE("a command for another major version of the API is refused") {
  Rig rig(rack_of(1));
  const auto ask = [&](const std::string& version) {
    const auto response_topic = "dfota/v1/client/" + version;
    const Process pub({"mosquitto_pub",
                       "-V",
                       "5",
                       "-p",
                       std::to_string(rig.broker.port()),
                       "-q",
                       "1",
                       "-t",
                       rig.topic("cmd/list"),
                       "-m",
                       "{}",
                       "-D",
                       "publish",
                       "response-topic",
                       response_topic,
                       "-D",
                       "publish",
                       "user-property",
                       dfota::kSchemaProperty,
                       version});
    const auto reply = rig.observer.wait_for_topic(response_topic);
    REQUIRE(reply);
    return Json::parse(reply->payload);
  };
  CHECK(ask("1.4.0")["status"] == "ok");
  CHECK(ask("2.0.0")["error"]["code"] == "unsupported");
}
