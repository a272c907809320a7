// dfota's line to one gateway, the same for every verb: it connects, asks and hands over the reply, and says which part
// is missing when none comes. Everything runs on the loop of the thread that calls run(); MQTT messages are handed over
// to it. What a verb makes of it is a Call.
#pragma once

#include <asio/io_context.hpp>
#include <asio/signal_set.hpp>
#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gateway/ctl/options.hpp"
#include "gateway/ctl/output.hpp"
#include "gateway/ctl/replies.hpp"
#include "transport/base/clock.hpp"
#include "transport/mqtt_client.hpp"

namespace dfota::ctl {

class Call {
 public:
  virtual ~Call() = default;
  /// What it wants to hear besides the gateway's status. What is retained comes last: whoever sees it can rely on the
  /// others.
  [[nodiscard]] virtual std::vector<MqttSubscription> subscriptions() const { return {}; }
  virtual void begin() = 0;  ///< connected for the first time, all subscriptions stand
  virtual void heard(const MqttMessage& /*message*/) {}
  virtual int interrupted() { return kExitNotWell; }  ///< SIGINT, SIGTERM: the exit code
};

class Connection {
 public:
  /// Both outlive it.
  Connection(const Options& options, Output& output);

  /// Until somebody calls end(), or nobody answers in time. `call` outlives the run. Returns the exit code.
  int run(Call& call);

  /// One request at a time. A reply that says ok is handed to `answer`; a refusal, or none within --timeout, is told
  /// and ends the call. Warnings are told in any case. With `told`, --json shows the reply as it came.
  using Answer = std::function<void(const Json& data)>;
  void ask(const std::string& verb, Json body, Answer answer, bool told = true);
  /// Likewise, and the reply may take as long as Options::patience.
  void ask_patiently(const std::string& verb, Json body, Answer answer);

  /// `done` is called when all that was retained on the subscriptions has come.
  void after_retained(std::function<void()> done);

  /// Somebody answers: there is no time limit any more until the next ask().
  void settled();
  void end(int code);  ///< the first one counts

  asio::io_context& loop() { return loop_; }

 private:
  struct Question {
    std::string id;
    Answer answer;
    bool told;
  };

  [[nodiscard]] MqttOptions mqtt_options(const Call& call) const;
  MqttClient::Handlers mqtt_handlers(Call& call);
  void connected(Call& call);
  void not_connected(const Error& why);
  void publish(MqttPublication publication);
  [[nodiscard]] std::string our_name() const;
  [[nodiscard]] bool is_reply(const MqttMessage& message) const;
  [[nodiscard]] bool answers(const MqttMessage& message, const std::string& question) const;
  void heard(Call& call, const MqttMessage& message);
  void heard_reply(const MqttMessage& message);
  void wait_for_answer(std::chrono::milliseconds limit);
  void timed_out();

  const Options& options_;
  Output& output_;
  const std::string id_;
  const std::string response_topic_;
  asio::io_context loop_;
  asio::signal_set signals_{loop_, SIGINT, SIGTERM};
  Timer timeout_{loop_};
  std::atomic<int> pending_{0};
  int questions_ = 0;
  std::optional<Question> question_;
  std::function<void()> retained_came_;
  bool was_connected_ = false, waiting_ = false;
  std::optional<bool> online_;
  std::string why_not_connected_, asked_;  ///< the topic of the newest question
  std::optional<int> code_;
  std::unique_ptr<MqttClient> client_;  // last: its thread posts to the loop
};

}  // namespace dfota::ctl
