// What a message carries beside topic and payload, between Paho's types and ours: the properties of MQTT 5 (section
// 2.2.2). Part of MqttConnection; pure functions, any thread.
#pragma once

#include <mqtt/message.h>

#include <string>

#include "transport/mqtt_client.hpp"

namespace dfota {

MqttMessage to_mqtt_message(const mqtt::message& from);

/// The value of this user property; empty when there is none.
std::string user_property(const mqtt::message& message, const std::string& wanted);

/// Content type and payload format by the payload, the user properties of the options, and what the publication has.
mqtt::properties properties_of(const MqttPublication& publication, const MqttOptions& options);

/// At most so many bytes on the wire.
std::size_t packet_size_of(const MqttPublication& publication, const MqttOptions& options);

}  // namespace dfota
