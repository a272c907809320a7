// One connection to a broker for `dfota doctor`: each step of it is asked for and waited for by itself, and what the
// broker says of it is handed over as it is. The caller's thread; events come on Paho's.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "transport/mqtt_connection.hpp"

namespace dfota::ctl {

class DoctorLink {
 public:
  explicit DoctorLink(MqttOptions options);
  ~DoctorLink();
  DoctorLink(const DoctorLink&) = delete;
  DoctorLink& operator=(const DoctorLink&) = delete;

  using Limit = std::chrono::milliseconds;
  Result<void> connect(Limit limit);
  Result<void> subscribe(const std::vector<MqttSubscription>& subscriptions, Limit limit);
  /// To the PUBACK.
  Result<void> publish(MqttPublication publication, Limit limit);

  /// Until `fits` is true of a message that came, or comes; it must not call this.
  std::optional<MqttMessage> wait_for(const std::function<bool(const MqttMessage&)>& fits, Limit limit);
  /// What has come so far.
  std::vector<MqttMessage> messages() const;

 private:
  Result<void> wait_for_end(const char* what, Limit limit);
  void ended(Result<void> result);

  const MqttOptions options_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<Result<void>> end_;  ///< of what was asked for last
  std::optional<std::string> lost_;
  std::vector<MqttMessage> messages_;
  std::uint64_t next_id_ = 1;
  std::unique_ptr<MqttConnection> connection_;  // last: no event comes after it
};

}  // namespace dfota::ctl
