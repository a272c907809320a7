#include "gateway/command_message.hpp"

#include <doctest/doctest.h>

using namespace dfota;
using namespace std::chrono_literals;

namespace {

std::string code_of(const MqttMessage& message, Clock::time_point now) {
  const auto fault = why_unwelcome(message, now);
  return fault ? fault->code : "";
}

MqttMessage of_schema(const std::string& version) {
  MqttMessage message;
  message.user_properties = {{"trace", "7"}, {"schema", version}};
  return message;
}

}  // namespace

TEST_CASE("a command is looked at unless it is retained, expired, or of another version of the API") {
  const auto now = Clock::now();
  MqttMessage message;
  CHECK(code_of(message, now).empty());
  message.retained = true;
  CHECK(code_of(message, now) == "retained");
}

TEST_CASE("a message expiry that has run out while the message waited") {
  const auto now = Clock::now();
  MqttMessage message;
  message.expires = now + 1s;
  CHECK(code_of(message, now).empty());
  CHECK(code_of(message, now + 1s) == "expired");
  // It may have been carried out when it came for the first time.
  message.duplicate = true;
  CHECK(code_of(message, now + 1s).empty());
}

TEST_CASE("commands of the same major version are understood") {
  const auto now = Clock::now();
  for (const auto* version : {"1", "1.0.0", "1.7.2"}) {
    CAPTURE(version);
    CHECK(code_of(of_schema(version), now).empty());
  }
  for (const auto* version : {"2.0.0", "10.0.0", "", "latest"}) {
    CAPTURE(version);
    CHECK(code_of(of_schema(version), now) == "unsupported");
  }
}
