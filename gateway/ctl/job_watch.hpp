// update, install, retry and watch: a job is followed to its end, in bars, lines or JSON; of a fleet on each gateway
// that has it; or all jobs, until interrupted. On the loop.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>

#include "gateway/ctl/connection.hpp"
#include "gateway/ctl/messages.hpp"
#include "gateway/ctl/pages.hpp"
#include "gateway/ctl/watch_model.hpp"

namespace dfota::ctl {

class JobWatch : public Call {
 public:
  /// All outlive it. options.call is one of the four.
  JobWatch(const Options& options, Connection& connection, Output& output);

  [[nodiscard]] std::vector<MqttSubscription> subscriptions() const override;
  void begin() override;
  void heard(const MqttMessage& message) override;
  int interrupted() override;

 private:
  struct Heard {
    std::string gateway, topic, payload;
    bool retained;
    Message message;
  };
  /// What is followed on one gateway.
  struct Followed {
    std::optional<std::string> job;  ///< nullopt: all
    std::int64_t first_run = 0;
    WatchModel model;
    bool over = false;
    bool well = true;  ///< of one that was over before it began
  };

  void ask(const std::string& verb, Json body);
  void find_newest_run();
  void accepted(const std::string& gateway, const Json& data);
  void all_accepted();
  void retained_came();
  void status_changed(const std::string& gateway, bool online);
  void begin_watching();
  void begin_watching_fleet();
  void gateway_unaware(const std::string& which);
  Followed& followed(const std::string& gateway);
  void follow(const Heard& heard);
  void show(const WatchModel::Lines& lines);
  void end_if_over();
  void recall_the_bad();
  void redraw_soon();
  void await_resize();

  const Options& options_;
  Connection& connection_;
  Output& output_;
  const bool asks_;  ///< update, install, retry: the reply names the job and its run
  const std::optional<std::string> job_;
  std::map<std::string, Followed> followed_;  ///< by gateway
  Pages list_;
  std::optional<std::int64_t> newest_run_;
  std::deque<Heard> early_;  ///< before the reply
  bool answered_ = false, began_ = false;
  std::map<std::string, bool> online_;
  Timer redraw_;
  asio::signal_set resized_;
  bool redraw_pending_ = false;
  bool over_ = false;
  std::optional<std::size_t> first_bad_;  ///< the row of its line
};

}  // namespace dfota::ctl
