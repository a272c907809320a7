#include "tests/support/mqtt_observer.hpp"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <future>
#include <memory>
#include <stdexcept>

namespace dfota::test {
namespace {
int next_number() {
  static std::atomic<int> count{0};
  return ++count;
}

MqttOptions options_for(const std::string& uri, const std::vector<std::string>& filters, int version, int number) {
  MqttOptions options;
  options.uri = uri;
  options.version = version;
  options.client_id = "observer-" + std::to_string(::getpid()) + "-" + std::to_string(number);
  options.persistent_session = false;
  for (const auto& filter : filters) options.subscriptions.push_back({filter, true});
  return options;
}
}  // namespace

MqttObserver::MqttObserver(const std::string& uri, std::vector<std::string> filters, int version, GatewayIs gateway)
    : gateway_(gateway),
      number_(next_number()),
      client_(options_for(uri, filters, version, number_), {.message =
                                                                [this, version](const MqttMessage& message) {
                                                                  record_received(number_, gateway_, version, message);
                                                                  const std::lock_guard lock(mutex_);
                                                                  messages_.push_back(message);
                                                                  changed_.notify_all();
                                                                  return true;
                                                                },
                                                            .connected =
                                                                [this](bool) {
                                                                  const std::lock_guard lock(mutex_);
                                                                  connected_ = true;
                                                                  changed_.notify_all();
                                                                },
                                                            .disconnected = {},
                                                            .taken_over = {}}) {
  client_.start();
  std::unique_lock lock(mutex_);
  if (!changed_.wait_for(lock, kWatchdog, [this] { return connected_; }))
    throw std::runtime_error("no broker at " + uri);
}

MqttObserver::~MqttObserver() {
  client_.stop(std::chrono::milliseconds(0));
}

bool MqttObserver::wait_for(const Predicate& predicate, std::chrono::milliseconds limit) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, limit, [&] { return predicate(messages_); });
}

std::optional<MqttMessage> MqttObserver::wait_for_topic(const std::string& topic, std::chrono::milliseconds limit) {
  std::optional<MqttMessage> found;
  wait_for(
      [&](const std::vector<MqttMessage>& messages) {
        const auto it =
            std::find_if(messages.begin(), messages.end(), [&](const MqttMessage& m) { return m.topic == topic; });
        if (it != messages.end()) found = *it;
        return found.has_value();
      },
      limit);
  return found;
}

bool MqttObserver::wait_for_payload(const std::string& topic, const std::string& payload,
                                    std::chrono::milliseconds limit) {
  return wait_for(
      [&](const std::vector<MqttMessage>& messages) {
        return std::any_of(messages.begin(), messages.end(),
                           [&](const MqttMessage& m) { return m.topic == topic && m.payload == payload; });
      },
      limit);
}

std::vector<MqttMessage> MqttObserver::messages() const {
  const std::lock_guard lock(mutex_);
  return messages_;
}

std::vector<MqttMessage> MqttObserver::on(const std::string& topic) const {
  std::vector<MqttMessage> result;
  for (const auto& message : messages()) {
    if (message.topic == topic) result.push_back(message);
  }
  return result;
}

void MqttObserver::forget() {
  const std::lock_guard lock(mutex_);
  messages_.clear();
}

void MqttObserver::publish(MqttPublication publication) {
  record_sent(number_, gateway_, publication);
  const auto done = std::make_shared<std::promise<bool>>();
  auto acknowledged = done->get_future();
  client_.publish(std::move(publication), [done](const Result<void>& result) { done->set_value(result.ok()); });
  if (acknowledged.wait_for(kWatchdog) != std::future_status::ready || !acknowledged.get()) {
    throw std::runtime_error("the test's own publication was not taken");
  }
}

void MqttObserver::publish(const std::string& topic, const std::string& payload, bool retained) {
  MqttPublication publication;
  publication.topic = topic;
  publication.payload = payload;
  publication.retained = retained;
  publish(std::move(publication));
}

}  // namespace dfota::test
