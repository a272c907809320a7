// update, retry and watch: a job is followed to its end, in bars, lines or JSON; or all jobs, until interrupted. On the
// loop.
#pragma once

#include <deque>
#include <optional>
#include <string>

#include "gateway/ctl/connection.hpp"
#include "gateway/ctl/messages.hpp"
#include "gateway/ctl/pages.hpp"
#include "gateway/ctl/watch_model.hpp"

namespace dfota::ctl {

class JobWatch : public Call {
 public:
  /// All outlive it. options.call is one of the three.
  JobWatch(const Options& options, Connection& connection, Output& output);

  [[nodiscard]] std::vector<MqttSubscription> subscriptions() const override;
  void begin() override;
  void heard(const MqttMessage& message) override;
  int interrupted() override;

 private:
  struct Heard {
    std::string topic, payload;
    bool retained;
    Message message;
  };

  void find_newest_run();
  void ask_retry(std::int64_t run);
  void accepted(const Json& data);
  void retained_came();
  void status_changed(bool online);
  void follow(const Heard& heard);
  void redraw_soon();

  const Options& options_;
  Connection& connection_;
  Output& output_;
  const bool asks_;  ///< update, retry: the reply names the job and its run
  std::optional<std::string> job_;
  std::int64_t first_run_ = 0;
  WatchModel model_;
  Pages list_;
  std::optional<std::int64_t> newest_run_;
  std::deque<Heard> early_;  ///< before the reply
  bool answered_ = false, began_ = false;
  std::optional<bool> online_;
  Timer redraw_;
  bool redraw_pending_ = false;
  bool over_ = false;
};

}  // namespace dfota::ctl
