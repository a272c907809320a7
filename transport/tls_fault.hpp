// Why no TLS connection to a broker comes about, in words that say what to mend: Paho only says that there is none.
// Makes a connection of its own, over which nothing goes but the handshake. Wraps OpenSSL, which nobody else includes.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "transport/mqtt_uri.hpp"

namespace dfota {

struct TlsFiles {
  std::string ca, cert, key;  ///< empty: the machine's own authorities; no client certificate
};

/// What is wrong with our files, with the broker's certificate, or with ours in the broker's eyes. Nothing: the
/// handshake goes well, or it never comes to it (no route, nobody listens). Blocks, each step for up to `limit`.
std::optional<std::string> tls_fault(const MqttBroker& broker, const TlsFiles& files, std::chrono::milliseconds limit);

}  // namespace dfota
