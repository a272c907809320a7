// Commands that are wrong are answered with code, message and JSON pointer, and nothing else happens. Commands that are
// right are answered as the contract has it.
#include <doctest/doctest.h>

#include <algorithm>

#include "tests/support/rig.hpp"

using namespace dfota::test;
using dfota::MqttMessage;
using dfota::MqttPublication;
using Json = nlohmann::json;

namespace {

void check_refused(const Json& reply, const std::string& code, const std::string& pointer) {
  CAPTURE(reply.dump());
  CHECK(reply["status"] == "error");
  CHECK(reply["gateway"] == "t");
  CHECK(reply["error"]["code"] == code);
  CHECK(reply["error"]["pointer"] == pointer);
  CHECK_FALSE(reply["error"]["message"].get<std::string>().empty());
}

int count_topics(Rig& rig, const std::string& part) {
  int count = 0;
  for (const auto& message : rig.observer.messages()) count += message.topic.find(part) != std::string::npos;
  return count;
}

/// No job, no result, no word to a module about an update; one reply for each of the requests.
void check_nothing_happened(Rig& rig, int requests) {
  check_refused(rig.request("nonsense", Json::object()), "unknown_verb", "");  // all before it has been handled
  CHECK(count_topics(rig, "/job/") == 0);
  CHECK(count_topics(rig, "/result") == 0);
  CHECK(count_topics(rig, "/client/test/") + count_topics(rig, "/rsp/") == requests + 1);
  CHECK(rig.origin.requests(kDelta) == 0);
  rig.rack.stop();
  CHECK(rig.rack.qfotadl("m0") == 0);
}

/// The valid job with one thing changed.
Json with(Json job, const std::string& pointer, const Json& value) {
  job[Json::json_pointer(pointer)] = value;
  return job;
}
Json without(Json job, const std::string& key) {
  job.erase(key);
  return job;
}

MqttObserver& publish_plain(Rig& rig, const std::string& topic, const Json& body, bool retained = false) {
  rig.observer.publish(topic, body.dump(), retained);
  return rig.observer;
}

}  // namespace

TEST_CASE("what is no JSON document that may be read") {
  Rig rig(rack_of(1));
  const auto topic = rig.topic("cmd/update");
  const std::string deep = "{\"modules\":" + std::string(16, '[') + std::string(16, ']') + "}";
  check_refused(rig.request_text(topic, ""), "not_json", "");
  check_refused(rig.request_text(topic, "update, please"), "not_json", "");
  check_refused(rig.request_text(topic, "{\"job\":\"x\",\"modules\":[\"m0\","), "not_json", "/modules/1");
  check_refused(rig.request_text(topic, rig.job("x").dump() + "{}"), "not_json", "");
  check_refused(rig.request_text(topic, "{\"job\":\"\xc3\x28\"}"), "not_utf8", "");
  check_refused(rig.request_text(topic, "{\"job\":\"" + std::string(65536, 'x') + "\"}"), "too_large", "");
  const auto reply = rig.request_text(topic, deep);
  check_refused(reply, "too_deep", reply["error"]["pointer"]);
  CHECK(reply["error"]["pointer"].get<std::string>().starts_with("/modules/0"));
  check_refused(rig.request_text(topic, "{\"job\":\"a\",\"job\":\"b\"}"), "duplicate_key", "/job");
  check_refused(rig.request_text(topic, "{\"artifact\":{\"url\":\"a\",\"url\":\"b\"}}"), "duplicate_key",
                "/artifact/url");
  check_refused(rig.request_text(topic, "[]"), "invalid", "");
  check_refused(rig.request_text(topic, "null"), "invalid", "");
  check_nothing_happened(rig, 11);
}

TEST_CASE("what is wrong in the command itself, with a pointer to it") {
  Rig rig(rack_of(1));
  const auto job = rig.job("x");
  struct Case {
    Json body;
    const char *code, *pointer;
  };
  const Case cases[] = {
      {with(job, "/colour", "red"), "unknown_key", "/colour"},
      {with(job, "/a~1b~0", 1), "unknown_key", "/a~1b~0"},
      {with(job, "/artifact/md5", "0"), "unknown_key", "/artifact/md5"},
      {with(job, "/job", "a/b"), "invalid", "/job"},
      {with(job, "/job", std::string(65, 'x')), "invalid", "/job"},
      {with(job, "/job", ""), "invalid", "/job"},
      {with(job, "/modules", {"m0", "m/1"}), "invalid", "/modules/1"},
      {with(job, "/modules", {"m0", "+"}), "invalid", "/modules/1"},
      {with(job, "/modules", {"m0", "m0"}), "invalid", "/modules/1"},
      {with(job, "/modules", {"m0", "m7"}), "unknown_module", "/modules/1"},
      {with(job, "/modules", Json::array()), "invalid", "/modules"},
      {with(job, "/modules", "some"), "invalid", "/modules"},
      {with(job, "/modules", {{"tag", "nobody"}}), "no_module", "/modules"},
      {with(job, "/modules", {{"colour", "red"}}), "unknown_key", "/modules/colour"},
      {without(job, "modules"), "invalid", "/modules"},
      {without(job, "artifact"), "invalid", "/artifact"},
      {without(job, "from"), "invalid", "/from"},
      {without(job, "to"), "invalid", "/to"},
      {with(job, "/to", kFrom), "invalid", "/to"},
      {with(job, "/from", "caf\u00e9"), "invalid", "/from"},
      {with(job, "/artifact/url", "ftp://127.0.0.1/delta.bin"), "invalid", "/artifact/url"},
      {with(job, "/artifact/sha256", "abc"), "invalid", "/artifact/sha256"},
      {with(job, "/artifact/size", -1), "invalid", "/artifact/size"},
      {with(job, "/attempts", 0), "invalid", "/attempts"},
      {with(job, "/attempts", "3"), "invalid", "/attempts"},
      {with(job, "/attempts", 1.5), "invalid", "/attempts"},
      {with(job, "/delivery", "pigeon"), "invalid", "/delivery"},
      {with(job, "/transaction", std::string(129, 'x')), "invalid", "/transaction"},
      {with(job, "/transaction", 7), "invalid", "/transaction"},
  };
  for (const auto& one : cases) {
    CAPTURE(one.body.dump());
    check_refused(rig.request("update", one.body), one.code, one.pointer);
  }
  check_nothing_happened(rig, static_cast<int>(std::size(cases)));
}

TEST_CASE("what is not configured, and a verb that there is not, are refused by their names") {
  Rig rig(rack_of(1));
  const auto job = rig.job("x");
  check_refused(rig.request("update", with(job, "/delivery", "ftp")), "ftp_not_configured", "/delivery");
  check_refused(rig.request("UPDATE", job), "unknown_verb", "");
  check_nothing_happened(rig, 2);
}

TEST_CASE("a response topic that is not allowed: refused on the default topic, with the correlation data") {
  auto options = rack_of(1);
  options.settings = {{"mqtt.response_topics", "[\"backend/+/replies/#\", \"ha/#\"]"},
                      {"home_assistant.prefix", "\"ha\""}};
  Rig rig(options);
  const std::string forbidden[] = {rig.topic("cmd/update"), "dfota/v1/all/cmd/update", "dfota/v1/other/cmd/update",
                                   "ha/update/x/config",    "somewhere/else",          rig.topic("module/m0/state"),
                                   rig.topic("status"),     "backend/a/commands/x"};
  std::size_t count = 0;
  for (const auto& response_topic : forbidden) {
    CAPTURE(response_topic);
    MqttPublication publication;
    publication.topic = rig.topic("cmd/update");
    publication.payload = with(rig.job("x"), "/transaction", "t" + std::to_string(++count)).dump();
    publication.response_topic = response_topic;
    publication.correlation_data = "c" + std::to_string(count);
    rig.observer.publish(publication);
    const auto enough = [&](const std::vector<MqttMessage>& all) {
      return static_cast<std::size_t>(std::count_if(all.begin(), all.end(), [&](const MqttMessage& message) {
               return message.topic == rig.topic("rsp/update");
             })) == count;
    };
    rig.wait_until(enough, "the refusal");
    const auto last = rig.observer.on(rig.topic("rsp/update")).back();
    check_refused(Json::parse(last.payload), "forbidden_response_topic", "");
    CHECK(Json::parse(last.payload)["transaction"] == "t" + std::to_string(count));
    CHECK(last.correlation_data == "c" + std::to_string(count));
  }
  MqttPublication allowed;
  allowed.topic = rig.topic("cmd/nonsense");
  allowed.payload = "{}";
  allowed.response_topic = "backend/a/replies/7";
  rig.observer.publish(allowed);
  CHECK(rig.observer.wait_for_topic("backend/a/replies/7"));
  check_nothing_happened(rig, static_cast<int>(count));
}

TEST_CASE("a retained command is refused, and does not come again with the next start") {
  Rig rig(rack_of(1));
  publish_plain(rig, rig.topic("cmd/update"), rig.job("kept"), true);
  const auto reply = rig.observer.wait_for_topic(rig.topic("rsp/update"));
  REQUIRE(reply);
  check_refused(Json::parse(reply->payload), "retained", "");
  CHECK(rig.gateway().terminate() == 0);
  rig.start_gateway();
  check_nothing_happened(rig, 1);
}

TEST_CASE("over MQTT 3.1.1: replies on R/rsp, transactions, and a retained command never runs twice") {
  auto options = rack_of(1);
  options.settings = {{"mqtt.version", "3"}};
  options.start = false;
  Rig rig(options);
  const auto replies = [&] { return rig.published(rig.topic("rsp/update")); };
  const auto wait_for_replies = [&](std::size_t count) {
    rig.wait_until(
        [&](const std::vector<MqttMessage>& all) {
          return static_cast<std::size_t>(std::count_if(all.begin(), all.end(), [&](const MqttMessage& message) {
                   return message.topic == rig.topic("rsp/update");
                 })) >= count;
        },
        "a reply");
  };
  publish_plain(rig, rig.topic("cmd/update"), with(rig.job("old"), "/transaction", "one"), true);
  rig.start_gateway();
  wait_for_replies(1);
  check_refused(replies()[0], "retained", "");
  CHECK(replies()[0]["transaction"] == "one");

  publish_plain(rig, rig.topic("cmd/update"), with(rig.job("new"), "/transaction", "two"), true);
  wait_for_replies(2);
  CHECK(replies()[1]["status"] == "ok");
  CHECK(replies()[1]["transaction"] == "two");
  CHECK(rig.finish("new")["state"] == "succeeded");
  CHECK(rig.gateway().terminate() == 0);
  rig.start_gateway();
  wait_for_replies(3);
  check_refused(replies()[2], "retained", "");
  check_refused(
      [&] {
        publish_plain(rig, rig.topic("cmd/update"), Json{{"transaction", "three"}});
        wait_for_replies(4);
        return replies()[3];
      }(),
      "invalid", "/modules");
  rig.rack.stop();
  CHECK(rig.rack.qfotadl("m0") == 1);
}

TEST_CASE("a job's id: the same command again is told its state, another body is a conflict") {
  Rig rig(rack_of(1));
  const auto job = with(rig.job("once"), "/transaction", "first");
  const auto accepted = rig.request("update", job);
  CHECK(accepted["status"] == "ok");
  CHECK(accepted["transaction"] == "first");
  CHECK(accepted["data"]["job"] == "once");
  CHECK(accepted["data"]["run"] == 1);
  CHECK(accepted["data"]["state"] == "queued");
  CHECK(accepted["data"]["modules"] == Json::array({"m0"}));
  CHECK(accepted["warnings"] == Json::array());
  const auto again = rig.request("update", with(job, "/transaction", "second"));
  CHECK(again["status"] == "ok");
  CHECK(again["transaction"] == "second");
  check_refused(rig.request("update", with(job, "/attempts", 2)), "job_conflict", "/job");
  CHECK(rig.finish("once")["state"] == "succeeded");
  const auto after = rig.request("update", job);
  CHECK(after["status"] == "ok");
  CHECK(after["data"]["state"] == "succeeded");
  CHECK(rig.gateway().terminate() == 0);
  rig.start_gateway();
  CHECK(rig.request("update", job)["data"]["state"] == "succeeded");
  check_refused(rig.request("update", with(job, "/attempts", 2)), "job_conflict", "/job");
  CHECK(rig.results("m0").size() == 1);
  rig.rack.stop();
  CHECK(rig.rack.qfotadl("m0") == 1);
}

TEST_CASE("at QoS 0 a command is taken with a warning; without an id it is given one") {
  Rig rig(rack_of(1));
  MqttPublication publication;
  publication.topic = rig.topic("cmd/update");
  publication.payload = without(rig.job(""), "job").dump();
  publication.qos = 0;
  rig.observer.publish(publication);
  const auto message = rig.observer.wait_for_topic(rig.topic("rsp/update"));
  REQUIRE(message);
  const auto reply = Json::parse(message->payload);
  CHECK(reply["status"] == "ok");
  REQUIRE(reply["warnings"].size() == 1);
  CHECK(reply["warnings"][0].get<std::string>().starts_with("qos_0"));
  CHECK(rig.finish(reply["data"]["job"])["state"] == "succeeded");
}

TEST_CASE("a command to all gateways: each takes its own modules, and says nothing where none is") {
  Rig rig(rack_of(2));
  const std::string all = "dfota/v1/all/cmd/update";
  publish_plain(rig, all, rig.job("foreign", {"x1", "x2"}));
  check_refused(rig.request("nonsense", Json::object()), "unknown_verb", "");
  CHECK(rig.published(rig.topic("rsp/update")).empty());
  CHECK(count_topics(rig, "/job/") == 0);
  const auto reply = rig.request_text(all, rig.job("mixed", {"x1", "m1", "x2"}).dump());
  CHECK(reply["status"] == "ok");
  CHECK(reply["data"]["modules"] == Json::array({"m1"}));
  CHECK(rig.finish("mixed")["modules"] == Json{{"m1", "succeeded"}});
  rig.rack.stop();
  CHECK(rig.rack.qfotadl("m0") == 0);
  CHECK(rig.rack.qfotadl("m1") == 1);
}

TEST_CASE("modules chosen by what they are") {
  auto options = rack_of(3);
  options.rack.faults = {"m1:version=UC20GQBR03A10E1G"};
  Rig rig(options);
  for (int i = 0; i < 3; ++i) {
    REQUIRE(rig.observer.wait_for_payload(rig.topic("module/" + Rig::m(i) + "/status"), "online"));
  }
  const auto reply = rig.request("update", rig.job("chosen", {{"model", "UC20"}, {"version", kFrom}}));
  CHECK(reply["data"]["modules"] == Json::array({"m0", "m2"}));
  CHECK(rig.finish("chosen")["state"] == "succeeded");
}
