// Commands and R/hold as they come over MQTT, and the replies to them (the rest of MqttApi). A message is acknowledged
// when this says so: once what it led to is in the journal, or, where that takes minutes (artifact_add), at once.
#include <algorithm>
#include <asio/co_spawn.hpp>
#include <asio/post.hpp>

#include "gateway/command_message.hpp"
#include "gateway/json_guard.hpp"
#include "gateway/mqtt_api.hpp"
#include "transport/base/crash_point.hpp"
#include "transport/base/log.hpp"

namespace dfota {

using nlohmann::json;

namespace {

/// {"hold": true, "reason": "..."}, and nothing else.
bool is_hold(const json& document) {
  if (!document.is_object() || !document.contains("hold") || !document.at("hold").is_boolean()) return false;
  if (!document.contains("reason")) return document.size() == 1;
  return document.at("reason").is_string() && document.size() == 2;
}

}  // namespace

/// On Paho's thread. False: not in the journal, so the broker shall send it again.
bool MqttApi::take_message(const MqttMessage& message) {
  if (!taking_) return false;
  auto acknowledged = std::make_shared<std::promise<bool>>();
  auto done = acknowledged->get_future();
  asio::post(loop_, [this, message, acknowledged] { asio::co_spawn(loop_, handle(message, acknowledged), rethrow); });
  acknowledged.reset();
  const auto deadline = std::chrono::steady_clock::now() + kCommitLimit;
  while (done.wait_for(std::chrono::milliseconds(200)) != std::future_status::ready) {
    if (!taking_ || std::chrono::steady_clock::now() >= deadline) return false;
  }
  return done.get();
}

Awaitable<> MqttApi::handle(MqttMessage message, std::shared_ptr<std::promise<bool>> acknowledged) {
  if (message.topic == topics_.hold()) {
    const auto taken = co_await take_hold(message);
    acknowledged->set_value(taken.ok());
    co_return;
  }
  if (message.topic == home_assistant_.devices().status_topic()) {
    home_assistant_.status(message.payload);
    acknowledged->set_value(true);
    co_return;
  }
  const bool is_command =
      topic_matches(topics_.commands(), message.topic) || topic_matches(topics_.commands_to_all(), message.topic);
  if (!is_command) {
    acknowledged->set_value(true);  // the session remembers what another configuration subscribed to
    co_return;
  }
  const auto verb = message.topic.substr(message.topic.rfind('/') + 1);
  auto answered = co_await answer(message, verb);
  if (!answered) {
    log::error("mqtt: cmd/", verb,
               " is not acknowledged, for the journal does not have it: ", answered.error().message);
    acknowledged->set_value(false);
    co_return;
  }
  crash_point("puback.before");
  acknowledged->set_value(true);
  crash_point("puback.after");
  if (answered->later) {
    const auto reply = co_await answered->later();
    answered->reply.update(reply);
  }
  if (!answered->silent) send_reply(message, verb, std::move(answered->reply));
}

Awaitable<Result<Commands::Answer>> MqttApi::answer(const MqttMessage& message, std::string verb) {
  const auto refusal = [](const CommandFault& fault) { return Commands::Answer{error_reply(fault), false}; };
  auto parsed = parse_untrusted(message.payload);
  if (const auto* fault = std::get_if<JsonFault>(&parsed)) {
    const CommandFault unread{fault->code, fault->message, fault->pointer};
    co_return refusal(unread);
  }
  const auto& document = std::get<json>(parsed);
  Commands::Answer answer;
  if (const auto fault = why_unwelcome(message, Clock::now())) {
    answer = refusal(*fault);
  } else if (message.response_topic && !response_topic_allowed(*message.response_topic)) {
    const CommandFault forbidden{"forbidden_response_topic",
                                 "the response topic is not among mqtt.response_topics; this reply is on the default "
                                 "topic",
                                 ""};
    answer = refusal(forbidden);
  } else {
    const bool to_all = !message.topic.starts_with(topics_.command(""));
    auto decided = co_await commands_->run(verb, document, to_all);
    if (!decided) co_return decided.error();
    answer = std::move(*decided);
  }
  if (verb == "ping" && answer.reply.contains("data")) answer.reply["data"]["mqtt"]["qos"] = message.qos;
  if (const auto transaction = transaction_of(document); !transaction.empty()) {
    answer.reply["transaction"] = transaction;
  }
  co_return answer;
}

/// R/hold, retained: {"hold": true, "reason": "..."}. What cannot be read changes nothing.
Awaitable<Result<void>> MqttApi::take_hold(const MqttMessage& message) {
  auto parsed = message.payload.empty() ? json{{"hold", false}} : json();
  if (!message.payload.empty()) {
    auto read = parse_untrusted(message.payload);
    if (auto* document = std::get_if<json>(&read)) parsed = std::move(*document);
  }
  if (!is_hold(parsed)) {
    log::error("mqtt: ", message.topic, " is not {\"hold\": true or false, \"reason\": text}; nothing is changed");
    report_fault("hold_invalid", "R/hold must be {\"hold\": true or false, \"reason\": text}");
    co_return Result<void>();
  }
  std::optional<std::string> reason;
  if (parsed.at("hold").get<bool>()) {
    reason = parsed.value("reason", "");
    if (reason->empty()) reason = "held";
  }
  jobs_->hold(std::move(reason));
  co_return co_await journal_.committed();
}

bool MqttApi::response_topic_allowed(const std::string& topic) const {
  if (topic.empty() || topic.find_first_of("+#") != std::string::npos || topic.front() == '$') return false;
  if (topic_matches(topics_.topic_root() + "/+/cmd/#", topic) ||
      topic.starts_with(config_.home_assistant.prefix + "/")) {
    return false;
  }
  const auto allows = [&](const std::string& filter) { return topic_matches(filter, topic); };
  const auto ours = topics_.response_filters();
  const auto& configured = config_.mqtt.response_topics;
  return std::any_of(ours.begin(), ours.end(), allows) || std::any_of(configured.begin(), configured.end(), allows);
}

void MqttApi::send_reply(const MqttMessage& message, const std::string& verb, json reply) {
  reply.update(payload(config_.gateway.id));
  if (message.qos == 0 && reply.value("status", "") == "ok") {
    reply["warnings"].push_back("qos_0: the command was sent at QoS 0 and could have been lost; use QoS 1");
  }
  if (reply.value("status", "") == "error") {
    const auto& error = reply["error"];
    log::notice("mqtt: cmd/", verb, " refused: ", error.value("code", ""), ": ", error.value("message", ""), " ",
                error.value("pointer", ""));
  }
  MqttPublication publication;
  const bool own_topic = message.response_topic && response_topic_allowed(*message.response_topic);
  publication.topic = own_topic ? *message.response_topic : topics_.reply(is_topic_id(verb) ? verb : "unknown");
  publication.payload = dump(reply);
  publication.correlation_data = message.correlation_data;
  publication.message_expiry = kReplyLife;
  mqtt_.publish(std::move(publication));
}

}  // namespace dfota
