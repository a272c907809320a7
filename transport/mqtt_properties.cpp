#include "transport/mqtt_properties.hpp"

#include <algorithm>
#include <cstdint>

namespace dfota {
namespace {

std::string text_of(const mqtt::properties& properties, mqtt::property::code code) {
  return mqtt::get<std::string>(properties, code);
}

std::vector<std::pair<std::string, std::string>> user_properties_of(const mqtt::properties& properties) {
  std::vector<std::pair<std::string, std::string>> found;
  const auto count = properties.count(mqtt::property::USER_PROPERTY);
  for (std::size_t i = 0; i < count; ++i) {
    auto [name, value] = mqtt::get<mqtt::string_pair>(properties, mqtt::property::USER_PROPERTY, i);
    found.emplace_back(std::move(name), std::move(value));
  }
  return found;
}

}  // namespace

MqttMessage to_mqtt_message(const mqtt::message& from) {
  MqttMessage message;
  message.topic = from.get_topic();
  message.payload = from.to_string();
  message.qos = from.get_qos();
  message.retained = from.is_retained();
  message.duplicate = from.is_duplicate();
  const mqtt::properties& properties = from.get_properties();
  if (properties.contains(mqtt::property::RESPONSE_TOPIC)) {
    message.response_topic = text_of(properties, mqtt::property::RESPONSE_TOPIC);
  }
  if (properties.contains(mqtt::property::CORRELATION_DATA)) {
    message.correlation_data = text_of(properties, mqtt::property::CORRELATION_DATA);
  }
  if (properties.contains(mqtt::property::CONTENT_TYPE)) {
    message.content_type = text_of(properties, mqtt::property::CONTENT_TYPE);
  }
  if (properties.contains(mqtt::property::MESSAGE_EXPIRY_INTERVAL)) {
    const auto left = mqtt::get<std::uint32_t>(properties, mqtt::property::MESSAGE_EXPIRY_INTERVAL);
    message.expires = Clock::now() + std::chrono::seconds(left);
  }
  message.user_properties = user_properties_of(properties);
  return message;
}

std::string user_property(const mqtt::message& message, const std::string& wanted) {
  for (const auto& [name, value] : user_properties_of(message.get_properties())) {
    if (name == wanted) return value;
  }
  return {};
}

mqtt::properties properties_of(const MqttPublication& publication, const MqttOptions& options) {
  mqtt::properties properties;
  if (!publication.payload.empty()) {
    const bool json = publication.payload.starts_with('{') || publication.payload.starts_with('[');
    properties.add(mqtt::property(mqtt::property::PAYLOAD_FORMAT_INDICATOR, 1));
    properties.add(mqtt::property(mqtt::property::CONTENT_TYPE, json ? "application/json" : "text/plain"));
  }
  if (publication.message_expiry) {
    const auto seconds = std::clamp<std::int64_t>(publication.message_expiry->count(), 1, INT32_MAX);
    properties.add(mqtt::property(mqtt::property::MESSAGE_EXPIRY_INTERVAL, static_cast<std::int32_t>(seconds)));
  }
  for (const auto& [name, value] : options.user_properties) {
    properties.add(mqtt::property(mqtt::property::USER_PROPERTY, name, value));
  }
  if (publication.response_topic) {
    properties.add(mqtt::property(mqtt::property::RESPONSE_TOPIC, *publication.response_topic));
  }
  if (publication.correlation_data) {
    properties.add(mqtt::property(mqtt::property::CORRELATION_DATA, *publication.correlation_data));
  }
  return properties;
}

std::size_t packet_size_of(const MqttPublication& publication, const MqttOptions& options) {
  constexpr std::size_t kHeads = 128;  // fixed header, lengths, packet id, content type, the instance
  std::size_t size = publication.topic.size() + publication.payload.size() +
                     publication.response_topic.value_or("").size() + publication.correlation_data.value_or("").size() +
                     kHeads;
  for (const auto& [name, value] : options.user_properties) size += name.size() + value.size() + 5;
  return size;
}

}  // namespace dfota
