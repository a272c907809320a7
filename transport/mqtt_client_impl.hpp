// The inside of MqttClient, private to mqtt_client.cpp (what any thread may call, and the MQTT thread's loop) and
// mqtt_states.cpp (what that thread does in each state of the connection).
#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <random>
#include <thread>

#include "transport/base/clock.hpp"
#include "transport/mqtt_client.hpp"
#include "transport/mqtt_connection.hpp"
#include "transport/mqtt_queue.hpp"

namespace dfota {

inline constexpr std::size_t kMqttWindow = 10;      ///< more unacknowledged ones, and Paho 1.3.12 stalls
inline constexpr std::size_t kMqttHandedOver = 64;  ///< QoS 0 ones included; Paho's own queue takes 100
/// Publications of the client itself.
inline constexpr std::uint64_t kMqttOnlineId = 1, kMqttOfflineId = 2;
static_assert(kMqttOfflineId <= MqttQueue::kReservedIds);

class MqttClient::Impl {
 public:
  Impl(MqttOptions options, Handlers handlers);

  void start();
  void publish(MqttPublication publication, MqttQueue::Done done);
  void stop(std::chrono::milliseconds patience);
  [[nodiscard]] bool connected() const { return connected_; }

 private:
  // waiting -> connecting -> subscribing -> up -> saying_offline -> disconnecting -> over
  //    ^____________|____________|___________|      (stop() only: the last three)
  enum class Phase { waiting, connecting, subscribing, up, saying_offline, disconnecting, over };

  struct Ack {
    std::uint64_t id;
    Result<void> result;
  };

  // Any thread.
  void post(std::function<void()> event);
  void wake();  // with the lock held

  // The MQTT thread.
  void run();
  void deliver();
  void take_acks(std::vector<Ack> acks);
  void step();
  void open();
  void greeted(const Result<MqttGreeting>& greeting);
  void not_greeted(const Error& error);
  void subscribed(const Result<void>& result);
  void now_up();
  void send_what_waits();
  [[nodiscard]] bool may_send_next(std::size_t reserved) const;  // with the lock held
  void say(std::uint64_t id, const std::string& status);
  void keep_alive(Clock::time_point now);
  void step_to_the_end(Clock::time_point now);
  void drop(const std::string& reason);
  void complain(const std::string& text);
  void call_ended();
  [[nodiscard]] bool drained();
  [[nodiscard]] Clock::time_point next_wake();
  [[nodiscard]] MqttConnection::Events events();
  void heard_status(const std::string& status, const std::string& instance);
  void enter(Phase phase, Clock::duration limit);

  const MqttOptions options_;
  const Handlers handlers_;
  const std::string name_;
  const std::string instance_;  // sorts by the time of the start
  std::vector<MqttSubscription> subscriptions_;

  std::mutex mutex_;
  std::condition_variable cond_;
  bool woken_ = false;      // one notification for all that comes while the thread is busy
  bool gathering_ = false;  // asleep, and will look for QoS 0 ones by itself, soon
  MqttQueue queue_;
  std::vector<Ack> acks_;
  std::vector<std::function<void()>> posts_;
  std::size_t window_ = kMqttWindow;
  std::optional<Clock::time_point> stop_by_;
  bool stopped_ = false;  // no thread any more

  std::atomic<bool> connected_{false};
  std::atomic<bool> taken_over_{false};

  // The MQTT thread only.
  std::unique_ptr<MqttConnection> connection_;
  Phase phase_ = Phase::waiting;
  Clock::time_point phase_deadline_{};
  Clock::time_point up_since_{};
  Clock::time_point next_attempt_{};
  int failures_ = 0;
  bool session_present_ = false;
  bool heard_ourselves_ = false;  // our own `online`: all that comes on the status topic from now on is newer
  Clock::time_point next_status_{};
  std::optional<Clock::time_point> status_sent_;
  Clock::time_point gather_until_{};
  std::optional<Clock::time_point> last_complaint_;
  bool told_down_ = true;
  std::minstd_rand random_{std::random_device{}()};
  std::thread thread_;
};

}  // namespace dfota
