#include <algorithm>
#include <utility>

#include "transport/base/log.hpp"
#include "transport/mqtt_client_impl.hpp"
#include "transport/mqtt_uri.hpp"
#include "transport/tls_fault.hpp"

namespace dfota {
namespace {
using namespace std::chrono_literals;

constexpr auto kConnectLimit = 12s;  // a little over Paho's own
constexpr auto kSubscribeLimit = 15s;
constexpr auto kFarewellLimit = 1s;  // for `offline`, and again for the DISCONNECT
constexpr auto kTlsLimit = 1s;
constexpr auto kFirstPause = 1s, kLongestPause = 30s;
constexpr auto kComplaintEvery = 60s;
constexpr auto kGather = 20ms;
constexpr auto kStable = 30s;  // a connection as old as this is worth a line when it ends

}  // namespace

void MqttClient::Impl::step() {
  const auto now = Clock::now();
  switch (phase_) {
    case Phase::waiting:
      if (now >= next_attempt_ && !taken_over_) open();
      break;
    case Phase::connecting:
      if (now >= phase_deadline_) drop("no answer to the CONNECT");
      break;
    case Phase::subscribing:
      if (now >= phase_deadline_) drop("no answer to the SUBSCRIBE");
      break;
    case Phase::up:
      keep_alive(now);
      if (phase_ == Phase::up) send_what_waits();
      break;
    case Phase::saying_offline:
    case Phase::disconnecting:
    case Phase::over:
      break;
  }
  step_to_the_end(now);
}

/// stop(): from wherever we are to Phase::over.
void MqttClient::Impl::step_to_the_end(Clock::time_point now) {
  std::optional<Clock::time_point> stop_by;
  {
    const std::lock_guard lock(mutex_);
    stop_by = stop_by_;
  }
  if (!stop_by) return;
  const bool go = now >= *stop_by || drained() || taken_over_;
  if (phase_ == Phase::up && go) {
    connected_ = false;
    enter(Phase::saying_offline, options_.status_topic.empty() ? 0s : kFarewellLimit);
    if (!options_.status_topic.empty()) say(kMqttOfflineId, options_.offline);
    if (!connection_) enter(Phase::over, 0s);
  }
  if (phase_ == Phase::saying_offline && Clock::now() >= phase_deadline_) {
    enter(Phase::disconnecting, kFarewellLimit);
    if (!connection_->disconnect()) enter(Phase::over, 0s);
  }
  if (phase_ == Phase::disconnecting && Clock::now() >= phase_deadline_) enter(Phase::over, 0s);
  if ((phase_ == Phase::waiting || phase_ == Phase::connecting || phase_ == Phase::subscribing) && go) {
    enter(Phase::over, 0s);
  }
}

void MqttClient::Impl::enter(Phase phase, Clock::duration limit) {
  const std::lock_guard lock(mutex_);
  phase_ = phase;
  phase_deadline_ = Clock::now() + limit;
}

bool MqttClient::Impl::drained() {
  const std::lock_guard lock(mutex_);
  return queue_.waiting() + queue_.in_flight() == 0;
}

void MqttClient::Impl::open() {
  connection_ = std::make_unique<MqttConnection>(options_, instance_, events());
  enter(Phase::connecting, kConnectLimit);
  const auto begun = connection_->connect();
  if (!begun) drop(begun.error().message);
}

MqttConnection::Events MqttClient::Impl::events() {
  MqttConnection::Events events;
  events.message = [this](const MqttMessage& message) { return !handlers_.message || handlers_.message(message); };
  events.status = [this](const std::string& status, const std::string& instance) {
    post([this, status, instance] { heard_status(status, instance); });
  };
  events.connected = [this](Result<MqttGreeting> greeting) { post([this, greeting] { greeted(greeting); }); };
  events.subscribed = [this](Result<void> result) { post([this, result] { subscribed(result); }); };
  events.published = [this](std::uint64_t id, Result<void> result) {
    const std::lock_guard lock(mutex_);
    acks_.push_back(Ack{id, std::move(result)});
    if (!gathering_ || !queue_.ends_unheard(id)) wake();
  };
  events.disconnected = [this] { post([this] { phase_deadline_ = Clock::now(); }); };
  events.lost = [this](const std::string& reason, bool taken_over) {
    if (taken_over) taken_over_ = true;
    post([this, reason] { drop(reason); });
  };
  return events;
}

/// mosquitto 2.0 closes the older of two connections with one client id without a word (measured on 2.0.11), and both
/// would reconnect for ever. What each says on the status topic tells them of each other: the one that started first
/// gives up.
void MqttClient::Impl::heard_status(const std::string& status, const std::string& instance) {
  if (status == options_.offline) next_status_ = Clock::now();
  if (status != options_.online || instance.empty()) return;
  if (instance == instance_) heard_ourselves_ = true;
  if (!heard_ourselves_ || instance <= instance_) return;
  taken_over_ = true;
  drop("another client uses this client id");
}

/// What TLS has against it is looked for as often as it would be told.
void MqttClient::Impl::not_greeted(const Error& error) {
  Error why = error;
  const auto broker = parse_mqtt_uri(options_.uri);
  const bool to_tell = !last_complaint_ || Clock::now() >= *last_complaint_ + kComplaintEvery;
  if (broker && broker->tls && why.code != Errc::refused && to_tell) {
    const auto fault = tls_fault(*broker, {options_.ca_file, options_.cert_file, options_.key_file}, kTlsLimit);
    if (fault) why = Error(Errc::refused, *fault);
  }
  drop(why.message);
  if (handlers_.failed) handlers_.failed(why);
}

void MqttClient::Impl::greeted(const Result<MqttGreeting>& greeting) {
  if (!greeting) return not_greeted(greeting.error());
  session_present_ = greeting->session_present;
  {
    const std::lock_guard lock(mutex_);
    window_ = std::clamp<std::size_t>(greeting->receive_maximum, 1, kMqttWindow);
  }
  if (subscriptions_.empty()) return now_up();
  enter(Phase::subscribing, kSubscribeLimit);
  const auto begun = connection_->subscribe(subscriptions_);
  if (!begun) drop(begun.error().message);
}

void MqttClient::Impl::subscribed(const Result<void>& result) {
  if (!result)
    log::error(name_, ": ", result.error().message, "; what comes on it will not be heard: look at the broker's ACL");
  now_up();
}

void MqttClient::Impl::now_up() {
  enter(Phase::up, 0s);
  connected_ = true;
  failures_ = 0;
  up_since_ = next_status_ = Clock::now();
  if (std::exchange(told_down_, false)) {
    const bool forgotten = options_.persistent_session && !session_present_;
    log::notice(name_, ": connected", forgotten ? "; the broker kept no session of ours" : "");
  }
  keep_alive(up_since_);
  if (phase_ == Phase::up && handlers_.connected) handlers_.connected(session_present_);
}

/// The heartbeat, and what it and every other publication is measured by.
void MqttClient::Impl::keep_alive(Clock::time_point now) {
  std::optional<Clock::time_point> oldest;
  bool room = false;
  {
    const std::lock_guard lock(mutex_);
    oldest = queue_.oldest_in_flight();
    room = queue_.unacknowledged() < window_;
  }
  if (status_sent_ && (!oldest || *status_sent_ < *oldest)) oldest = status_sent_;
  if (oldest && now >= *oldest + options_.heartbeat_limit) return drop("a publication was not acknowledged in time");
  if (options_.status_topic.empty() || now < next_status_ || status_sent_ || !room) return;
  next_status_ = now + options_.heartbeat;
  status_sent_ = now;
  say(kMqttOnlineId, options_.online);
}

void MqttClient::Impl::say(std::uint64_t id, const std::string& status) {
  MqttPublication publication;
  publication.topic = options_.status_topic;
  publication.payload = status;
  publication.retained = true;
  const auto begun = connection_->publish(id, publication);
  if (!begun) drop(begun.error().message);
}

/// `reserved`: of the window, by publications of the client itself.
bool MqttClient::Impl::may_send_next(std::size_t reserved) const {
  if (queue_.waiting() == 0 || queue_.in_flight() >= kMqttHandedOver) return false;
  return queue_.next_is_qos0() || queue_.unacknowledged() + reserved < window_;
}

/// QoS 0 ones come in hundreds a second, and each that Paho is handed alone costs three threads a wake-up: after some
/// were sent, those that follow within kGather go together.
void MqttClient::Impl::send_what_waits() {
  std::vector<const std::pair<const std::uint64_t, MqttQueue::Entry>*> batch;
  {
    const std::lock_guard lock(mutex_);
    const auto now = Clock::now();
    if (queue_.only_qos0_waits() && now < gather_until_) return;
    while (may_send_next(status_sent_.has_value())) {
      batch.push_back(queue_.send_next(now));
      if (batch.back()->second.publication.qos == 0) gather_until_ = now + kGather;
    }
    if (queue_.waiting() > 0) gather_until_ = now;  // more than goes at once: no time to lose
  }
  for (const auto* entry : batch) {
    const auto begun = connection_->publish(entry->first, entry->second.publication);
    if (begun) continue;
    if (begun.error().code != Errc::invalid) return drop(begun.error().message);
    const std::lock_guard lock(mutex_);
    queue_.end(entry->first, begun);
  }
}

void MqttClient::Impl::drop(const std::string& reason) {
  const bool was_up = phase_ == Phase::up, was_leaving = phase_ > Phase::up;
  connected_ = false;
  connection_.reset();  // from here on nothing more comes from it
  std::vector<Ack> acks;
  {
    const std::lock_guard lock(mutex_);
    acks.swap(acks_);
    posts_.clear();
  }
  take_acks(std::move(acks));
  {
    const std::lock_guard lock(mutex_);
    queue_.connection_lost();
  }
  status_sent_.reset();
  enter(was_leaving ? Phase::over : Phase::waiting, 0s);

  const auto now = Clock::now();
  const auto pause = std::min<Clock::duration>(kFirstPause * (1 << std::min(failures_++, 5)), kLongestPause);
  next_attempt_ = now + std::chrono::duration_cast<Clock::duration>(
                            pause * std::uniform_real_distribution<double>(0.5, 1.0)(random_));
  if (was_up && now - up_since_ >= kStable) last_complaint_.reset();
  if (taken_over_) {
    log::error(name_, ": another client has taken the client id ", options_.client_id, "; not connecting again");
  } else if (!was_leaving) {
    complain((was_up ? "connection lost: " : "cannot connect: ") + reason + "; trying on");
  }
  if (was_up && handlers_.disconnected) handlers_.disconnected(reason);
  if (taken_over_ && handlers_.taken_over) handlers_.taken_over();
}

void MqttClient::Impl::complain(const std::string& text) {
  const auto now = Clock::now();
  if (last_complaint_ && now < *last_complaint_ + kComplaintEvery) return log::debug(name_, ": ", text);
  last_complaint_ = now;
  told_down_ = true;
  log::warning(name_, ": ", text);
}

}  // namespace dfota
