#include "gateway/mqtt_api.hpp"

#include <algorithm>
#include <asio/co_spawn.hpp>
#include <asio/post.hpp>
#include <ctime>

#include "gateway/command_message.hpp"
#include "gateway/json_guard.hpp"
#include "transport/base/log.hpp"

namespace dfota {
namespace {

using nlohmann::json;

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
                 std::vector<OutboxRow> outbox, const std::map<std::string, std::string>& facts)
    : loop_(loop),
      config_(config),
      journal_(journal),
      topics_(config.mqtt.topic_root, config.gateway.id),
      started_at_(std::chrono::system_clock::now()),
      last_errors_(facts),
      updates_(
          loop, [this](const std::string& module) { return update_view(module); },
          [this](const std::string& module, const json& document) {
            mqtt_.publish(retained(topics_.module(module, "update"), document));
          }),
      home_assistant_(
          loop, config,
          [this](const std::string& topic, const json& document) { mqtt_.publish(retained(topic, document)); }),
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
  options.user_properties = {{kSchemaProperty, kApiVersion}};
  return options;
}

MqttOptions MqttApi::options() const {
  auto options = connection_options();
  // After a reconnection each job's state is said again, all at once.
  options.max_queued += config_.jobs.queued + config_.jobs.keep;
  options.status_topic = topics_.status();
  for (const auto& filter : {topics_.commands(), topics_.commands_to_all()})
    options.subscriptions.push_back({filter, false});
  options.subscriptions.push_back({topics_.hold(), true});
  if (config_.home_assistant.enabled) {
    options.subscriptions.push_back({home_assistant_.devices().status_topic(), false});
  }
  return options;
}

MqttClient::Handlers MqttApi::handlers() {
  MqttClient::Handlers handlers;
  handlers.message = [this](const MqttMessage& message) { return take_message(message); };
  handlers.connected = [this](bool session_present) {
    asio::post(loop_, [this, session_present] {
      ++connections_;
      publish_everything();
      home_assistant_.connected(session_present);
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

void MqttApi::start(Jobs& jobs, const Jobs::Modules& modules, ArtifactCommands& artifacts, Releases& releases,
                    FileServer& files, Transcripts& transcripts) {
  jobs_ = &jobs;
  modules_ = &modules;
  releases_ = &releases;
  commands_ = std::make_unique<Commands>(
      loop_, config_, jobs, modules, artifacts, files, transcripts, journal_,
      Commands::World{
          [this](const OutboxRow& row) { mqtt_.publish(publication_of(row)); },
          [this](const std::string& module) { return on_forget_module && on_forget_module(module); },
          [this](const std::string& module) { forget_module(module); }, [this] { return outbox_.size(); },
          [this] { return about(); }, [this](const std::string& module) { return last_errors_.of(module); },
          [this](const std::string& model, const std::string& version) { return releases_->newest(model, version); }});
  mqtt_.start();
}

void MqttApi::stop(std::chrono::milliseconds patience) {
  taking_ = false;
  mqtt_.stop(patience);
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
  out["modules"] = modules_ != nullptr ? modules_->size() : 0;
  out["hold"] = jobs_ != nullptr && jobs_->held() ? json(*jobs_->held()) : json(nullptr);
  out["problems"] = problems_;
  return out;
}

/// What cmd/ping is answered with; the way back through the broker is what it proves.
json MqttApi::about() const {
  const auto info = info_document();
  json out;
  for (const auto* key : {"version", "started_at", "zone", "http", "hold", "problems"}) out[key] = info.at(key);
  const auto up = std::chrono::system_clock::now() - started_at_;
  out["uptime_s"] = std::max<std::int64_t>(0, std::chrono::duration_cast<std::chrono::seconds>(up).count());
  const auto online =
      std::count_if(modules_->begin(), modules_->end(), [](const auto& entry) { return entry.second->state().online; });
  out["modules"] = {{"configured", modules_->size()}, {"online", online}};
  out["mqtt"] = {{"version", config_.mqtt.version}};
  return out;
}

/// On the broker, and on the page.
void MqttApi::show(MqttPublication publication) {
  if (on_shown) on_shown(topics_.below(publication.topic), publication.payload);
  mqtt_.publish(std::move(publication));
}

void MqttApi::publish_info() {
  const auto info = retained(topics_.info(), info_document());
  show(info);
  if (alarm_) alarm_->publish(info);  // what it has not sent yet is replaced
}

void MqttApi::set_problem(const std::string& code, const std::string& message) {
  if (!problems_.insert(code).second) return;
  if (code == kJournalUnavailable) {
    start_alarm();
    ++faults_[code];
    alarm_->publish(fault_publication(code, message));
  } else {
    report_fault(code, message);
  }
  publish_info();
}

void MqttApi::clear_problem(const std::string& code) {
  if (problems_.erase(code) > 0) publish_info();
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
  ++faults_[code];
  mqtt_.publish(fault_publication(code, message));
}

void MqttApi::update_progress(const Job& job, const Part& part, const UpdateProgress& progress,
                              const DownloadRate::Reading& reading) {
  MqttPublication publication;
  publication.topic = topics_.module(part.module, "progress");
  publication.payload = dump(progress_payload(config_.gateway.id, job, part, progress, reading));
  publication.qos = 0;
  publication.message_expiry = kProgressLife;
  show(std::move(publication));
  if (jobs_ == nullptr) return;
  updates_.progress(part.module, percent_of_way(part.way.size(), part.hops, progress.overall_percent));
}

void MqttApi::update_error(const Job& job, const Part& part, unsigned attempt, const UpdateError& error,
                           std::optional<WallTime> next_attempt_at) {
  OutboxRow row;
  row.seq = outbox_.next_seq();
  row.job = job.id();
  row.topic = topics_.error(part.module, error);
  const auto document = error_payload(config_.gateway.id, row.seq, job, part.module, attempt, error, next_attempt_at);
  row.payload = dump(document);
  outbox_.add(Write::error, std::move(row));
  journal_.put_fact(Write::error, LastErrors::fact_of(part.module), last_errors_.note(part.module, document));
  if (jobs_ == nullptr) return;
  if (const auto module = modules_->find(part.module); module != modules_->end()) module_changed(*module->second);
}

void MqttApi::part_ended(const Job& job, const Part& part) {
  OutboxRow row;
  row.seq = outbox_.next_seq();
  row.job = job.id();
  row.topic = topics_.module(part.module, "result");
  row.payload = dump(result_payload(config_.gateway.id, row.seq, job, part));
  outbox_.add(Write::result, std::move(row));
}

std::uint64_t MqttApi::job_ended(const Job& job) {
  dirty_jobs_.erase(job.id());
  const auto seq = outbox_.next_seq();
  add_retained(Write::job_state, seq, job.id(), topics_.job_state(job.id()),
               dump(job_state_payload(config_.gateway.id, seq, job)));
  return seq;
}

/// Into the outbox; nothing to say takes back what was said.
void MqttApi::add_retained(Write kind, std::uint64_t seq, const std::string& job, const std::string& topic,
                           std::string payload) {
  if (on_shown) on_shown(topics_.below(topic), payload);
  OutboxRow row;
  row.seq = seq;
  row.job = job;
  row.topic = topic;
  row.payload = std::move(payload);
  row.retained = true;
  outbox_.add(kind, std::move(row));
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
      const auto* job = jobs_->find(id);
      if (job == nullptr || job->ended()) continue;
      show(retained(topics_.job_state(id), job_state_payload(config_.gateway.id, 0, *job)));
    }
    co_await sleep_for(loop_, kJobStateEvery);
  }
  publishing_job_states_ = false;
}

/// Behind what the outbox still has of it.
void MqttApi::job_forgotten(const Job& job) {
  dirty_jobs_.erase(job.id());
  add_retained(Write::job_forgotten, outbox_.next_seq(), job.id(), topics_.job_state(job.id()), "");
}

void MqttApi::forget_module(const std::string& module) {
  if (last_errors_.forget(module)) journal_.put_fact(Write::module_forgotten, LastErrors::fact_of(module), "");
  updates_.forget(module);
  home_assistant_.forget(module);
  std::vector<std::string> topics;
  for (const auto* what : {"status", "state", "update"}) topics.push_back(topics_.module(module, what));
  const auto device = home_assistant_.devices().module_topic(module);
  if (config_.home_assistant.enabled) {
    topics.push_back(device);
  } else {
    // It may be there from before; a broker that lets us publish nothing there must not be asked again and again.
    MqttPublication nothing;
    nothing.topic = device;
    nothing.retained = true;
    mqtt_.publish(std::move(nothing));
  }
  // No job is called so.
  for (const auto& topic : topics) {
    add_retained(Write::module_forgotten, outbox_.next_seq(), "module/" + module, topic, "");
  }
}

UpdateView MqttApi::update_view(const std::string& id) const {
  const auto& identity = modules_->at(id)->state().identity;
  UpdateView view{identity.model, identity.version, std::nullopt, jobs_->part_under_way(id) != nullptr, std::nullopt};
  if (const auto* newest = releases_->newest(identity.model, identity.version)) view.newest = *newest;
  return view;
}

void MqttApi::catalog_changed() {
  if (jobs_ == nullptr) return;
  std::vector<std::string> ids;
  for (const auto& [id, module] : *modules_) ids.push_back(id);
  updates_.change_soon(ids);
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
    show(std::move(publication));
  }
  updates_.changed(id);
  home_assistant_.module_changed(id, module.state().identity);
  auto state = module_document(module);
  auto without_time = state;
  without_time.erase("ts");
  auto& published = module_states_[id];
  if (published == without_time) return;
  published = std::move(without_time);
  show(retained(topics_.module(id, "state"), state));
}

json MqttApi::module_document(const Module& module) const {
  const auto& id = module.config().id;
  return module_state_payload(config_.gateway.id, module, jobs_->job_of(id), jobs_->last_result_of(id),
                              last_errors_.of(id));
}

/// The broker may have forgotten: every retained state is said again.
void MqttApi::publish_everything() {
  publish_info();
  module_status_.clear();
  module_states_.clear();
  updates_.publish_again();
  for (const auto& [id, module] : *modules_) module_changed(*module);
  for (const auto& [id, job] : jobs_->all()) {
    if (!job->ended()) job_changed(*job);
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
/// acknowledged), and nothing else gets through: the alarm goes over a connection that takes no commands. Once made it
/// stays: ending it would wait for the broker.
void MqttApi::start_alarm() {
  if (alarm_) return;
  auto options = connection_options();
  options.client_id += "-alarm";
  options.persistent_session = false;
  alarm_ = std::make_unique<MqttClient>(std::move(options), MqttClient::Handlers());
  alarm_->start();
}

}  // namespace dfota
