#include "gateway/ctl/connection.hpp"

#include <asio/post.hpp>
#include <csignal>
#include <cstdio>
#include <random>
#include <utility>

#include "gateway/ctl/messages.hpp"
#include "transport/base/log.hpp"

namespace dfota::ctl {
namespace {
using namespace std::chrono_literals;

constexpr auto kFarewell = 2s;
constexpr int kMaxPending = 20000;            // on their way to the loop; progress beyond it is not shown
constexpr std::chrono::seconds kSession{60};  // a broker that is away for a moment keeps results for us
constexpr const char* kBarrier = "barrier";

std::string random_hex() {
  std::random_device device;
  char text[17];
  std::snprintf(text, sizeof text, "%08x%08x", static_cast<unsigned>(device()), static_cast<unsigned>(device()));
  return text;
}
}  // namespace

Connection::Connection(const Options& options, Output& output)
    : options_(options),
      output_(output),
      id_("dfota-ctl-" + random_hex()),
      response_topic_(options.root + "/client/" + id_ + "/rsp") {}

MqttOptions Connection::mqtt_options(const Call& call) const {
  MqttOptions mqtt;
  mqtt.uri = options_.broker;
  mqtt.client_id = id_;
  mqtt.username = options_.username;
  mqtt.password = options_.password;
  mqtt.ca_file = options_.ca_file;
  mqtt.cert_file = options_.cert_file;
  mqtt.key_file = options_.key_file;
  mqtt.version = options_.mqtt_version;
  mqtt.persistent_session = mqtt.version == 5;  // 3.1.1 has no expiry: it would stay for ever
  mqtt.session_expiry = kSession;
  mqtt.subscriptions = {{response_topic_, false}, {options_.base() + "/status", true}};
  if (mqtt.version == 3) mqtt.subscriptions.push_back({options_.base() + "/rsp/#", false});
  for (auto& subscription : call.subscriptions()) mqtt.subscriptions.push_back(std::move(subscription));
  return mqtt;
}

MqttClient::Handlers Connection::mqtt_handlers(Call& call) {
  MqttClient::Handlers handlers;
  handlers.message = [this, &call](const MqttMessage& message) {
    if (pending_ >= kMaxPending && message.qos == 0) return true;
    ++pending_;
    asio::post(loop_, [this, &call, message] {
      --pending_;
      heard(call, message);
    });
    return true;
  };
  handlers.failed = [this](const Error& why) { asio::post(loop_, [this, why] { not_connected(why); }); };
  handlers.connected = [this, &call](bool) { asio::post(loop_, [this, &call] { connected(call); }); };
  return handlers;
}

int Connection::run(Call& call) {
  signals_.async_wait([this, &call](const asio::error_code& error, int) {
    if (!error) end(call.interrupted());
  });
  client_ = std::make_unique<MqttClient>(mqtt_options(call), mqtt_handlers(call));
  wait_for_answer(options_.timeout);
  client_->start();
  const auto work = asio::make_work_guard(loop_);
  while (!code_) loop_.run_one();
  client_->stop(kFarewell);
  return *code_;
}

void Connection::end(int code) {
  if (!code_) code_ = code;
}

void Connection::connected(Call& call) {
  if (code_ || std::exchange(was_connected_, true)) return;
  call.begin();
}

/// A broker that says no is not asked for longer.
void Connection::not_connected(const Error& why) {
  if (code_ || was_connected_) return;
  why_not_connected_ = why.message;
  if (why.code != Errc::refused) return;
  output_.complain("no connection to the broker at " + options_.broker + ": " + why.message);
  end(kExitNoAnswer);
}

/// By what the broker knows us, for a person who looks into its access list.
std::string Connection::our_name() const {
  if (!options_.username.empty()) return "user " + options_.username;
  if (!options_.cert_file.empty()) return "the holder of " + options_.cert_file;
  return "clients without a user name";
}

void Connection::ask(const std::string& verb, Json body, Answer answer, bool told) {
  question_ = Question{id_ + "-" + std::to_string(++questions_), std::move(answer), told};
  body["transaction"] = question_->id;
  MqttPublication command;
  command.topic = asked_ = options_.base() + "/cmd/" + verb;
  command.payload = dumped(body);
  command.response_topic = response_topic_;
  command.correlation_data = question_->id;
  wait_for_answer(options_.timeout);
  publish(std::move(command));
}

/// What the broker refuses ends the call.
void Connection::publish(MqttPublication publication) {
  const std::string topic = publication.topic;
  client_->publish(std::move(publication), [this, topic](const Result<void>& result) {
    if (result || result.error().code == Errc::canceled) return;
    asio::post(loop_, [this, topic, why = result.error().message] {
      output_.complain("the broker refuses to let " + our_name() + " publish to " + topic + ": " + why);
      end(kExitNotWell);
    });
  });
}

void Connection::ask_patiently(const std::string& verb, Json body, Answer answer) {
  ask(verb, std::move(body), std::move(answer));
  wait_for_answer(options_.patience);
}

void Connection::after_retained(std::function<void()> done) {
  retained_came_ = std::move(done);
  MqttPublication barrier;  // comes back after all that was retained
  barrier.topic = response_topic_;
  barrier.payload = kBarrier;
  publish(std::move(barrier));
}

void Connection::heard(Call& call, const MqttMessage& message) {
  if (code_) return;
  if (is_reply(message)) {
    if (!retained_came_ || message.payload != kBarrier) return heard_reply(message);
    return std::exchange(retained_came_, nullptr)();
  }
  if (message.topic == options_.base() + "/status") online_ = message.payload == "online";
  call.heard(message);
}

/// MQTT 3.1.1 has no response topic: replies come where everybody's do.
bool Connection::is_reply(const MqttMessage& message) const {
  return message.topic == response_topic_ ||
         (options_.mqtt_version == 3 && message.topic.starts_with(options_.base() + "/rsp/"));
}

bool Connection::answers(const MqttMessage& message, const std::string& question) const {
  if (options_.mqtt_version == 5) return message.correlation_data.value_or(question) == question;
  const Json reply = parse_json(message.payload);
  return reply.is_object() && text(reply, "transaction") == question;
}

/// A reply to nothing, or to what was answered already (QoS 1), is dropped.
void Connection::heard_reply(const MqttMessage& message) {
  if (!question_ || !answers(message, question_->id)) return;
  const Question question = *std::exchange(question_, std::nullopt);
  settled();
  if (question.told) output_.json_line(json_line(message.topic, message.payload, message.retained));
  const auto reply = parse_reply(message.payload);
  if (!reply) {
    output_.complain(reply.error().message);
    return end(kExitNoAnswer);
  }
  for (const auto& warning : reply->warnings) output_.complain("warning: " + warning);
  if (reply->ok) return question.answer(reply->data);
  const std::string where = reply->pointer.empty() ? "" : " (" + reply->pointer + ")";
  output_.complain("refused: " + reply->code + ": " + reply->message + where);
  end(kExitNotWell);
}

void Connection::settled() {
  waiting_ = false;
  timeout_.cancel();
}

void Connection::wait_for_answer(std::chrono::milliseconds limit) {
  waiting_ = true;
  timeout_.expires_after(limit);
  timeout_.async_wait([this](const asio::error_code& error) {
    // One that ran out just before the reply came is not that of the next question.
    if (!error && waiting_ && Clock::now() >= timeout_.expiry()) timed_out();
  });
}

void Connection::timed_out() {
  const std::string gateway = "gateway " + options_.gateway;
  if (!was_connected_) {
    const std::string why = why_not_connected_.empty() ? "" : ": " + why_not_connected_;
    output_.complain("the broker at " + options_.broker + " does not answer" + why);
  } else if (!online_) {
    output_.complain("the broker answers, but " + gateway + " has no status on " + options_.base() +
                     "/status: is the id right, and was it ever there?");
  } else if (!*online_) {
    output_.complain("the broker answers, but " + gateway + " is offline");
  } else {
    // A broker that speaks 3.1.1 acknowledges what it does not let pass.
    const bool silent = options_.mqtt_version == 3 && !asked_.empty();
    const std::string doubt = silent ? ": may " + our_name() + " publish to " + asked_ + "?" : "";
    output_.complain(gateway + " is online, but did not answer in time" + doubt);
  }
  end(kExitNoAnswer);
}

}  // namespace dfota::ctl
