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
      id_(random_hex()),
      response_topic_(options.root + "/client/" + id_ + "/rsp") {}

MqttOptions Connection::mqtt_options(const Call& call) const {
  MqttOptions mqtt;
  mqtt.uri = options_.broker;
  mqtt.client_id = "dfota-ctl-" + id_;
  mqtt.username = options_.username;
  mqtt.password = options_.password;
  mqtt.ca_file = options_.ca_file;
  mqtt.session_expiry = kSession;
  mqtt.subscriptions = {{response_topic_, false}, {options_.base() + "/status", true}};
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
  log::set_level(log::Level::error);  // from here on its lines would only get between the bars
  call.begin();
}

void Connection::ask(const std::string& verb, Json body, Answer answer, bool told) {
  question_ = Question{id_ + "-" + std::to_string(++questions_), std::move(answer), told};
  body["transaction"] = question_->id;
  MqttPublication command;
  command.topic = options_.base() + "/cmd/" + verb;
  command.payload = dumped(body);
  command.response_topic = response_topic_;
  command.correlation_data = question_->id;
  wait_for_answer(options_.timeout);
  client_->publish(std::move(command), [this](const Result<void>& result) {
    if (result || result.error().code == Errc::canceled) return;
    asio::post(loop_, [this, why = result.error().message] {
      output_.complain("the broker refused the command: " + why);
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
  client_->publish(std::move(barrier));
}

void Connection::heard(Call& call, const MqttMessage& message) {
  if (code_) return;
  if (message.topic == response_topic_) {
    if (!retained_came_ || message.payload != kBarrier) return heard_reply(message);
    return std::exchange(retained_came_, nullptr)();
  }
  if (message.topic == options_.base() + "/status") online_ = message.payload == "online";
  call.heard(message);
}

/// A reply to nothing, or to what was answered already (QoS 1), is dropped.
void Connection::heard_reply(const MqttMessage& message) {
  if (!question_ || message.correlation_data.value_or(question_->id) != question_->id) return;
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

}  // namespace dfota::ctl
