// The gateway's side of its API, played by a test: hears commands, answers and publishes what it is told to. Also how a
// test calls dfota for it.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/support/broker.hpp"
#include "tests/support/mqtt_observer.hpp"

namespace dfota::test {

class ScriptedGateway {
 public:
  using Json = nlohmann::json;
  static const std::string kBase;  ///< topic root and id, where nothing else is said
  static const std::string kAll;   ///< of commands to all gateways

  explicit ScriptedGateway(const Broker& broker, const std::string& id = "rack-1")
      : id_(id),
        base_("dfota/v1/" + id),
        mqtt_(broker.uri(), {base_ + "/cmd/#", kAll + "/cmd/#"}, 5, GatewayIs::played) {}

  /// JSON, or a string as it is.
  void say(const std::string& below, const Json& payload, bool retained = false, int qos = 1);
  void online() { say("status", "online", true); }

  /// The next command of that verb, in the order in which they came. Throws when there is none.
  MqttMessage command(const std::string& verb = "update") { return command_on(base_ + "/cmd/" + verb); }
  MqttMessage command_to_all(const std::string& verb) { return command_on(kAll + "/cmd/" + verb); }
  /// What it says, without the transaction.
  static Json body(const MqttMessage& command);

  /// The payload names the gateway, as every one does.
  void answer(const MqttMessage& command, Json payload);
  void answer_ok(const MqttMessage& command, const Json& data, const Json& warnings = Json::array());

  void state(const std::string& job, const std::string& word, const Json& modules = nullptr, int run = 1);
  void progress(const std::string& job, const std::string& module, const std::string& phase, int percent);
  void result(const std::string& job, const std::string& module, const std::string& outcome, int seq, int run = 1);

 private:
  MqttMessage command_on(const std::string& topic);

  const std::string id_, base_;
  MqttObserver mqtt_;
  std::map<std::string, std::size_t> heard_;  ///< on each topic
};

/// The command line of dfota for that gateway.
std::vector<std::string> dfota_call(const Broker& broker, const std::vector<std::string>& more,
                                    const std::string& gateway = "rack-1");

}  // namespace dfota::test
