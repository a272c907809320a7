#include "gateway/ctl/doctor_link.hpp"

#include <utility>

namespace dfota::ctl {
namespace {
constexpr std::size_t kMaxMessages = 10000;
}  // namespace

DoctorLink::DoctorLink(MqttOptions options) : options_(std::move(options)) {
  MqttConnection::Events events;
  events.message = [this](const MqttMessage& message) {
    const std::lock_guard lock(mutex_);
    if (messages_.size() < kMaxMessages) messages_.push_back(message);
    changed_.notify_all();
    return true;
  };
  events.status = [](const std::string&, const std::string&) {};
  events.connected = [this](const Result<MqttGreeting>& greeting) {
    ended(greeting ? Result<void>() : Result<void>(greeting.error()));
  };
  events.subscribed = [this](Result<void> result) { ended(std::move(result)); };
  events.published = [this](std::uint64_t, Result<void> result) { ended(std::move(result)); };
  events.disconnected = [] {};
  events.lost = [this](const std::string& reason, bool) {
    const std::lock_guard lock(mutex_);
    lost_ = reason;
    changed_.notify_all();
  };
  connection_ = std::make_unique<MqttConnection>(options_, "", std::move(events));
}

DoctorLink::~DoctorLink() = default;

void DoctorLink::ended(Result<void> result) {
  const std::lock_guard lock(mutex_);
  end_ = std::move(result);
  changed_.notify_all();
}

Result<void> DoctorLink::wait_for_end(const char* what, Limit limit) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, limit, [this] { return end_ || lost_; });
  if (end_) return *std::exchange(end_, std::nullopt);
  if (lost_) return Error(Errc::link_lost, *lost_);
  return Error(Errc::timeout, std::string("no answer to the ") + what);
}

Result<void> DoctorLink::connect(Limit limit) {
  auto begun = connection_->connect();
  return begun ? wait_for_end("CONNECT", limit) : begun;
}

Result<void> DoctorLink::subscribe(const std::vector<MqttSubscription>& subscriptions, Limit limit) {
  auto begun = connection_->subscribe(subscriptions);
  return begun ? wait_for_end("SUBSCRIBE", limit) : begun;
}

Result<void> DoctorLink::publish(MqttPublication publication, Limit limit) {
  auto begun = connection_->publish(next_id_++, publication);
  return begun ? wait_for_end("PUBLISH", limit) : begun;
}

std::optional<MqttMessage> DoctorLink::wait_for(const std::function<bool(const MqttMessage&)>& fits, Limit limit) {
  std::unique_lock lock(mutex_);
  std::size_t next = 0;
  std::optional<MqttMessage> found;
  changed_.wait_for(lock, limit, [&] {
    for (; !found && next < messages_.size(); ++next) {
      if (fits(messages_[next])) found = messages_[next];
    }
    return found || lost_;
  });
  return found;
}

std::vector<MqttMessage> DoctorLink::messages() const {
  const std::lock_guard lock(mutex_);
  return messages_;
}

}  // namespace dfota::ctl
