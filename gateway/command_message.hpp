// What an MQTT message that bears a command says beside the command: whether it is looked at at all. Pure functions;
// any thread.
#pragma once

#include <optional>

#include "gateway/command_fields.hpp"
#include "transport/mqtt_client.hpp"

namespace dfota {

/// Of the API, as gateway/api describes it (semantic versioning). With MQTT 5 it is the user property kSchemaProperty
/// of everything that is published, and of commands whose senders say for which version they were written.
inline constexpr auto kApiVersion = "1.0.0";
inline constexpr auto kSchemaProperty = "schema";

/// Retained, past its message expiry (MQTT 5, 3.3.2.3.3), or written for another major version of the API. A message
/// that was sent before (DUP) may have been carried out before, so that it must not be called expired.
std::optional<CommandFault> why_unwelcome(const MqttMessage& message, Clock::time_point now);

}  // namespace dfota
