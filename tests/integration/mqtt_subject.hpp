// An MqttClient under test together with everything that its handlers were told. Header only: the tests of the client
// include it.
#pragma once

#include <condition_variable>
#include <future>
#include <memory>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/support/broker.hpp"
#include "tests/support/mqtt_observer.hpp"
#include "transport/mqtt_client.hpp"

namespace dfota::test {

inline MqttOptions options_for(const Broker& broker, const std::string& client_id, int version) {
  MqttOptions options;
  options.uri = broker.uri();
  options.client_id = client_id;
  options.version = version;
  return options;
}

class Subject {
 public:
  explicit Subject(const MqttOptions& options) : client_(options, handlers()) { client_.start(); }
  ~Subject() { client_.stop(std::chrono::milliseconds(0)); }
  Subject(const Subject&) = delete;
  Subject& operator=(const Subject&) = delete;

  MqttClient& client() { return client_; }

  void refuse_next(int count) {
    locked([&] { refusals_ = count; });
  }
  void throw_next() {
    locked([&] { throws_ = true; });
  }

  void publish(const std::string& topic, const std::string& payload, bool newest_only = false) {
    client_.publish(publication(topic, payload, 1, newest_only),
                    [this](const Result<void>& result) { locked([&] { ++(result ? published_ : failed_); }); });
  }
  Result<void> publish_and_wait(const std::string& topic, const std::string& payload, int qos = 1) {
    const auto done = std::make_shared<std::promise<Result<void>>>();
    auto result = done->get_future();
    client_.publish(publication(topic, payload, qos, false), [done](const Result<void>& r) { done->set_value(r); });
    if (result.wait_for(kWatchdog) != std::future_status::ready) return Error(Errc::timeout, "done was not called");
    return result.get();
  }

  bool wait_connected(int count) {
    return wait([=, this] { return connections_ >= count; });
  }
  bool wait_disconnected(int count) {
    return wait([=, this] { return disconnections_ >= count; });
  }
  bool wait_messages(std::size_t count) {
    return wait([=, this] { return messages_.size() >= count; });
  }
  bool wait_published(int count) {
    return wait([=, this] { return published_ >= count; });
  }
  bool wait_failed(int count) {
    return wait([=, this] { return failed_ >= count; });
  }
  bool wait_taken_over() {
    return wait([this] { return taken_over_; });
  }

  [[nodiscard]] std::vector<MqttMessage> messages() { return get(messages_); }
  [[nodiscard]] int connections() { return get(connections_); }
  [[nodiscard]] int disconnections() { return get(disconnections_); }
  [[nodiscard]] int published() { return get(published_); }
  [[nodiscard]] int failed() { return get(failed_); }
  [[nodiscard]] bool taken_over() { return get(taken_over_); }
  [[nodiscard]] bool session_present() { return get(session_present_); }
  [[nodiscard]] std::string last_reason() { return get(last_reason_); }

 private:
  static MqttPublication publication(const std::string& topic, const std::string& payload, int qos, bool newest_only) {
    MqttPublication result;
    result.topic = topic;
    result.payload = payload;
    result.qos = qos;
    result.newest_only = newest_only;
    return result;
  }

  MqttClient::Handlers handlers() {
    MqttClient::Handlers handlers;
    handlers.message = [this](const MqttMessage& message) {
      bool take = true, fail = false;
      locked([&] {
        messages_.push_back(message);
        take = refusals_ <= 0 || refusals_-- <= 0;
        fail = std::exchange(throws_, false);
      });
      if (fail) throw std::runtime_error("a bug in the handler");
      return take;
    };
    handlers.connected = [this](bool session_present) {
      locked([&] {
        ++connections_;
        session_present_ = session_present;
      });
    };
    handlers.disconnected = [this](const std::string& reason) {
      locked([&] {
        ++disconnections_;
        last_reason_ = reason;
      });
    };
    handlers.taken_over = [this] { locked([&] { taken_over_ = true; }); };
    return handlers;
  }

  template <class Change>
  void locked(Change&& change) {
    const std::lock_guard lock(mutex_);
    change();
    changed_.notify_all();
  }
  template <class Predicate>
  bool wait(Predicate&& predicate) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kWatchdog, predicate);
  }
  template <class T>
  T get(const T& member) {
    const std::lock_guard lock(mutex_);
    return member;
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<MqttMessage> messages_;
  int connections_ = 0, disconnections_ = 0, published_ = 0, failed_ = 0, refusals_ = 0;
  bool session_present_ = false, taken_over_ = false, throws_ = false;
  std::string last_reason_;
  MqttClient client_;
};

inline std::vector<std::string> payloads(const std::vector<MqttMessage>& messages) {
  std::vector<std::string> result;
  for (const auto& message : messages) result.push_back(message.payload);
  return result;
}

/// The first arrivals, without the repetitions that at-least-once allows.
inline std::vector<std::string> distinct(const std::vector<std::string>& all) {
  std::vector<std::string> result;
  std::set<std::string> seen;
  for (const auto& one : all) {
    if (seen.insert(one).second) result.push_back(one);
  }
  return result;
}

inline std::vector<std::string> numbers(int from, int to) {
  std::vector<std::string> result;
  for (int i = from; i <= to; ++i) result.push_back(std::to_string(i));
  return result;
}

inline bool wait_for_count(MqttObserver& observer, const std::string& topic, std::size_t count) {
  return observer.wait_for([&](const std::vector<MqttMessage>& messages) {
    std::set<std::string> seen;
    for (const auto& message : messages) {
      if (message.topic == topic) seen.insert(message.payload);
    }
    return seen.size() >= count;
  });
}

}  // namespace dfota::test
