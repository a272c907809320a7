#include "tests/support/scripted_gateway.hpp"

#include <stdexcept>

namespace dfota::test {

const std::string ScriptedGateway::kBase = "dfota/v1/rack-1";
const std::string ScriptedGateway::kAll = "dfota/v1/all";

void ScriptedGateway::say(const std::string& below, const Json& payload, bool retained, int qos) {
  MqttPublication publication;
  publication.topic = base_ + "/" + below;
  publication.payload = payload.is_string() ? payload.get<std::string>() : payload.dump();
  publication.retained = retained;
  publication.qos = qos;
  mqtt_.publish(std::move(publication));
}

MqttMessage ScriptedGateway::command_on(const std::string& topic) {
  const std::size_t wanted = heard_[topic]++;
  const bool came = mqtt_.wait_for([&](const std::vector<MqttMessage>& messages) {
    std::size_t count = 0;
    for (const auto& message : messages) count += message.topic == topic ? 1 : 0;
    return count > wanted;
  });
  if (!came) throw std::runtime_error("no command came on " + topic);
  return mqtt_.on(topic).at(wanted);
}

nlohmann::json ScriptedGateway::body(const MqttMessage& command) {
  auto body = Json::parse(command.payload);
  body.erase("transaction");
  return body;
}

void ScriptedGateway::answer(const MqttMessage& command, Json payload) {
  if (payload.is_object()) payload["gateway"] = id_;
  MqttPublication reply;
  reply.topic = command.response_topic.value();
  reply.correlation_data = command.correlation_data;
  reply.payload = payload.dump();
  mqtt_.publish(std::move(reply));
}

void ScriptedGateway::answer_ok(const MqttMessage& command, const Json& data, const Json& warnings) {
  answer(command, {{"status", "ok"}, {"data", data}, {"warnings", warnings}});
}

void ScriptedGateway::state(const std::string& job, const std::string& word, const Json& modules, int run) {
  Json payload = {{"job", job}, {"run", run}, {"state", word}, {"counts", Json::object()}};
  if (!modules.is_null()) payload["modules"] = modules;
  say("job/" + job + "/state", payload, true);
}

void ScriptedGateway::progress(const std::string& job, const std::string& module, const std::string& phase,
                               int percent) {
  say("module/" + module + "/progress",
      {{"job", job}, {"run", 1}, {"attempt", 1}, {"phase", phase}, {"percent", percent}, {"overall_percent", percent}},
      false, 0);
}

void ScriptedGateway::result(const std::string& job, const std::string& module, const std::string& outcome, int seq,
                             int run) {
  say("module/" + module + "/result", {{"seq", seq},
                                       {"job", job},
                                       {"run", run},
                                       {"outcome", outcome},
                                       {"from", "A"},
                                       {"to", "B"},
                                       {"version", "B"},
                                       {"attempts", 1}});
}

std::vector<std::string> dfota_call(const Broker& broker, const std::vector<std::string>& more,
                                    const std::string& gateway) {
  std::vector<std::string> argv = {
      DFOTA_BINARY_DIR "/dfota", "--broker", broker.uri(), "--gateway", gateway, "--timeout", "60"};
  argv.insert(argv.end(), more.begin(), more.end());
  return argv;
}

}  // namespace dfota::test
