// The URI of a broker, mqtt://host[:port] or mqtts://host[:port], taken apart. No I/O.
#pragma once

#include <cstdint>
#include <string>

#include "transport/base/result.hpp"

namespace dfota {

struct MqttBroker {
  bool tls = false;
  std::string host;  ///< an IPv6 address without its brackets
  std::uint16_t port = 1883;

  /// host:port, for logs and for Paho.
  [[nodiscard]] std::string name() const;
};

/// A user name before the host, which does not belong there, is left out, so that it never gets into a log.
Result<MqttBroker> parse_mqtt_uri(const std::string& uri);

}  // namespace dfota
