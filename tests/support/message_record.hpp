// What the tests publish and receive over MQTT, as JSON lines in the directory that DFOTA_API_RECORD names: a file for
// each process. tests/api/messages_test.mjs validates them by the API document. Without the variable nothing is
// written.
#pragma once

#include "transport/mqtt_client.hpp"

namespace dfota::test {

/// Whose messages they are: of the real gateway, or of a test that plays it, whose words prove nothing about the API.
enum class GatewayIs { real, played };

/// Appends one line. `observer` tells connections of this process apart. Any thread.
void record_received(int observer, GatewayIs gateway, int version, const MqttMessage& message);
void record_sent(int observer, GatewayIs gateway, const MqttPublication& publication);

}  // namespace dfota::test
