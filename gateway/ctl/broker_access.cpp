#include "gateway/ctl/broker_access.hpp"

#include <cstdio>
#include <random>

#include "gateway/ctl/fleet.hpp"
#include "gateway/ctl/messages.hpp"

namespace dfota::ctl {

std::string new_client_id() {
  std::random_device device;
  char text[17];
  std::snprintf(text, sizeof text, "%08x%08x", static_cast<unsigned>(device()), static_cast<unsigned>(device()));
  return std::string("dfota-ctl-") + text;
}

std::string response_topic_of(const Options& options, const std::string& client_id) {
  return options.root + "/client/" + client_id + "/rsp";
}

MqttOptions broker_access(const Options& options, const std::string& client_id) {
  MqttOptions mqtt;
  mqtt.uri = options.broker;
  mqtt.client_id = client_id;
  mqtt.username = options.username;
  mqtt.password = options.password;
  mqtt.ca_file = options.ca_file;
  mqtt.cert_file = options.cert_file;
  mqtt.key_file = options.key_file;
  mqtt.version = options.mqtt_version;
  return mqtt;
}

bool is_reply(const Options& options, const std::string& response_topic, const MqttMessage& message) {
  if (message.topic == response_topic) return true;
  const auto gateway = options.mqtt_version == 3 ? gateway_of(options.root, message.topic) : std::nullopt;
  return gateway && message.topic.starts_with(options.root + "/" + *gateway + "/rsp/");
}

bool answers(const Options& options, const MqttMessage& reply, const std::string& question) {
  if (options.mqtt_version == 5) return reply.correlation_data.value_or(question) == question;
  const Json document = parse_json(reply.payload);
  return document.is_object() && text(document, "transaction") == question;
}

}  // namespace dfota::ctl
