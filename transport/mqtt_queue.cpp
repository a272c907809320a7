#include "transport/mqtt_queue.hpp"

namespace dfota {
namespace {
constexpr std::size_t kMaxString = 65535;               // MQTT 5, 1.5.4
constexpr std::size_t kMaxPayload = 255 * 1024 * 1024;  // below the 268,435,455 bytes of a packet (2.1.4)

const char* fault_of(const MqttPublication& publication) {
  if (!is_publishable_topic(publication.topic)) return "not a topic to publish on";
  if (publication.response_topic && !is_publishable_topic(*publication.response_topic)) return "not a response topic";
  if (publication.correlation_data && publication.correlation_data->size() > kMaxString)
    return "correlation data too long";
  if (publication.payload.size() > kMaxPayload) return "payload too long";
  if (publication.qos < 0 || publication.qos > 1) return "only QoS 0 and 1 are published";
  return nullptr;
}
}  // namespace

bool is_publishable_topic(const std::string& topic) {
  return !topic.empty() && topic.size() <= kMaxString &&
         topic.find_first_of(std::string("+#\0", 3)) == std::string::npos;
}

void MqttQueue::push(MqttPublication publication, Done done, bool connected) {
  Entry entry{std::move(publication), std::move(done)};
  if (const char* fault = fault_of(entry.publication)) {
    return finish(entry, Error(Errc::invalid, fault + (": \"" + entry.publication.topic + "\"")));
  }
  if (entry.publication.qos == 0 && !connected)
    return finish(entry, Error(Errc::canceled, "no connection to the broker"));
  if (entry.publication.newest_only) {
    const auto waits = newest_.find(entry.publication.topic);
    if (waits != newest_.end()) {
      const auto it = waiting_.find(waits->second);
      finish(it->second, Error(Errc::canceled, "replaced by a newer one"));
      it->second = std::move(entry);
      if (it->second.publication.qos == 0) {
        waiting_qos0_.insert(it->first);
      } else {
        waiting_qos0_.erase(it->first);
      }
      return;
    }
  }
  if (waiting_.size() >= max_waiting_) {
    if (waiting_qos0_.empty()) {
      return finish(entry, Error(Errc::canceled, std::to_string(waiting_.size()) + " publications wait already"));
    }
    const auto oldest = waiting_.find(*waiting_qos0_.begin());
    finish(oldest->second, Error(Errc::canceled, "dropped for newer ones: the broker is too slow"));
    forget_waiting(oldest);
  }
  Entries one;
  one.emplace(++last_id_, std::move(entry));
  wait_again(one.extract(one.begin()));
}

void MqttQueue::wait_again(Entries::node_type node) {
  const MqttPublication& publication = node.mapped().publication;
  if (publication.qos == 0) waiting_qos0_.insert(node.key());
  if (publication.newest_only) newest_[publication.topic] = node.key();
  waiting_.insert(std::move(node));
}

void MqttQueue::forget_waiting(Entries::iterator it) {
  waiting_qos0_.erase(it->first);
  if (it->second.publication.newest_only) newest_.erase(it->second.publication.topic);
  waiting_.erase(it);
}

const std::pair<const std::uint64_t, MqttQueue::Entry>* MqttQueue::send_next(Clock::time_point now) {
  if (waiting_.empty()) return nullptr;
  const auto first = waiting_.begin();
  waiting_qos0_.erase(first->first);
  if (first->second.publication.newest_only) newest_.erase(first->second.publication.topic);
  first->second.sent_at = now;
  if (first->second.publication.qos > 0) ++unacknowledged_;
  return &*in_flight_.insert(waiting_.extract(first)).position;
}

void MqttQueue::end(std::uint64_t id, Result<void> result) {
  const auto it = in_flight_.find(id);
  if (it == in_flight_.end()) return;
  auto node = take_out_of_flight(it);
  finish(node.mapped(), std::move(result));
}

MqttQueue::Entries::node_type MqttQueue::take_out_of_flight(Entries::iterator it) {
  if (it->second.publication.qos > 0) --unacknowledged_;
  return in_flight_.extract(it);
}

bool MqttQueue::next_is_qos0() const {
  return !waiting_.empty() && waiting_.begin()->second.publication.qos == 0;
}

bool MqttQueue::ends_unheard(std::uint64_t id) const {
  const auto it = in_flight_.find(id);
  return it != in_flight_.end() && it->second.publication.qos == 0 && !it->second.done;
}

void MqttQueue::connection_lost() {
  while (!in_flight_.empty()) {  // the newest first, so that it is the older ones that are replaced
    auto node = take_out_of_flight(std::prev(in_flight_.end()));
    Entry& entry = node.mapped();
    if (entry.publication.qos == 0) {
      finish(entry, Error(Errc::canceled, "the connection was lost"));
    } else if (entry.publication.newest_only && newest_.contains(entry.publication.topic)) {
      finish(entry, Error(Errc::canceled, "replaced by a newer one"));
    } else {
      wait_again(std::move(node));
    }
  }
  while (!waiting_qos0_.empty()) {
    const auto it = waiting_.find(*waiting_qos0_.begin());
    finish(it->second, Error(Errc::canceled, "the connection was lost"));
    forget_waiting(it);
  }
}

void MqttQueue::cancel_all(const std::string& why) {
  for (Entries* entries : {&in_flight_, &waiting_}) {
    for (auto& [id, entry] : *entries) finish(entry, Error(Errc::canceled, why));
    entries->clear();
  }
  unacknowledged_ = 0;
  waiting_qos0_.clear();
  newest_.clear();
}

std::optional<Clock::time_point> MqttQueue::oldest_in_flight() const {
  std::optional<Clock::time_point> oldest;
  for (const auto& [id, entry] : in_flight_) {
    if (!oldest || entry.sent_at < *oldest) oldest = entry.sent_at;
  }
  return oldest;
}

void MqttQueue::finish(Entry& entry, Result<void> result) {
  if (entry.done) ended_.push_back(Ended{std::move(entry.done), std::move(result)});
}

std::vector<MqttQueue::Ended> MqttQueue::take_ended() {
  return std::exchange(ended_, {});
}

}  // namespace dfota
