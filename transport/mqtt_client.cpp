#include "transport/mqtt_client.hpp"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "transport/mqtt_client_impl.hpp"
#include "transport/mqtt_uri.hpp"

namespace dfota {
namespace {
std::string broker_name(const std::string& uri) {
  const auto broker = parse_mqtt_uri(uri);
  return broker ? broker->name() : "(no broker)";
}

std::string new_instance() {
  using std::chrono::milliseconds;
  const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
  char text[40];
  std::snprintf(text, sizeof text, "%014llx-%08x",
                static_cast<unsigned long long>(std::chrono::duration_cast<milliseconds>(since_epoch).count()),
                static_cast<unsigned>(std::random_device{}()));
  return text;
}
}  // namespace

MqttClient::Impl::Impl(MqttOptions options, Handlers handlers)
    : options_(std::move(options)),
      handlers_(std::move(handlers)),
      name_("mqtt " + broker_name(options_.uri)),
      instance_(new_instance()),
      subscriptions_(options_.subscriptions),
      queue_(options_.max_queued) {
  // To be seen as offline while we are there, somebody else must have said so: a will that came late, or a twin.
  if (!options_.status_topic.empty()) subscriptions_.push_back({options_.status_topic, true});
}

void MqttClient::Impl::start() {
  if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
}

void MqttClient::Impl::publish(MqttPublication publication, MqttQueue::Done done) {
  {
    const std::lock_guard lock(mutex_);
    const bool can_wait = publication.qos == 0 && gathering_;
    queue_.push(std::move(publication), std::move(done), connected_);
    if (queue_.has_ended() || (connected_ && !can_wait && may_send_next(0))) wake();
    if (!stopped_) return;
    queue_.cancel_all("the client was stopped");
  }
  call_ended();
}

void MqttClient::Impl::stop(std::chrono::milliseconds patience) {
  {
    const std::lock_guard lock(mutex_);
    if (!stop_by_) stop_by_ = Clock::now() + patience;
    wake();
  }
  if (thread_.joinable()) thread_.join();
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    queue_.cancel_all("the client was stopped");
  }
  call_ended();
}

void MqttClient::Impl::post(std::function<void()> event) {
  const std::lock_guard lock(mutex_);
  posts_.push_back(std::move(event));
  wake();
}

void MqttClient::Impl::wake() {
  if (!std::exchange(woken_, true)) cond_.notify_one();
}

void MqttClient::Impl::run() {
  while (phase_ != Phase::over) {
    deliver();
    step();
    call_ended();
    auto until = next_wake();
    std::unique_lock lock(mutex_);
    if (phase_ == Phase::over) continue;
    gathering_ = phase_ == Phase::up && queue_.only_qos0_waits() && Clock::now() < gather_until_;
    if (gathering_) {
      until = std::min(until, gather_until_);
    } else if (phase_ == Phase::up && may_send_next(status_sent_.has_value())) {
      continue;
    }
    cond_.wait_until(lock, until, [this] { return woken_; });
    gathering_ = false;
  }
  connection_.reset();
}

/// What Paho's threads told since the last time.
void MqttClient::Impl::deliver() {
  std::vector<Ack> acks;
  std::vector<std::function<void()>> posts;
  {
    const std::lock_guard lock(mutex_);
    woken_ = false;
    acks.swap(acks_);
    posts.swap(posts_);
  }
  take_acks(std::move(acks));
  for (const auto& event : posts) {
    if (!connection_) break;  // it ended with the event before, and the rest is about it, too
    event();
  }
}

void MqttClient::Impl::take_acks(std::vector<Ack> acks) {
  const std::lock_guard lock(mutex_);
  for (auto& ack : acks) {
    if (ack.id == kMqttOnlineId) {
      status_sent_.reset();
    } else if (ack.id == kMqttOfflineId) {
      if (phase_ == Phase::saying_offline) phase_deadline_ = Clock::now();
    } else {
      queue_.end(ack.id, std::move(ack.result));
    }
  }
}

void MqttClient::Impl::call_ended() {
  std::vector<MqttQueue::Ended> ended;
  {
    const std::lock_guard lock(mutex_);
    ended = queue_.take_ended();
  }
  for (auto& one : ended) one.done(std::move(one.result));
}

Clock::time_point MqttClient::Impl::next_wake() {
  const std::lock_guard lock(mutex_);
  auto at = Clock::now() + std::chrono::hours(1);
  switch (phase_) {
    case Phase::waiting:
      if (!taken_over_) at = next_attempt_;
      break;
    case Phase::up:
      if (!options_.status_topic.empty() && !status_sent_ && queue_.unacknowledged() < window_)
        at = std::min(at, next_status_);
      if (status_sent_) at = std::min(at, *status_sent_ + options_.heartbeat_limit);
      if (const auto oldest = queue_.oldest_in_flight()) at = std::min(at, *oldest + options_.heartbeat_limit);
      break;
    case Phase::connecting:
    case Phase::subscribing:
    case Phase::saying_offline:
    case Phase::disconnecting:
    case Phase::over:
      at = phase_deadline_;
      break;
  }
  if (stop_by_ && phase_ <= Phase::up) at = std::min(at, *stop_by_);
  return at;
}

MqttClient::MqttClient(MqttOptions options, Handlers handlers)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(handlers))) {}
MqttClient::~MqttClient() {
  impl_->stop(std::chrono::milliseconds(0));
}
void MqttClient::start() {
  impl_->start();
}
void MqttClient::publish(MqttPublication publication, std::function<void(Result<void>)> done) {
  impl_->publish(std::move(publication), std::move(done));
}
void MqttClient::stop(std::chrono::milliseconds patience) {
  impl_->stop(patience);
}
bool MqttClient::connected() const {
  return impl_->connected();
}

}  // namespace dfota
