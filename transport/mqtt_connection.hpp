// One connection to a broker: one Paho client object, used for one attempt and then destroyed, because what Paho 1.3.12
// keeps from one connection to the next (tokens, messages in flight, settings) is where its faults are. Only this pair
// of files includes Paho. The MQTT thread calls the functions; the events come on Paho's threads, with Paho's lock
// held: they must return at once, `message` excepted.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "transport/base/result.hpp"
#include "transport/mqtt_client.hpp"

namespace dfota {

/// What the broker said in its CONNACK.
struct MqttGreeting {
  bool session_present = false;
  std::size_t receive_maximum = 65535;
  std::size_t maximum_packet = 268435455;
};

class MqttConnection {
 public:
  struct Events {
    /// False: not taken. The socket is shut down before the PUBACK could leave, and no other message is handed over.
    std::function<bool(const MqttMessage&)> message;
    /// What came on options.status_topic, and which instance said it (MQTT 5, else empty).
    std::function<void(const std::string& status, const std::string& instance)> status;
    std::function<void(Result<MqttGreeting>)> connected;
    std::function<void(Result<void>)> subscribed;
    std::function<void(std::uint64_t id, Result<void>)> published;  ///< only a refusal is an error; else `lost` follows
    std::function<void()> disconnected;                             ///< our own disconnect() is through
    std::function<void(const std::string& reason, bool taken_over)> lost;
  };

  /// `instance` goes with each publication on the status topic as a user property. The options must outlive this.
  MqttConnection(const MqttOptions& options, std::string instance, Events events);
  ~MqttConnection();  ///< no event comes after it
  MqttConnection(const MqttConnection&) = delete;
  MqttConnection& operator=(const MqttConnection&) = delete;

  // Each begins something whose end is an event; an error means that it did not begin.
  Result<void> connect();
  Result<void> subscribe(const std::vector<MqttSubscription>& subscriptions);
  Result<void> publish(std::uint64_t id, const MqttPublication& publication);  ///< Errc::invalid: will never go
  Result<void> disconnect();

 private:
  class Paho;
  std::unique_ptr<Paho> paho_;
};

}  // namespace dfota
