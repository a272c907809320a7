#include "gateway/mqtt_api.hpp"

#include <algorithm>
#include <asio/co_spawn.hpp>
#include <asio/post.hpp>
#include <ctime>

#include "gateway/json_guard.hpp"
#include "transport/base/crash_point.hpp"
#include "transport/base/log.hpp"

namespace dfota {
namespace {

using nlohmann::json;

void rethrow(std::exception_ptr bug) {
  if (bug) std::rethrow_exception(bug);
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
      password_(password),
      mqtt_(options(), handlers()),
      outbox_(loop, journal, mqtt_, std::move(outbox)) {}

MqttApi::~MqttApi() {
  stop(std::chrono::milliseconds(0));
}

MqttOptions MqttApi::connection_options() const {
  MqttOptions options;
  options.uri = config_.mqtt.uri;
  options.client_id = "dfota-" + config_.gateway.id;
  options.username = config_.mqtt.username;
  options.password = password_;
  options.ca_file = config_.mqtt.ca_file;
  options.cert_file = config_.mqtt.cert_file;
  options.key_file = config_.mqtt.key_file;
  options.version = config_.mqtt.version;
  return options;
}

MqttOptions MqttApi::options() const {
  auto options = connection_options();
  options.status_topic = topics_.status();
  for (const auto& filter : {topics_.commands(), topics_.commands_to_all()})
    options.subscriptions.push_back({filter, false});
  options.subscriptions.push_back({topics_.hold(), true});
  return options;
}

MqttClient::Handlers MqttApi::handlers() {
  MqttClient::Handlers handlers;
  handlers.message = [this](const MqttMessage& message) { return take_message(message); };
  handlers.connected = [this](bool session_present) {
    asio::post(loop_, [this, session_present] {
      publish_everything();
      if (!session_present) asio::co_spawn(loop_, publish_last_states(), rethrow);
    });
  };
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
  commands_ = std::make_unique<Commands>(
      config_, jobs, modules, journal_,
      Commands::World{[this](const OutboxRow& row) { mqtt_.publish(publication_of(row)); },
                      [this](const std::string& module) { forget_module(module); }, [this] { return outbox_.size(); }});
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
  if (message.topic == topics_.hold()) {
    const auto taken = co_await take_hold(message);
    acknowledged->set_value(taken.ok());
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
  if (!answered->silent) send_reply(message, verb, std::move(answered->reply));
}

Awaitable<Result<Commands::Answer>> MqttApi::answer(const MqttMessage& message, std::string verb) {
  const auto refusal = [](std::string code, std::string text, std::string pointer = {}) {
    return Commands::Answer{error_reply({std::move(code), std::move(text), std::move(pointer)}), false};
  };
  auto parsed = parse_untrusted(message.payload);
  if (const auto* fault = std::get_if<JsonFault>(&parsed))
    co_return refusal(fault->code, fault->message, fault->pointer);
  const auto& document = std::get<json>(parsed);
  Commands::Answer answer;
  if (message.retained) {
    answer = refusal("retained", "a command must not be retained: it would run again at each connection");
  } else if (message.response_topic && !response_topic_allowed(*message.response_topic)) {
    answer = refusal("forbidden_response_topic",
                     "the response topic is not among mqtt.response_topics; this reply is on the default topic");
  } else {
    const bool to_all = !message.topic.starts_with(topics_.command(""));
    auto decided = co_await commands_->run(verb, document, to_all);
    if (!decided) co_return decided.error();
    answer = std::move(*decided);
  }
  if (const auto transaction = transaction_of(document); !transaction.empty()) {
    answer.reply["transaction"] = transaction;
  }
  if (message.qos == 0 && answer.reply.value("status", "") == "ok") {
    answer.reply["warnings"].push_back("qos_0: the command was sent at QoS 0 and could have been lost; use QoS 1");
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
  const bool well = parsed.is_object() && parsed.contains("hold") && parsed.at("hold").is_boolean() &&
                    (!parsed.contains("reason") || parsed.at("reason").is_string());
  if (!well) {
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

MqttPublication MqttApi::retained(const std::string& topic, const json& document) {
  MqttPublication publication;
  publication.topic = topic;
  publication.payload = dump(document);
  publication.retained = true;
  publication.newest_only = true;
  return publication;
}

json MqttApi::info_document() const {
  auto out = payload(config_.gateway.id);
  out["version"] = DFOTA_VERSION;
  out["started_at"] = rfc3339(started_at_);
  out["zone"] = local_zone();
  out["http"] = config_.http.public_url;
  out["modules"] = config_.modules.size();
  out["hold"] = jobs_ != nullptr && jobs_->held() ? json(*jobs_->held()) : json(nullptr);
  out["problems"] = problems_;
  return out;
}

void MqttApi::publish_info() {
  mqtt_.publish(retained(topics_.info(), info_document()));
}

void MqttApi::set_problem(const std::string& code, const std::string& message) {
  if (!problems_.insert(code).second) return;
  if (code == kJournalUnavailable) {
    raise_alarm(code, message);
  } else {
    report_fault(code, message);
  }
  publish_info();
}

void MqttApi::clear_problem(const std::string& code) {
  if (problems_.erase(code) == 0) return;
  if (code == kJournalUnavailable) alarm_.reset();
  publish_info();
}

MqttPublication MqttApi::fault_publication(const std::string& code, const std::string& message) const {
  auto out = payload(config_.gateway.id);
  out["code"] = code;
  out["message"] = message;
  MqttPublication publication;
  publication.topic = topics_.gateway_error(code);
  publication.payload = dump(out);
  return publication;
}

void MqttApi::report_fault(const std::string& code, const std::string& message) {
  mqtt_.publish(fault_publication(code, message));
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
  outbox_.add(Write::error, std::move(row));
}

void MqttApi::part_ended(const Job& job, const Part& part) {
  OutboxRow row;
  row.seq = outbox_.next_seq();
  row.job = job.id();
  row.topic = topics_.module(part.module, "result");
  row.payload = dump(result_payload(config_.gateway.id, row.seq, job, part, std::chrono::system_clock::now()));
  outbox_.add(Write::result, std::move(row));
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
  outbox_.add(Write::job_state, std::move(row));
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
      if (outbox_.holds_state(id)) {
        dirty_jobs_.insert(id);  // the last state of an earlier run comes first
        continue;
      }
      const auto found = jobs_->all().find(id);
      if (found != jobs_->all().end() && !found->second->ended()) publish_job_state(*found->second);
    }
    co_await sleep_for(loop_, kJobStateEvery);
  }
  publishing_job_states_ = false;
}

void MqttApi::publish_job_state(const Job& job) {
  mqtt_.publish(retained(topics_.job_state(job.id()), job_state_payload(config_.gateway.id, 0, job)));
}

/// Behind what the outbox still has of it.
void MqttApi::job_forgotten(const Job& job) {
  dirty_jobs_.erase(job.id());
  OutboxRow row;
  row.seq = outbox_.next_seq();
  row.job = job.id();
  row.topic = topics_.job_state(job.id());
  row.retained = true;
  outbox_.add(Write::job_forgotten, std::move(row));
}

void MqttApi::forget_module(const std::string& module) {
  for (const auto* what : {"status", "state"}) {
    OutboxRow row;
    row.seq = outbox_.next_seq();
    row.job = "module/" + module;  // no job is called so
    row.topic = topics_.module(module, what);
    row.retained = true;
    outbox_.add(Write::module_forgotten, std::move(row));
  }
}

void MqttApi::clock_needed(bool in_vain) {
  if (in_vain) {
    set_problem("clock_untrusted", "the gateway's clock lies before its build date: set it (NTP)");
  } else {
    clear_problem("clock_untrusted");
  }
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
  mqtt_.publish(retained(topics_.module(id, "state"), state));
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

/// Of the jobs that have ended, as it was published before.
Awaitable<> MqttApi::publish_last_states() {
  const auto rows = co_await journal_.last_states();
  if (!rows) {
    log::warning("the last states of jobs are not said again: ", rows.error().message);
    co_return;
  }
  for (const auto& row : *rows) {
    const auto* job = jobs_->find(row.job);
    if (job != nullptr && job->ended()) mqtt_.publish(publication_of(row));
  }
}

/// While the journal fails, a command that waits at the broker cuts the connection again and again (it must not be
/// acknowledged), and nothing else gets through: the alarm goes over a connection that takes no commands.
void MqttApi::raise_alarm(const std::string& code, const std::string& message) {
  auto options = connection_options();
  options.client_id += "-alarm";
  options.persistent_session = false;
  alarm_ = std::make_unique<MqttClient>(std::move(options), MqttClient::Handlers());
  alarm_->start();
  alarm_->publish(fault_publication(code, message));
  alarm_->publish(retained(topics_.info(), info_document()));
}

}  // namespace dfota
