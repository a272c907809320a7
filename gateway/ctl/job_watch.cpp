#include "gateway/ctl/job_watch.hpp"

#include <utility>

namespace dfota::ctl {
namespace {
using namespace std::chrono_literals;

constexpr auto kRedrawEvery = 100ms;
constexpr std::size_t kMaxEarly = 10000;  // messages before the gateway's answer names the job

struct JobRun {
  std::string job;
  std::int64_t run;
};

std::optional<JobRun> job_run_of(const Message& message) {
  if (const auto* progress = std::get_if<Progress>(&message)) return JobRun{progress->job, progress->run};
  if (const auto* result = std::get_if<ModuleResult>(&message)) return JobRun{result->job, result->run};
  if (const auto* error = std::get_if<ModuleError>(&message)) return JobRun{error->job, error->run};
  if (const auto* state = std::get_if<JobState>(&message)) return JobRun{state->job, state->run};
  return std::nullopt;
}

std::optional<std::string> job_of(const Options& options) {
  if (const auto* watch = std::get_if<WatchCall>(&options.call)) return watch->job;
  if (const auto* retry = std::get_if<RetryCall>(&options.call)) return retry->job;
  return std::nullopt;  // the reply to update names it
}

bool waits(const Options& options) {
  if (const auto* update = std::get_if<UpdateCall>(&options.call)) return update->wait;
  if (const auto* retry = std::get_if<RetryCall>(&options.call)) return retry->wait;
  return true;
}
}  // namespace

JobWatch::JobWatch(const Options& options, Connection& connection, Output& output)
    : options_(options),
      connection_(connection),
      output_(output),
      asks_(!std::holds_alternative<WatchCall>(options.call)),
      job_(job_of(options)),
      model_(job_),
      list_(connection, output, "list"),
      redraw_(connection.loop()) {}

std::vector<MqttSubscription> JobWatch::subscriptions() const {
  const std::string base = options_.base();
  return {{base + "/module/+/progress", false},
          {base + "/module/+/result", false},
          {base + "/module/+/error/#", false},
          {base + "/job/" + job_.value_or("+") + "/state", true}};
}

void JobWatch::begin() {
  if (const auto* update = std::get_if<UpdateCall>(&options_.call)) {
    return connection_.ask("update", update_body(update->request), [this](const Json& data) { accepted(data); });
  }
  if (const auto* retry = std::get_if<RetryCall>(&options_.call)) {
    return retry->run ? ask_retry(*retry->run) : find_newest_run();
  }
  connection_.after_retained([this] { retained_came(); });
}

void JobWatch::find_newest_run() {
  Pages::Reader reader;
  reader.take = [this](const Json& data) {
    const auto page = list_page(data);
    for (const auto& job : page.jobs) {
      if (job.job == *job_) newest_run_ = job.run;
    }
    return !newest_run_ && page.modules.empty();  // modules are listed behind the last job
  };
  reader.done = [this] {
    if (newest_run_) return ask_retry(*newest_run_);
    output_.complain("gateway " + options_.gateway + " knows no job " + *job_);
    connection_.end(kExitNotWell);
  };
  list_.read(nullptr, std::move(reader));
}

void JobWatch::ask_retry(std::int64_t run) {
  connection_.ask("retry", retry_body(*job_, run), [this](const Json& data) { accepted(data); });
}

void JobWatch::accepted(const Json& data) {
  answered_ = true;
  const AcceptedJob accepted = accepted_job(data);
  if (const auto* update = std::get_if<UpdateCall>(&options_.call)) job_ = update->request.job;
  if (!accepted.job.empty()) job_ = accepted.job;
  if (!job_) {
    output_.complain("the gateway's answer names no job");
    return connection_.end(kExitNoAnswer);
  }
  if (accepted.forgotten) {
    output_.complain("job " + *job_ + " has ended before (" + accepted.state + ") and was forgotten; nothing runs");
    return connection_.end(accepted.state == "succeeded" ? kExitWell : kExitNotWell);
  }
  std::string line = "job " + *job_ + ": accepted";
  if (accepted.run > 1) line += ", run " + std::to_string(accepted.run);
  if (accepted.modules > 0) line += ", modules: " + std::to_string(accepted.modules);
  output_.line(line);
  if (!waits(options_)) return connection_.end(kExitWell);
  began_ = true;
  first_run_ = accepted.run;
  model_ = WatchModel(job_, first_run_);
  for (const auto& heard : std::exchange(early_, {})) follow(heard);
}

void JobWatch::heard(const MqttMessage& message) {
  Heard heard{message.topic, message.payload, message.retained,
              parse_message(options_.base(), message.topic, message.payload)};
  if (const auto* status = std::get_if<GatewayStatus>(&heard.message)) {
    output_.json_line(json_line(heard.topic, heard.payload, heard.retained));
    return status_changed(status->online);
  }
  if (!asks_ || answered_) return follow(heard);
  if (early_.size() < kMaxEarly) early_.push_back(std::move(heard));
}

/// A job that has ended before we came is only told where it was asked for.
void JobWatch::retained_came() {
  answered_ = true;
  if (online_.value_or(false)) status_changed(true);
}

void JobWatch::status_changed(bool online) {
  const bool changed = online_ && online_ != online;
  online_ = online;
  if (changed) output_.line("gateway " + options_.gateway + ": " + (online ? "online" : "offline; waiting for it"));
  if (asks_ || began_ || !answered_ || !online) return;
  if (job_ && !model_.has_job()) {
    output_.complain("gateway " + options_.gateway + " knows no job " + *job_);
    return connection_.end(kExitNotWell);
  }
  began_ = true;
  connection_.settled();
}

void JobWatch::follow(const Heard& heard) {
  const auto of = job_run_of(heard.message);
  if (over_ || !of || (job_ && of->job != *job_) || of->run < first_run_) return;
  const auto* state = std::get_if<JobState>(&heard.message);
  // Of all jobs, those that had ended before we came are not told.
  const bool is_old = !job_ && !answered_ && state != nullptr && is_final(state->state);
  if (is_old && !model_.jobs().contains(state->job)) return;
  output_.json_line(json_line(heard.topic, heard.payload, heard.retained));
  output_.show(model_.apply(heard.message));
  over_ = output_.broken() || model_.ended();
  if (over_) return connection_.end(!output_.broken() && model_.all_well() ? kExitWell : kExitNotWell);
  redraw_soon();
}

void JobWatch::redraw_soon() {
  if (!output_.has_bars() || redraw_pending_) return;
  redraw_pending_ = true;
  redraw_.expires_after(kRedrawEvery);
  redraw_.async_wait([this](const asio::error_code& error) {
    redraw_pending_ = false;
    if (!error && !over_) output_.redraw(model_);
  });
}

int JobWatch::interrupted() {
  if (began_ && job_) output_.complain("interrupted; the job goes on, and this follows it: dfota watch " + *job_);
  const bool watched_all = began_ && !job_;
  return watched_all && model_.all_well() ? kExitWell : kExitNotWell;
}

}  // namespace dfota::ctl
