// The gateway's (and dfota's) MQTT connection, on Paho MQTT C++, 3.1.1 and 5. A thread of its own owns Paho: it
// connects, reconnects, subscribes at each connection, publishes and destroys. A message handler runs on Paho's thread,
// and Paho sends the PUBACK when it returns: returning true acknowledges; returning false shuts the socket down first,
// so that the broker sends the message again.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "transport/base/clock.hpp"
#include "transport/base/result.hpp"

namespace dfota {

struct MqttSubscription {
  std::string filter;
  bool wants_retained = false;  ///< false: retain handling 2 (MQTT 5): what was retained before is not sent
};

struct MqttOptions {
  std::string uri = "mqtt://127.0.0.1:1883";  ///< mqtts:// for TLS
  std::string client_id;
  std::string username, password;
  std::string ca_file, cert_file, key_file;
  int version = 5;  ///< or 3 for 3.1.1
  bool persistent_session = true;
  std::chrono::seconds session_expiry{7 * 24 * 3600};
  std::chrono::seconds keep_alive{30};
  std::vector<MqttSubscription> subscriptions;  ///< QoS 1, made again at each connection

  /// Retained at QoS 1: `online` after each connection and every `heartbeat`, `offline` as the will and at stop().
  /// Empty topic: none. A heartbeat that is not acknowledged within heartbeat_limit drops the connection and makes a
  /// new client.
  std::string status_topic, online = "online", offline = "offline";
  std::chrono::seconds heartbeat{30};
  std::chrono::seconds heartbeat_limit{15};

  /// MQTT 5: name and value, on everything that is published. The content type and the payload format indicator are
  /// set by the payload: application/json, or text/plain.
  std::vector<std::pair<std::string, std::string>> user_properties;

  std::size_t max_queued =
      20000;  ///< publications waiting; beyond it QoS 0 ones are dropped, oldest first, then publish() is refused
};

struct MqttMessage {
  std::string topic, payload;
  int qos = 0;
  bool retained = false;
  bool duplicate = false;

  // MQTT 5
  std::optional<std::string> response_topic;
  std::optional<std::string> correlation_data;  ///< bytes
  std::optional<std::string> content_type;
  std::optional<Clock::time_point> expires;  ///< from its message expiry: what the broker left of it
  std::vector<std::pair<std::string, std::string>> user_properties;
};

struct MqttPublication {
  std::string topic, payload;
  int qos = 1;
  bool retained = false;
  std::optional<std::string> response_topic;             // MQTT 5
  std::optional<std::string> correlation_data;           // MQTT 5, bytes
  std::optional<std::chrono::seconds> message_expiry{};  ///< MQTT 5: the broker gives it to nobody later than that
  bool newest_only = false;  ///< one of the same topic that still waits is replaced by this one (progress, states)
};

class MqttClient {
 public:
  struct Handlers {
    /// Paho's thread; must not block for longer than a journal commit. See above for the return value.
    std::function<bool(const MqttMessage&)> message;
    /// The MQTT thread, after the subscriptions stand. session_present false: the broker had forgotten us.
    std::function<void(bool session_present)> connected;
    std::function<void(const std::string& reason)> disconnected;
    /// Another client took our client id (MQTT 5 reason 0x8E). No reconnection is tried after it.
    std::function<void()> taken_over;
    /// The MQTT thread: an attempt to connect was in vain. Errc::refused: the broker, or one side's certificate, is
    /// against it, so that the next attempt will hardly be better; it is made all the same.
    std::function<void(const Error& why)> failed = {};
  };

  MqttClient(MqttOptions options, Handlers handlers);
  ~MqttClient();  ///< stop() with no patience
  MqttClient(const MqttClient&) = delete;
  MqttClient& operator=(const MqttClient&) = delete;

  /// Starts the thread. It connects, and goes on trying for ever; the first error is logged, then one a minute.
  void start();

  /// Any thread, any time, connected or not; never blocks on the broker. `done` is called once on the MQTT thread: at
  /// the PUBACK without an error code, (QoS 0: when handed to the socket), or with an error: refused (the broker's
  /// reason code), canceled (stopped, replaced or dropped). While there is no connection, QoS 0 publications are
  /// dropped. At most min(10, Receive Maximum) publications are unacknowledged at once; one that got no PUBACK before
  /// the connection was lost is published again after reconnecting.
  void publish(MqttPublication publication, std::function<void(Result<void>)> done = {});

  /// Publishes what waits for up to `patience`, then `offline`, disconnects and joins the thread.
  void stop(std::chrono::milliseconds patience);

  [[nodiscard]] bool connected() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace dfota
