// A broker that does only what a test tells it: it greets one MQTT 5 client after the other, grants subscriptions, and
// acknowledges publications when asked to. For what mosquitto never does: no PUBACK, a small Receive Maximum, a
// DISCONNECT with a reason. A thread of its own reads.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/process.hpp"

namespace dfota::test {

class ScriptedBroker {
 public:
  /// receive_maximum 0: the CONNACK does not name one.
  explicit ScriptedBroker(std::uint16_t receive_maximum = 0);
  ~ScriptedBroker();
  ScriptedBroker(const ScriptedBroker&) = delete;
  ScriptedBroker& operator=(const ScriptedBroker&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] std::string uri() const { return "mqtt://127.0.0.1:" + std::to_string(port_); }

  struct Publish {
    std::uint16_t packet_id;
    std::string topic;
  };
  bool wait_for_publishes(std::size_t count);
  [[nodiscard]] std::vector<Publish> publishes() const;
  [[nodiscard]] std::size_t connections() const;

  void acknowledge(std::uint16_t packet_id);
  void disconnect(std::uint8_t reason);  ///< sends a DISCONNECT and closes
  void hang_up();

 private:
  void accept_and_read();
  bool read_packet(int fd);
  void send(const std::string& bytes);

  std::uint16_t receive_maximum_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  int client_ = -1;
  std::size_t connections_ = 0;
  std::vector<Publish> publishes_;
  std::thread thread_;
};

}  // namespace dfota::test
