#include "gateway/command_message.hpp"

namespace dfota {
namespace {

/// 1, 1.2 and 1.2.3 of a 1.0.0.
bool same_major(const std::string& version) {
  const std::string ours = kApiVersion;
  const auto major = ours.substr(0, ours.find('.'));
  return version == major || version.starts_with(major + ".");
}

}  // namespace

std::optional<CommandFault> why_unwelcome(const MqttMessage& message, Clock::time_point now) {
  if (message.retained)
    return CommandFault{"retained", "a command must not be retained: it would run again at each connection", ""};
  if (message.expires && now >= *message.expires && !message.duplicate) {
    return CommandFault{"expired", "the command's message expiry (MQTT 5) had passed before it could be looked at", ""};
  }
  for (const auto& [name, value] : message.user_properties) {
    if (name != kSchemaProperty || same_major(value)) continue;
    return CommandFault{"unsupported",
                        "its user property \"schema\" names another version of the API than the " +
                            std::string(kApiVersion) + " of this gateway",
                        ""};
  }
  return std::nullopt;
}

}  // namespace dfota
