#include "gateway/ctl/connection.hpp"

#include <algorithm>
#include <asio/post.hpp>
#include <csignal>
#include <utility>

#include "gateway/ctl/broker_access.hpp"
#include "gateway/ctl/messages.hpp"
#include "transport/base/log.hpp"

namespace dfota::ctl {
namespace {
using namespace std::chrono_literals;

constexpr auto kFarewell = 2s;
constexpr int kMaxPending = 20000;            // on their way to the loop; progress beyond it is not shown
constexpr std::chrono::seconds kSession{60};  // a broker that is away for a moment keeps results for us
constexpr const char* kBarrier = "barrier";
constexpr auto kWithoutBarrier = 1s;  // for what is retained, where we may not publish
constexpr const char* kPing = "-ping";

/// Verbs to which a gateway of a fleet says nothing when nothing of it is its own.
bool may_be_silent(const std::string& verb) {
  return verb == "update" || verb == "cancel" || verb == "pause" || verb == "resume";
}
}  // namespace

Connection::Connection(const Options& options, Output& output)
    : options_(options), output_(output), id_(new_client_id()), response_topic_(response_topic_of(options, id_)) {}

MqttOptions Connection::mqtt_options(const Call& call) const {
  MqttOptions mqtt = broker_access(options_, id_);
  mqtt.persistent_session = mqtt.version == 5;  // 3.1.1 has no expiry: it would stay for ever
  mqtt.session_expiry = kSession;
  const std::string heard = options_.heard_base();
  mqtt.subscriptions = {{response_topic_, false}, {heard + "/status", true}};
  if (mqtt.version == 3) mqtt.subscriptions.push_back({heard + "/rsp/#", false});
  if (options_.is_fleet()) mqtt.subscriptions.push_back({heard + "/info", true});
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

void Connection::connected(Call& call) {
  if (code_ || std::exchange(was_connected_, true)) return;
  if (!options_.is_fleet()) return call.begin();
  after_retained([this, &call] {
    if (fleet_.empty()) return nobody_there();
    call.begin();
  });
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

void Connection::publish(const std::string& topic, Json body, const std::string& id) {
  body["transaction"] = id;
  MqttPublication command;
  command.topic = topic;
  command.payload = dumped(body);
  command.response_topic = response_topic_;
  command.correlation_data = id;
  command.message_expiry = std::max(std::chrono::ceil<std::chrono::seconds>(options_.timeout), 1s);
  client_->publish(std::move(command), [this, topic](const Result<void>& result) {
    if (result || result.error().code == Errc::canceled) return;
    asio::post(loop_, [this, topic, why = result.error().message] {
      if (code_) return;
      output_.complain("the broker refuses to let " + our_name() + " publish to " + topic + ": " + why);
      end(kExitNotWell);
    });
  });
}

void Connection::ask(Question question) {
  const bool fleet = options_.is_fleet();
  auto awaited = question.of.empty() ? fleet_.online() : question.of;
  if (!fleet) awaited = {options_.gateway};
  if (fleet && question.of.empty()) {
    for (const auto& gateway : fleet_.offline()) missed("gateway " + gateway + " is offline, and was not asked");
  }
  const std::string id = id_ + "-" + std::to_string(++questions_);
  std::vector<std::string> bases = {options_.base()};
  if (fleet && !question.of.empty()) {
    bases.clear();
    for (const auto& gateway : question.of) bases.push_back(options_.root + "/" + gateway);
  }
  asked_ = Asked{std::move(question), id, Round(awaited)};
  wait_for_answer(options_.timeout);
  if (asked_->round.complete()) return round_ended();
  const Question& asked = asked_->question;
  for (const auto& base : bases) publish(base + "/cmd/" + asked.verb, asked.body, id);
  // Its answer comes behind that to the command: who answers this one only has nothing to say to the other.
  if (fleet && may_be_silent(asked.verb)) publish(options_.base() + "/cmd/ping", Json::object(), id + kPing);
}

void Connection::ask(const std::string& verb, Json body, Answer answer, bool told) {
  Question question{verb, std::move(body), nullptr};
  question.answer = [answer = std::move(answer)](const std::string&, const Json& data) { answer(data); };
  question.told = told;
  ask(std::move(question));
}

void Connection::ask_patiently(const std::string& verb, Json body, Answer answer) {
  Question question{verb, std::move(body), nullptr};
  question.answer = [answer = std::move(answer)](const std::string&, const Json& data) { answer(data); };
  question.patient = true;
  ask(std::move(question));
}

void Connection::after_retained(std::function<void()> done) {
  retained_came_ = std::move(done);
  MqttPublication barrier;  // comes back after all that was retained
  barrier.topic = response_topic_;
  barrier.payload = kBarrier;
  client_->publish(std::move(barrier), [this](const Result<void>& result) {
    if (result || result.error().code == Errc::canceled) return;
    asio::post(loop_, [this] {  // the broker's ACL lets us listen only
      barrier_.expires_after(kWithoutBarrier);
      barrier_.async_wait([this](const asio::error_code& error) {
        if (!error && !code_ && retained_came_) std::exchange(retained_came_, nullptr)();
      });
    });
  });
}

void Connection::heard(Call& call, const MqttMessage& message) {
  if (code_) return;
  if (is_reply(options_, response_topic_, message)) {
    if (!retained_came_ || message.payload != kBarrier) return heard_reply(message);
    return std::exchange(retained_came_, nullptr)();
  }
  if (const auto gateway = gateway_of(options_.root, message.topic)) {
    const std::string base = options_.root + "/" + *gateway;
    if (message.topic == base + "/status" && !message.payload.empty()) {
      fleet_.heard_status(*gateway, message.payload == "online");
    }
    if (message.topic == base + "/info" && !message.payload.empty()) fleet_.heard_info(*gateway);
  }
  call.heard(message);
}

/// A reply to nothing, or to what was answered already (QoS 1), is dropped.
void Connection::heard_reply(const MqttMessage& message) {
  if (!asked_) return;
  const bool command = answers(options_, message, asked_->id);
  const bool pong = !command && answers(options_, message, asked_->id + kPing);
  if (!command && !pong) return;
  std::string gateway = options_.gateway;
  if (options_.is_fleet()) {
    const Json reply = parse_json(message.payload);
    gateway = reply.is_object() ? text(reply, "gateway") : "";
    if (gateway.empty()) return;
  }
  if (pong) {
    asked_->round.silent(gateway);
  } else if (asked_->round.answered(gateway)) {
    take_reply(gateway, message);
  }
  if (!code_ && asked_ && asked_->round.complete()) round_ended();
}

void Connection::take_reply(const std::string& gateway, const MqttMessage& message) {
  if (asked_->question.told) output_.json_line(json_line(message.topic, message.payload, message.retained));
  const bool fleet = options_.is_fleet();
  const std::string who = fleet ? gateway + ": " : "";
  const auto reply = parse_reply(message.payload);
  if (!reply) {
    output_.complain(who + reply.error().message);
    if (!fleet) end(kExitNoAnswer);
    somebody_missed_ = true;
    return;
  }
  for (const auto& warning : reply->warnings) output_.complain(who + "warning: " + warning);
  if (!reply->ok) return refused(gateway, *reply);
  if (fleet) return asked_->question.answer(gateway, reply->data);
  // The only answer: it may ask the next question.
  const Question question = std::move(std::exchange(asked_, std::nullopt)->question);
  settled();
  question.answer(gateway, reply->data);
  if (!code_ && question.done) question.done();
}

void Connection::refused(const std::string& gateway, const Reply& reply) {
  const std::string where = reply.pointer.empty() ? "" : " (" + reply.pointer + ")";
  const std::string who = options_.is_fleet() ? gateway + ": " : "";
  output_.complain(who + "refused: " + reply.code + ": " + reply.message + where);
  somebody_refused_ = true;
  if (!options_.is_fleet()) end(kExitNotWell);
}

/// Of a fleet: all have answered, or the time is over.
void Connection::round_ended() {
  const Asked asked = *std::exchange(asked_, std::nullopt);
  settled();
  for (const auto& gateway : asked.round.missing()) {
    missed("gateway " + gateway + " is online, but did not answer in time");
  }
  if (asked.round.nobody_answered()) {
    if (asked.round.somebody_was_silent()) {
      output_.complain("no gateway that is online has what the command names");
      return end(kExitNotWell);
    }
    return end(kExitNoAnswer);
  }
  if (asked.question.done) asked.question.done();
}

void Connection::missed(const std::string& what) {
  output_.complain(what);
  somebody_missed_ = true;
}

void Connection::end(int code) {
  if (code_) return;
  if (code == kExitWell && somebody_refused_) code = kExitNotWell;
  if (code == kExitWell && somebody_missed_) code = kExitNoAnswer;
  code_ = code;
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
  const auto online = fleet_.is_online(options_.gateway);
  const bool somebody_works = options_.is_fleet() ? asked_ && !asked_->round.complete() : online.value_or(false);
  if (asked_ && std::exchange(asked_->question.patient, false) && somebody_works &&
      options_.patience > options_.timeout) {
    return wait_for_answer(options_.patience - options_.timeout);
  }
  if (!was_connected_) {
    const std::string why = why_not_connected_.empty() ? "" : ": " + why_not_connected_;
    output_.complain("the broker at " + options_.broker + " does not answer" + why);
  } else if (options_.is_fleet()) {
    if (asked_) return round_ended();
    return nobody_there();
  } else if (!online) {
    output_.complain("the broker answers, but " + gateway + " has no status on " + options_.base() +
                     "/status: is the id right, and was it ever there?");
  } else if (!*online) {
    output_.complain("the broker answers, but " + gateway + " is offline");
  } else {
    // A broker that speaks 3.1.1 acknowledges what it does not let pass.
    const bool silent = options_.mqtt_version == 3 && asked_;
    const std::string topic = silent ? options_.base() + "/cmd/" + asked_->question.verb : "";
    const std::string doubt = silent ? ": may " + our_name() + " publish to " + topic + "?" : "";
    output_.complain(gateway + " is online, but did not answer in time" + doubt);
  }
  end(kExitNoAnswer);
}

void Connection::nobody_there() {
  output_.complain("the broker answers, but no gateway has a status on " + options_.heard_base() + "/status");
  end(kExitNoAnswer);
}

}  // namespace dfota::ctl
