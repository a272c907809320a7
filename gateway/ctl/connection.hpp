// dfota's line to one gateway, or to all of them, the same for every verb: it connects, asks and hands over the
// replies, and says which part is missing when none comes. Everything runs on the loop of the thread that calls run();
// MQTT messages are handed over to it. What a verb makes of it is a Call.
#pragma once

#include <asio/io_context.hpp>
#include <asio/signal_set.hpp>
#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gateway/ctl/fleet.hpp"
#include "gateway/ctl/options.hpp"
#include "gateway/ctl/output.hpp"
#include "gateway/ctl/replies.hpp"
#include "transport/base/clock.hpp"
#include "transport/mqtt_client.hpp"

namespace dfota::ctl {

class Call {
 public:
  virtual ~Call() = default;
  /// What it wants to hear besides the status of gateways. What is retained comes last: whoever sees it can rely on the
  /// others.
  [[nodiscard]] virtual std::vector<MqttSubscription> subscriptions() const { return {}; }
  /// Connected for the first time, all subscriptions stand; of a fleet: what was retained has come.
  virtual void begin() = 0;
  virtual void heard(const MqttMessage& /*message*/) {}
  virtual int interrupted() { return kExitNotWell; }  ///< SIGINT, SIGTERM: the exit code
};

class Connection {
 public:
  /// Both outlive it.
  Connection(const Options& options, Output& output);

  /// Until somebody calls end(), or nobody answers in time. `call` outlives the run. Returns the exit code.
  int run(Call& call);

  /// What is asked of the gateway, or of all that are online. A refusal, or no answer within --timeout, is told: from
  /// one gateway it ends the call; of a fleet the others are heard out, and the exit code will not be 0. Warnings are
  /// told in any case.
  struct Question {
    std::string verb;
    Json body;
    std::function<void(const std::string& gateway, const Json& data)> answer;  ///< each reply that says ok
    std::function<void()> done = nullptr;  ///< behind the last one, if there was any
    bool told = true;                      ///< --json shows each reply as it came
    bool patient = false;                  ///< a gateway that is online may take as long as Options::patience
    std::vector<std::string> of = {};      ///< of a fleet only these; empty: all
  };
  /// One at a time; the next one not before done(), or from the answer of one gateway.
  void ask(Question question);
  /// Of one gateway.
  using Answer = std::function<void(const Json& data)>;
  void ask(const std::string& verb, Json body, Answer answer, bool told = true);
  void ask_patiently(const std::string& verb, Json body, Answer answer);

  /// `done` is called when all that was retained on the subscriptions has come.
  void after_retained(std::function<void()> done);

  /// Somebody answers: there is no time limit any more until the next ask().
  void settled();
  /// A gateway of the fleet is not there, which is told: the exit code will not be 0.
  void missed(const std::string& what);
  void end(int code);  ///< the first one counts

  asio::io_context& loop() { return loop_; }
  [[nodiscard]] const Fleet& fleet() const { return fleet_; }

 private:
  struct Asked {
    Question question;
    std::string id;
    Round round;
  };

  [[nodiscard]] MqttOptions mqtt_options(const Call& call) const;
  MqttClient::Handlers mqtt_handlers(Call& call);
  void connected(Call& call);
  void not_connected(const Error& why);
  [[nodiscard]] std::string our_name() const;
  void heard(Call& call, const MqttMessage& message);
  void heard_reply(const MqttMessage& message);
  void take_reply(const std::string& gateway, const MqttMessage& message);
  void refused(const std::string& gateway, const Reply& reply);
  void round_ended();
  void publish(const std::string& topic, Json body, const std::string& id);
  void wait_for_answer(std::chrono::milliseconds limit);
  void timed_out();
  void nobody_there();

  const Options& options_;
  Output& output_;
  const std::string id_;
  const std::string response_topic_;
  asio::io_context loop_;
  asio::signal_set signals_{loop_, SIGINT, SIGTERM};
  Timer timeout_{loop_};
  Timer barrier_{loop_};
  std::atomic<int> pending_{0};
  int questions_ = 0;
  std::optional<Asked> asked_;
  Fleet fleet_;
  bool somebody_refused_ = false, somebody_missed_ = false;
  std::function<void()> retained_came_;
  bool was_connected_ = false, waiting_ = false;
  std::string why_not_connected_;
  std::optional<int> code_;
  std::unique_ptr<MqttClient> client_;  // last: its thread posts to the loop
};

}  // namespace dfota::ctl
