#include "tests/support/message_record.hpp"

#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>

namespace dfota::test {
namespace {

using Json = nlohmann::json;

std::string hex(const std::string& bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out += kDigits[byte >> 4];
    out += kDigits[byte & 0xf];
  }
  return out;
}

/// As it is, or in hex under another key: bytes that are no UTF-8 have no place in JSON.
void put(Json& line, const std::string& key, const std::string& bytes) {
  try {
    static_cast<void>(Json(bytes).dump());
    line[key] = bytes;
  } catch (const Json::type_error&) {
    line[key + "_hex"] = hex(bytes);
  }
}

void append(const Json& line) {
  static const char* directory = std::getenv("DFOTA_API_RECORD");
  if (directory == nullptr) return;
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  static std::ofstream file(std::string(directory) + "/" + program_invocation_short_name + "-" +
                            std::to_string(::getpid()) + ".jsonl");
  file << line.dump() << std::endl;
  if (!file) throw std::runtime_error("DFOTA_API_RECORD: cannot write into " + std::string(directory));
}

template <class Message>
Json line_of(int observer, GatewayIs gateway, const Message& message) {
  Json line = {{"observer", observer},   {"played", gateway == GatewayIs::played},
               {"topic", message.topic}, {"payload_hex", hex(message.payload)},
               {"qos", message.qos},     {"retained", message.retained}};
  put(line, "payload", message.payload);
  if (message.response_topic) line["response_topic"] = *message.response_topic;
  if (message.correlation_data) put(line, "correlation", *message.correlation_data);
  return line;
}

}  // namespace

void record_received(int observer, GatewayIs gateway, int version, const MqttMessage& message) {
  auto line = line_of(observer, gateway, message);
  line["received"] = true;
  line["version"] = version;
  if (message.content_type) line["content_type"] = *message.content_type;
  if (message.expires) {
    line["expires_in_s"] = std::chrono::ceil<std::chrono::seconds>(*message.expires - Clock::now()).count();
  }
  for (const auto& [name, value] : message.user_properties) line["user_properties"][name] = value;
  append(line);
}

void record_sent(int observer, GatewayIs gateway, const MqttPublication& publication) {
  auto line = line_of(observer, gateway, publication);
  line["received"] = false;
  append(line);
}

}  // namespace dfota::test
