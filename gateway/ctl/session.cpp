#include "gateway/ctl/session.hpp"

#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/signal_set.hpp>
#include <atomic>
#include <csignal>
#include <deque>
#include <random>

#include "gateway/ctl/output.hpp"
#include "gateway/ctl/text.hpp"
#include "transport/base/clock.hpp"
#include "transport/base/log.hpp"
#include "transport/mqtt_client.hpp"

namespace dfota::ctl {
namespace {
using namespace std::chrono_literals;

constexpr auto kRedrawEvery = 100ms;
constexpr auto kFarewell = 2s;
constexpr std::size_t kMaxEarly = 10000;      // messages before the gateway's answer names the job
constexpr int kMaxPending = 20000;            // on their way to the loop; progress beyond it is not shown
constexpr std::chrono::seconds kSession{60};  // a broker that is away for a moment keeps results for us
constexpr const char* kBarrier = "barrier";

std::string random_hex() {
  std::random_device device;
  char text[17];
  std::snprintf(text, sizeof text, "%08x%08x", static_cast<unsigned>(device()), static_cast<unsigned>(device()));
  return text;
}

std::string job_of(const Message& message) {
  if (const auto* progress = std::get_if<Progress>(&message)) return progress->job;
  if (const auto* result = std::get_if<ModuleResult>(&message)) return result->job;
  if (const auto* error = std::get_if<ModuleError>(&message)) return error->job;
  if (const auto* state = std::get_if<JobState>(&message)) return state->job;
  return {};
}

class Session {
 public:
  explicit Session(const Options& options);
  int run();

 private:
  struct Heard {
    std::string topic, payload;
    bool retained;
    Message message;
  };

  [[nodiscard]] MqttOptions mqtt_options() const;
  MqttClient::Handlers mqtt_handlers();
  void connected();
  void send_update(const UpdateRequest& request);
  void heard(const MqttMessage& message);
  void heard_reply(const std::string& payload);
  void heard_barrier();
  void follow(const Heard& heard);
  void status_changed(bool online);
  void timed_out();
  void interrupted();
  void redraw_soon();
  void end(int code);

  const Options& options_;
  const UpdateCall* update_;
  const std::string id_ = random_hex();
  const std::string response_topic_;
  asio::io_context loop_;
  asio::signal_set signals_{loop_, SIGINT, SIGTERM};
  Timer timeout_{loop_};
  Timer redraw_{loop_};
  bool redraw_pending_ = false;
  std::atomic<int> pending_{0};
  Output output_;
  std::optional<std::string> job_;
  WatchModel model_;
  std::deque<Heard> early_;
  bool was_connected_ = false, began_ = false, answered_ = false;
  std::optional<bool> online_;
  std::optional<int> code_;
  MqttClient client_;  // last: its thread posts to the loop
};

Session::Session(const Options& options)
    : options_(options),
      update_(std::get_if<UpdateCall>(&options.call)),
      response_topic_(options.root + "/client/" + id_ + "/rsp"),
      output_(options.json),
      job_(update_ != nullptr ? std::nullopt : std::get<WatchCall>(options.call).job),
      model_(job_),
      client_(mqtt_options(), mqtt_handlers()) {}

MqttOptions Session::mqtt_options() const {
  MqttOptions mqtt;
  mqtt.uri = options_.broker;
  mqtt.client_id = "dfota-ctl-" + id_;
  mqtt.username = options_.username;
  mqtt.password = options_.password;
  mqtt.ca_file = options_.ca_file;
  mqtt.session_expiry = kSession;
  const std::string base = options_.base();
  // What is retained comes last: whoever sees it can rely on the others.
  mqtt.subscriptions = {{response_topic_, false},           {base + "/module/+/progress", false},
                        {base + "/module/+/result", false}, {base + "/module/+/error/#", false},
                        {base + "/status", true},           {base + "/job/" + job_.value_or("+") + "/state", true}};
  return mqtt;
}

MqttClient::Handlers Session::mqtt_handlers() {
  MqttClient::Handlers handlers;
  handlers.message = [this](const MqttMessage& message) {
    if (pending_ >= kMaxPending && message.qos == 0) return true;
    ++pending_;
    asio::post(loop_, [this, message] {
      --pending_;
      heard(message);
    });
    return true;
  };
  handlers.connected = [this](bool) { asio::post(loop_, [this] { connected(); }); };
  return handlers;
}

int Session::run() {
  signals_.async_wait([this](const asio::error_code& error, int) {
    if (!error) interrupted();
  });
  timeout_.expires_after(options_.timeout);
  timeout_.async_wait([this](const asio::error_code& error) {
    if (!error) timed_out();
  });
  client_.start();
  const auto work = asio::make_work_guard(loop_);
  while (!code_) loop_.run_one();
  client_.stop(kFarewell);
  return *code_;
}

void Session::end(int code) {
  if (!code_) code_ = code;
}

void Session::connected() {
  if (std::exchange(was_connected_, true)) return;
  log::set_level(log::Level::error);  // from here on its lines would only get between the bars
  if (update_ != nullptr) return send_update(update_->request);
  MqttPublication barrier;  // comes back after all that was retained
  barrier.topic = response_topic_;
  barrier.payload = kBarrier;
  client_.publish(std::move(barrier));
}

void Session::send_update(const UpdateRequest& request) {
  MqttPublication command;
  command.topic = options_.base() + "/cmd/update";
  command.payload = update_body(request, id_);
  command.response_topic = response_topic_;
  command.correlation_data = id_;
  client_.publish(std::move(command), [this](const Result<void>& result) {
    if (result || result.error().code == Errc::canceled) return;
    asio::post(loop_, [this, why = result.error().message] {
      output_.complain("the broker refused the command: " + why);
      end(kExitNotWell);
    });
  });
}

void Session::heard(const MqttMessage& message) {
  if (code_) return;
  if (message.topic == response_topic_) {
    if (update_ == nullptr && message.payload == kBarrier) return heard_barrier();
    if (update_ == nullptr || answered_ || message.correlation_data.value_or(id_) != id_) return;
    output_.json_line(json_line(message.topic, message.payload, message.retained));
    return heard_reply(message.payload);
  }
  Heard heard{message.topic, message.payload, message.retained,
              parse_message(options_.base(), message.topic, message.payload)};
  if (const auto* status = std::get_if<GatewayStatus>(&heard.message)) {
    output_.json_line(json_line(heard.topic, heard.payload, heard.retained));
    return status_changed(status->online);
  }
  if (update_ != nullptr && !answered_) {
    if (early_.size() < kMaxEarly) early_.push_back(std::move(heard));
    return;
  }
  follow(heard);
}

void Session::heard_reply(const std::string& payload) {
  answered_ = true;
  timeout_.cancel();
  const auto reply = parse_reply(payload);
  if (!reply) {
    output_.complain(reply.error().message);
    return end(kExitNoAnswer);
  }
  for (const auto& warning : reply->warnings) output_.complain("warning: " + warning);
  if (!reply->ok) {
    const std::string where = reply->pointer.empty() ? "" : " (" + reply->pointer + ")";
    output_.complain("refused: " + reply->code + ": " + reply->message + where);
    return end(kExitNotWell);
  }
  job_ = reply->job.empty() ? update_->request.job : std::optional(reply->job);
  if (!job_) {
    output_.complain("the gateway's answer names no job");
    return end(kExitNoAnswer);
  }
  const std::string count = reply->modules > 0 ? ", modules: " + std::to_string(reply->modules) : "";
  output_.line("job " + *job_ + ": accepted" + count);
  if (!update_->wait) return end(kExitWell);
  began_ = true;
  model_ = WatchModel(job_);
  for (const auto& heard : std::exchange(early_, {})) follow(heard);
}

/// What was retained has come. A job that has ended before it is only told where it was asked for.
void Session::heard_barrier() {
  answered_ = true;
  if (online_.value_or(false)) status_changed(true);
}

void Session::status_changed(bool online) {
  const bool changed = online_ && online_ != online;
  online_ = online;
  if (changed) output_.line("gateway " + options_.gateway + ": " + (online ? "online" : "offline; waiting for it"));
  if (update_ != nullptr || began_ || !answered_ || !online) return;
  if (job_ && !model_.has_job()) {
    output_.complain("gateway " + options_.gateway + " knows no job " + *job_);
    return end(kExitNotWell);
  }
  began_ = true;
  timeout_.cancel();
}

void Session::follow(const Heard& heard) {
  if (heard.message.index() == 0) return;
  if (job_ && job_of(heard.message) != *job_) return;
  const auto* state = std::get_if<JobState>(&heard.message);
  // Of all jobs, those that had ended before we came are not told.
  const bool is_old = !job_ && !answered_ && state != nullptr && is_final(state->state);
  if (is_old && !model_.jobs().contains(state->job)) return;
  output_.json_line(json_line(heard.topic, heard.payload, heard.retained));
  output_.show(model_.apply(heard.message));
  if (output_.broken()) return end(kExitNotWell);
  if (model_.ended()) return end(model_.all_well() ? kExitWell : kExitNotWell);
  redraw_soon();
}

void Session::redraw_soon() {
  if (!output_.has_bars() || redraw_pending_) return;
  redraw_pending_ = true;
  redraw_.expires_after(kRedrawEvery);
  redraw_.async_wait([this](const asio::error_code& error) {
    redraw_pending_ = false;
    if (!error && !code_) output_.redraw(model_);
  });
}

void Session::timed_out() {
  if (began_ || (update_ != nullptr && answered_)) return;
  const std::string gateway = "gateway " + options_.gateway;
  if (!was_connected_) {
    output_.complain("the broker at " + options_.broker + " does not answer");
  } else if (!online_) {
    output_.complain("the broker answers, but " + gateway + " has no status on " + options_.base() +
                     "/status: is the id right, and was it ever there?");
  } else if (!*online_) {
    output_.complain("the broker answers, but " + gateway + " is offline");
  } else {
    output_.complain(gateway + " is online, but did not answer in time");
  }
  end(kExitNoAnswer);
}

void Session::interrupted() {
  if (began_ && job_) output_.complain("interrupted; the job goes on, and this follows it: dfota watch " + *job_);
  const bool watched_all = began_ && !job_;
  end(watched_all && model_.all_well() ? kExitWell : kExitNotWell);
}
}  // namespace

int run(const Options& options) {
  Session session(options);
  return session.run();
}

}  // namespace dfota::ctl
