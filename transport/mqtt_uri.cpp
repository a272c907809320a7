#include "transport/mqtt_uri.hpp"

#include <charconv>

namespace dfota {

Result<MqttBroker> parse_mqtt_uri(const std::string& uri) {
  MqttBroker broker;
  std::string rest;
  if (uri.starts_with("mqtt://")) {
    rest = uri.substr(7);
  } else if (uri.starts_with("mqtts://")) {
    rest = uri.substr(8);
    broker.tls = true;
    broker.port = 8883;
  } else {
    return Error(Errc::invalid, "the URI of a broker begins with mqtt:// or mqtts://");
  }
  if (const auto at = rest.rfind('@'); at != std::string::npos) rest.erase(0, at + 1);
  if (const auto slash = rest.find('/'); slash != std::string::npos) rest.erase(slash);
  const auto colon = rest.rfind(':');
  const bool has_port = colon != std::string::npos && rest.find(']', colon) == std::string::npos &&
                        (rest.find(':') == colon || rest.front() == '[');
  broker.host = has_port ? rest.substr(0, colon) : rest;
  if (broker.host.starts_with('[') && broker.host.ends_with(']')) {
    broker.host = broker.host.substr(1, broker.host.size() - 2);
  }
  if (has_port) {
    const char* end = rest.data() + rest.size();
    const auto parsed = std::from_chars(rest.data() + colon + 1, end, broker.port);
    if (parsed.ec != std::errc() || parsed.ptr != end || broker.port == 0) {
      return Error(Errc::invalid, "the port of a broker is a number from 1 to 65535");
    }
  }
  if (broker.host.empty()) return Error(Errc::invalid, "the URI of the broker names no host");
  return broker;
}

std::string MqttBroker::name() const {
  const bool v6 = host.find(':') != std::string::npos;
  return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

}  // namespace dfota
