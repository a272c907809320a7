#include "gateway/mqtt_api.hpp"

#include <algorithm>
#include <array>
#include <asio/co_spawn.hpp>
#include <asio/post.hpp>
#include <ctime>

#include "gateway/json_guard.hpp"
#include "transport/base/log.hpp"

namespace dfota {
namespace {

using nlohmann::json;

constexpr std::array kVerbsLater = {"install",  "cancel",       "retry",           "pause",        "resume",  "scan",
                                    "list",     "replay",       "forget",          "ping",         "release", "claim",
                                    "rehearse", "artifact_add", "artifact_remove", "artifact_list"};

void rethrow(std::exception_ptr bug) {
  if (bug) std::rethrow_exception(bug);
}

json error_reply(const CommandFault& fault) {
  return {{"status", "error"},
          {"error", {{"code", fault.code}, {"message", fault.message}, {"pointer", fault.pointer}}}};
}

json ok_reply(json data) {
  return {{"status", "ok"}, {"data", std::move(data)}, {"warnings", json::array()}};
}

json job_summary(const std::string& gateway, const Job& job) {
  auto data = job_state_payload(gateway, 0, job);
  data.erase("ts");
  data.erase("gateway");
  auto& modules = data["modules"] = json::array();
  for (const auto& part : job.parts) modules.push_back(part->module);
  return data;
}

std::string local_zone() {
  const std::time_t now = std::time(nullptr);
  tm local{};
  localtime_r(&now, &local);
  char text[16];
  std::strftime(text, sizeof text, "%z", &local);
  return text;
}

}  // namespace

MqttApi::MqttApi(asio::io_context& loop, const Config& config, const std::string& password, Journal& journal,
                 std::vector<OutboxRow> outbox)
    : loop_(loop),
      config_(config),
      journal_(journal),
      topics_(config.mqtt.topic_root, config.gateway.id),
      started_at_(std::chrono::system_clock::now()),
      mqtt_(options(password), handlers()),
      outbox_(loop, journal, mqtt_, std::move(outbox)) {}

MqttApi::~MqttApi() {
  stop(std::chrono::milliseconds(0));
}

MqttOptions MqttApi::options(const std::string& password) const {
  MqttOptions options;
  options.uri = config_.mqtt.uri;
  options.client_id = "dfota-" + config_.gateway.id;
  options.username = config_.mqtt.username;
  options.password = password;
  options.ca_file = config_.mqtt.ca_file;
  options.cert_file = config_.mqtt.cert_file;
  options.key_file = config_.mqtt.key_file;
  options.version = config_.mqtt.version;
  options.status_topic = topics_.status();
  for (const auto& filter : {topics_.commands(), topics_.commands_to_all()})
    options.subscriptions.push_back({filter, false});
  return options;
}

MqttClient::Handlers MqttApi::handlers() {
  MqttClient::Handlers handlers;
  handlers.message = [this](const MqttMessage& message) { return take_message(message); };
  handlers.connected = [this](bool) { asio::post(loop_, [this] { publish_everything(); }); };
  handlers.taken_over = [this] {
    asio::post(loop_, [this] {
      if (on_taken_over) on_taken_over();
    });
  };
  return handlers;
}

void MqttApi::start(Jobs& jobs, const Jobs::Modules& modules) {
  jobs_ = &jobs;
  modules_ = &modules;
  mqtt_.start();
}

void MqttApi::stop(std::chrono::milliseconds patience) {
  taking_ = false;
  mqtt_.stop(patience);
}

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
  const auto verb = message.topic.substr(message.topic.rfind('/') + 1);
  auto decision = decide(message, verb);
  if (!decision.job.empty()) {
    const auto committed = co_await journal_.committed();
    if (!committed) {
      log::error("mqtt: cmd/", verb,
                 " is not acknowledged, for the journal cannot be written: ", committed.error().message);
      set_problem("journal_unavailable", committed.error().message);
      acknowledged->set_value(false);
      co_return;
    }
    clear_problem("journal_unavailable");
    jobs_->begin(decision.job);
  }
  acknowledged->set_value(true);
  if (!decision.silent) send_reply(message, verb, std::move(decision.reply));
}

MqttApi::Decision MqttApi::decide(const MqttMessage& message, const std::string& verb) {
  const auto refuse = [](std::string code, std::string text, std::string pointer = {}) {
    return Decision{error_reply({std::move(code), std::move(text), std::move(pointer)}), {}, false};
  };
  auto parsed = parse_untrusted(message.payload);
  Decision decision;
  if (const auto* fault = std::get_if<JsonFault>(&parsed)) {
    decision = refuse(fault->code, fault->message, fault->pointer);
  } else {
    const auto& document = std::get<json>(parsed);
    const bool to_all = !message.topic.starts_with(topics_.command(""));
    if (message.retained) {
      decision = refuse("retained", "a command must not be retained: it would run again at each connection");
    } else if (message.response_topic && !response_topic_allowed(*message.response_topic)) {
      decision = refuse("forbidden_response_topic",
                        "the response topic is not among mqtt.response_topics; this reply is on the default topic");
    } else if (verb == "update") {
      decision = decide_update(document, to_all);
    } else if (std::find(kVerbsLater.begin(), kVerbsLater.end(), verb) != kVerbsLater.end()) {
      decision = refuse("unsupported", "cmd/" + verb + " is not supported by this version");
    } else {
      decision = refuse("unknown_verb", "there is no command \"" + verb + "\"");
    }
    if (const auto transaction = transaction_of(document); !transaction.empty())
      decision.reply["transaction"] = transaction;
  }
  if (message.qos == 0 && decision.reply.value("status", "") == "ok") {
    decision.reply["warnings"].push_back("qos_0: the command was sent at QoS 0 and could have been lost; use QoS 1");
  }
  return decision;
}

MqttApi::Decision MqttApi::decide_update(const json& document, bool to_all) {
  auto command = parse_update_command(document);
  if (const auto* fault = std::get_if<CommandFault>(&command)) return {error_reply(*fault), {}, false};
  auto accepted = jobs_->accept(std::move(std::get<UpdateCommand>(command)), to_all);
  if (const auto* fault = std::get_if<CommandFault>(&accepted)) return {error_reply(*fault), {}, false};
  const auto* job = std::get<Jobs::Accepted>(accepted).job;
  if (job == nullptr) return {json::object(), {}, true};
  return {ok_reply(job_summary(config_.gateway.id, *job)), job->id(), false};
}

bool MqttApi::response_topic_allowed(const std::string& topic) const {
  if (topic.empty() || topic.find_first_of("+#") != std::string::npos || topic.front() == '$') return false;
  if (topic_matches(topics_.topic_root() + "/+/cmd/#", topic) || topic.starts_with("homeassistant/")) return false;
  const auto allows = [&](const std::string& filter) { return topic_matches(filter, topic); };
  const auto ours = topics_.response_filters();
  const auto& configured = config_.mqtt.response_topics;
  return std::any_of(ours.begin(), ours.end(), allows) || std::any_of(configured.begin(), configured.end(), allows);
}

void MqttApi::send_reply(const MqttMessage& message, const std::string& verb, json reply) {
  reply.update(payload(config_.gateway.id));
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
  mqtt_.publish(std::move(publication));
}

void MqttApi::publish_retained(const std::string& topic, const json& document) {
  MqttPublication publication;
  publication.topic = topic;
  publication.payload = dump(document);
  publication.retained = true;
  publication.newest_only = true;
  mqtt_.publish(std::move(publication));
}

void MqttApi::publish_info() {
  auto out = payload(config_.gateway.id);
  out["version"] = DFOTA_VERSION;
  out["started_at"] = rfc3339(started_at_);
  out["zone"] = local_zone();
  out["http"] = config_.http.public_url;
  out["modules"] = config_.modules.size();
  out["problems"] = problems_;
  publish_retained(topics_.info(), out);
}

void MqttApi::set_problem(const std::string& code, const std::string& message) {
  if (!problems_.insert(code).second) return;
  report_fault(code, message);
  publish_info();
}

void MqttApi::clear_problem(const std::string& code) {
  if (problems_.erase(code) > 0) publish_info();
}

void MqttApi::report_fault(const std::string& code, const std::string& message) {
  auto out = payload(config_.gateway.id);
  out["code"] = code;
  out["message"] = message;
  MqttPublication publication;
  publication.topic = topics_.gateway_error(code);
  publication.payload = dump(out);
  mqtt_.publish(std::move(publication));
}

void MqttApi::update_progress(const Job& job, const Part& part, const UpdateProgress& progress,
                              const DownloadRate::Reading& reading) {
  MqttPublication publication;
  publication.topic = topics_.module(part.module, "progress");
  publication.payload = dump(progress_payload(config_.gateway.id, job, part, progress, reading));
  publication.qos = 0;
  mqtt_.publish(std::move(publication));
}

void MqttApi::update_error(const Job& job, const Part& part, unsigned attempt, const UpdateError& error,
                           std::optional<WallTime> next_attempt_at) {
  OutboxRow row;
  row.seq = outbox_.next_seq();
  row.job = job.id();
  row.topic = topics_.error(part.module, error);
  row.payload = dump(error_payload(config_.gateway.id, row.seq, job, part.module, attempt, error, next_attempt_at));
  outbox_.add(std::move(row));
}

void MqttApi::part_ended(const Job& job, const Part& part) {
  OutboxRow row;
  row.seq = outbox_.next_seq();
  row.job = job.id();
  row.topic = topics_.module(part.module, "result");
  row.payload = dump(result_payload(config_.gateway.id, row.seq, job, part, std::chrono::system_clock::now()));
  outbox_.add(std::move(row));
}

std::uint64_t MqttApi::job_ended(const Job& job) {
  dirty_jobs_.erase(job.id());
  OutboxRow row;
  row.seq = outbox_.next_seq();
  row.job = job.id();
  row.topic = topics_.job_state(job.id());
  row.payload = dump(job_state_payload(config_.gateway.id, row.seq, job));
  row.retained = true;
  const auto seq = row.seq;
  outbox_.add(std::move(row));
  return seq;
}

/// At most once a second for each job; the last state goes through the outbox instead.
void MqttApi::job_changed(const Job& job) {
  if (jobs_ == nullptr) return;  // said when the connection stands
  dirty_jobs_.insert(job.id());
  if (publishing_job_states_) return;
  publishing_job_states_ = true;
  asio::co_spawn(loop_, publish_job_states(), rethrow);
}

Awaitable<> MqttApi::publish_job_states() {
  while (!dirty_jobs_.empty()) {
    std::set<std::string> jobs;
    jobs.swap(dirty_jobs_);
    for (const auto& id : jobs) {
      const auto found = jobs_->all().find(id);
      if (found != jobs_->all().end() && !found->second->ended()) publish_job_state(*found->second);
    }
    co_await sleep_for(loop_, kJobStateEvery);
  }
  publishing_job_states_ = false;
}

void MqttApi::publish_job_state(const Job& job) {
  publish_retained(topics_.job_state(job.id()), job_state_payload(config_.gateway.id, 0, job));
}

void MqttApi::job_forgotten(const Job& job) {
  MqttPublication publication;
  publication.topic = topics_.job_state(job.id());
  publication.retained = true;
  mqtt_.publish(std::move(publication));
}

void MqttApi::module_changed(const Module& module) {
  if (jobs_ == nullptr) return;  // said when the connection stands
  const auto& id = module.config().id;
  auto& status = module_status_[id];
  const std::string now = module.state().online ? "online" : "offline";
  if (status != now) {
    status = now;
    MqttPublication publication;
    publication.topic = topics_.module(id, "status");
    publication.payload = now;
    publication.retained = true;
    publication.newest_only = true;
    mqtt_.publish(std::move(publication));
  }
  auto state = module_state_payload(config_.gateway.id, module, jobs_->job_of(id), jobs_->last_result_of(id));
  auto without_time = state;
  without_time.erase("ts");
  auto& published = module_states_[id];
  if (published == without_time) return;
  published = std::move(without_time);
  publish_retained(topics_.module(id, "state"), state);
}

/// The broker may have forgotten: every retained state is said again.
void MqttApi::publish_everything() {
  publish_info();
  module_status_.clear();
  module_states_.clear();
  for (const auto& [id, module] : *modules_) module_changed(*module);
  for (const auto& [id, job] : jobs_->all()) {
    if (!job->ended()) publish_job_state(*job);
  }
}

}  // namespace dfota
