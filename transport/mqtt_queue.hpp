// The publications of an MqttClient: those that wait, and those that were handed to the broker and have no PUBACK yet.
// It knows order and bounds, and nothing of a network. Not locked: MqttClient's lock guards it; only an entry in flight
// may be read without, by the MQTT thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "transport/base/clock.hpp"
#include "transport/base/result.hpp"
#include "transport/mqtt_client.hpp"

namespace dfota {

class MqttQueue {
 public:
  using Done = std::function<void(Result<void>)>;

  struct Entry {
    MqttPublication publication;
    Done done;
    Clock::time_point sent_at{};
  };

  /// A publication that ended; its `done` is called by whoever collects it, outside of any lock.
  struct Ended {
    Done done;
    Result<void> result;
  };

  /// Ids up to this one are left to the client for publications of its own.
  static constexpr std::uint64_t kReservedIds = 15;

  explicit MqttQueue(std::size_t max_waiting) : max_waiting_(max_waiting) {}

  /// Malformed ones, those beyond the bound and QoS 0 ones without a connection end here, with an error.
  void push(MqttPublication publication, Done done, bool connected);

  /// Puts the oldest one that waits in flight; null when nothing waits. The entry stays where it is until it ends or
  /// goes back.
  const std::pair<const std::uint64_t, Entry>* send_next(Clock::time_point now);

  /// The end of one in flight; an id that is not in flight is ignored.
  void end(std::uint64_t id, Result<void> result);

  /// Back to the front, in the order in which they came; QoS 0 ones are dropped, and those that a newer one has
  /// replaced.
  void connection_lost();

  void cancel_all(const std::string& why);

  [[nodiscard]] std::size_t waiting() const { return waiting_.size(); }
  [[nodiscard]] std::size_t in_flight() const { return in_flight_.size(); }
  /// Of those in flight, the ones that a PUBACK ends.
  [[nodiscard]] std::size_t unacknowledged() const { return unacknowledged_; }
  /// Nothing waits but what may be lost and nobody is told of.
  [[nodiscard]] bool only_qos0_waits() const { return waiting_qos0_.size() == waiting_.size(); }
  [[nodiscard]] bool next_is_qos0() const;
  /// Nobody asked to be told of the end of this one in flight.
  [[nodiscard]] bool ends_unheard(std::uint64_t id) const;
  [[nodiscard]] std::optional<Clock::time_point> oldest_in_flight() const;
  [[nodiscard]] bool has_ended() const { return !ended_.empty(); }
  std::vector<Ended> take_ended();

 private:
  using Entries = std::map<std::uint64_t, Entry>;  // by the order in which they came

  void wait_again(Entries::node_type node);
  void forget_waiting(Entries::iterator it);
  Entries::node_type take_out_of_flight(Entries::iterator it);
  void finish(Entry& entry, Result<void> result);

  std::size_t max_waiting_;
  std::uint64_t last_id_ = kReservedIds;
  Entries waiting_;
  Entries in_flight_;
  std::size_t unacknowledged_ = 0;
  std::set<std::uint64_t> waiting_qos0_;
  std::unordered_map<std::string, std::uint64_t> newest_;  // topic of a newest_only one that waits
  std::vector<Ended> ended_;
};

/// Not empty, no wildcard, no NUL, at most 65,535 bytes: a broker answers anything else by hanging up, each time it is
/// sent again.
bool is_publishable_topic(const std::string& topic);

}  // namespace dfota
