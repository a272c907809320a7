// Subscribes, remembers every message in the order of arrival, and lets a test wait until what it waits for has come.
// Messages come on Paho's thread; the test calls the rest. All of them are recorded (message_record.hpp).
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/message_record.hpp"
#include "tests/support/process.hpp"
#include "transport/mqtt_client.hpp"

namespace dfota::test {

class MqttObserver {
 public:
  /// Returns when the subscriptions stand. Retained messages come, too.
  explicit MqttObserver(const std::string& uri, std::vector<std::string> filters = {"#"}, int version = 5,
                        GatewayIs gateway = GatewayIs::real);
  ~MqttObserver();

  using Predicate = std::function<bool(const std::vector<MqttMessage>&)>;
  bool wait_for(const Predicate& predicate, std::chrono::milliseconds limit = kWatchdog);
  /// The first message on this topic, of those that came or still come.
  std::optional<MqttMessage> wait_for_topic(const std::string& topic, std::chrono::milliseconds limit = kWatchdog);
  bool wait_for_payload(const std::string& topic, const std::string& payload,
                        std::chrono::milliseconds limit = kWatchdog);

  [[nodiscard]] std::vector<MqttMessage> messages() const;
  [[nodiscard]] std::vector<MqttMessage> on(const std::string& topic) const;
  void forget();

  /// Publishes at QoS 1 (or as it says) and returns at the PUBACK.
  void publish(MqttPublication publication);
  void publish(const std::string& topic, const std::string& payload, bool retained = false);

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<MqttMessage> messages_;
  bool connected_ = false;
  const GatewayIs gateway_;
  const int number_;  ///< of this process
  MqttClient client_;
};

}  // namespace dfota::test
