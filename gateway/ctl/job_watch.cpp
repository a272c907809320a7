#include "gateway/ctl/job_watch.hpp"

#include <algorithm>
#include <csignal>
#include <utility>

#include "gateway/ctl/text.hpp"

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

/// nullopt: every job, or the reply will name it.
std::optional<std::string> job_of(const Options& options) {
  if (const auto* watch = std::get_if<WatchCall>(&options.call)) return watch->job;
  if (const auto* retry = std::get_if<RetryCall>(&options.call)) return retry->job;
  if (const auto* update = std::get_if<UpdateCall>(&options.call)) return update->request.job;
  return std::nullopt;
}

bool waits(const Options& options) {
  if (const auto* update = std::get_if<UpdateCall>(&options.call)) return update->wait;
  if (const auto* install = std::get_if<InstallCall>(&options.call)) return install->wait;
  if (const auto* retry = std::get_if<RetryCall>(&options.call)) return retry->wait;
  return true;
}

/// A job's state that names it in its topic.
std::string job_filter(const Options& options) {
  const auto* watch = std::get_if<WatchCall>(&options.call);
  const auto* retry = std::get_if<RetryCall>(&options.call);
  if (retry != nullptr) return retry->job;
  return watch != nullptr ? watch->job.value_or("+") : "+";
}
}  // namespace

JobWatch::JobWatch(const Options& options, Connection& connection, Output& output)
    : options_(options),
      connection_(connection),
      output_(output),
      asks_(!std::holds_alternative<WatchCall>(options.call)),
      job_(job_of(options)),
      list_(connection, output, "list"),
      redraw_(connection.loop()),
      resized_(connection.loop()) {
  if (!output.has_bars()) return;
  resized_.add(SIGWINCH);
  await_resize();
}

std::vector<MqttSubscription> JobWatch::subscriptions() const {
  const std::string base = options_.heard_base();
  return {{base + "/module/+/progress", false},
          {base + "/module/+/result", false},
          {base + "/module/+/error/#", false},
          {base + "/job/" + job_filter(options_) + "/state", true}};
}

void JobWatch::begin() {
  if (const auto* update = std::get_if<UpdateCall>(&options_.call)) return ask("update", update_body(update->request));
  if (const auto* install = std::get_if<InstallCall>(&options_.call)) {
    return ask("install", install_body(install->module, install->target));
  }
  if (const auto* retry = std::get_if<RetryCall>(&options_.call)) {
    return retry->run ? ask("retry", retry_body(retry->job, *retry->run)) : find_newest_run();
  }
  if (options_.is_fleet()) return retained_came();  // it has: a gateway that goes offline from here on is waited for
  connection_.after_retained([this] { retained_came(); });
}

void JobWatch::ask(const std::string& verb, Json body) {
  Connection::Question question{verb, std::move(body), nullptr};
  question.answer = [this](const std::string& gateway, const Json& data) { accepted(gateway, data); };
  question.done = [this] { all_accepted(); };
  connection_.ask(std::move(question));
}

void JobWatch::find_newest_run() {
  Pages::Reader reader;
  reader.take = [this](const std::string&, const Json& data) {
    const auto page = list_page(data);
    for (const auto& job : page.jobs) {
      if (job.job == *job_) newest_run_ = job.run;
    }
    return !newest_run_ && page.modules.empty();  // modules are listed behind the last job
  };
  reader.done = [this] {
    if (newest_run_) return ask("retry", retry_body(*job_, *newest_run_));
    gateway_unaware("gateway " + options_.gateway);
  };
  list_.read(nullptr, std::move(reader));
}

void JobWatch::gateway_unaware(const std::string& which) {
  output_.complain(which + " knows no job " + job_.value_or(""));
  connection_.end(kExitNotWell);
}

JobWatch::Followed& JobWatch::followed(const std::string& gateway) {
  const auto it = followed_.find(gateway);
  if (it != followed_.end()) return it->second;
  return followed_.emplace(gateway, Followed{job_, 0, WatchModel(job_, 0, options_.prefix(gateway))}).first->second;
}

void JobWatch::accepted(const std::string& gateway, const Json& data) {
  const AcceptedJob accepted = accepted_job(data);
  const std::string job = accepted.job.empty() ? job_.value_or("") : accepted.job;
  if (job.empty()) {
    output_.complain("the answer of gateway " + gateway + " names no job");
    return connection_.end(kExitNoAnswer);
  }
  const std::string prefix = options_.prefix(gateway), name = "job " + prefix + job;
  auto& followed = this->followed(gateway);
  followed = Followed{job, accepted.run, WatchModel(job, accepted.run, prefix)};
  if (accepted.forgotten) {
    output_.complain(name + " has ended before (" + accepted.state + ") and was forgotten; nothing runs");
    followed.over = true;
    followed.well = accepted.state == "succeeded";
    return;
  }
  std::string line = name + ": accepted";
  if (accepted.run > 1) line += ", run " + std::to_string(accepted.run);
  if (accepted.modules > 0) line += ", modules: " + std::to_string(accepted.modules);
  output_.line(line);
}

/// What came meanwhile is looked at only now: a job may have ended before its gateway's answer was here.
void JobWatch::all_accepted() {
  answered_ = true;
  const bool over = std::all_of(followed_.begin(), followed_.end(), [](const auto& one) { return one.second.over; });
  if (!waits(options_) && !over) return connection_.end(kExitWell);
  began_ = true;
  for (const auto& heard : std::exchange(early_, {})) follow(heard);
  if (!over_) end_if_over();
}

void JobWatch::heard(const MqttMessage& message) {
  const auto gateway = gateway_of(options_.root, message.topic);
  if (!gateway) return;
  Heard heard{*gateway, message.topic, message.payload, message.retained,
              parse_message(options_.root + "/" + *gateway, message.topic, message.payload)};
  if (const auto* status = std::get_if<GatewayStatus>(&heard.message)) {
    output_.json_line(json_line(heard.topic, heard.payload, heard.retained));
    return status_changed(heard.gateway, status->online);
  }
  if (!asks_ || answered_) return follow(heard);
  if (early_.size() < kMaxEarly) early_.push_back(std::move(heard));
}

/// A job that has ended before we came is only told where it was asked for.
void JobWatch::retained_came() {
  answered_ = true;
  if (options_.is_fleet()) return begin_watching_fleet();
  const auto online = online_.find(options_.gateway);
  if (online != online_.end() && online->second) begin_watching();
}

void JobWatch::status_changed(const std::string& gateway, bool online) {
  const auto before = online_.find(gateway);
  const bool changed = before != online_.end() && before->second != online;
  online_[gateway] = online;
  const bool ours = !asks_ || !answered_ || (followed_.contains(gateway) && !followed_.at(gateway).over);
  if (changed && ours) {
    output_.line("gateway " + gateway + ": " + (online ? "online" : "offline; waiting for it"));
    redraw_soon();
  }
  if (!asks_ && !began_ && answered_ && online && !options_.is_fleet()) begin_watching();
}

void JobWatch::begin_watching() {
  if (job_ && !followed(options_.gateway).model.has_job()) return gateway_unaware("gateway " + options_.gateway);
  began_ = true;
  connection_.settled();
}

void JobWatch::begin_watching_fleet() {
  for (const auto& gateway : connection_.fleet().offline()) {
    const auto it = followed_.find(gateway);
    const bool open = it != followed_.end() && !it->second.over;
    if (job_ && !open) continue;  // it has said its last word on it, or never any
    if (!job_) {
      output_.complain("gateway " + gateway + " is offline");
      continue;
    }
    connection_.missed("gateway " + gateway + " is offline, and is not waited for");
    followed_.erase(it);
  }
  if (job_ && followed_.empty()) {
    output_.complain("no gateway that is online knows job " + *job_);
    return connection_.end(kExitNotWell);
  }
  began_ = true;
  connection_.settled();
  if (job_) end_if_over();
}

void JobWatch::follow(const Heard& heard) {
  const auto of = job_run_of(heard.message);
  if (over_ || !of) return;
  if (asks_ ? !followed_.contains(heard.gateway) : job_ && of->job != *job_) return;
  auto& followed = this->followed(heard.gateway);
  if (followed.over || (followed.job && of->job != *followed.job) || of->run < followed.first_run) return;
  const auto* state = std::get_if<JobState>(&heard.message);
  // Of all jobs, those that had ended before we came are not told.
  const bool is_old = !followed.job && !answered_ && state != nullptr && is_final(state->state);
  if (is_old && !followed.model.jobs().contains(state->job)) return;
  output_.json_line(json_line(heard.topic, heard.payload, heard.retained));
  show(followed.model.apply(heard.message));
  followed.over = followed.model.ended();
  if (output_.broken()) {
    over_ = true;
    return connection_.end(kExitNotWell);
  }
  // Of a fleet nobody knows who follows the job before what was retained has come.
  if (followed.over && (began_ || !options_.is_fleet())) end_if_over();
  if (!over_) redraw_soon();
}

void JobWatch::show(const WatchModel::Lines& lines) {
  const std::size_t before = output_.rows();
  output_.show(lines);
  const auto has_bad = [](const auto& one) {
    const auto& jobs = one.second.model.jobs();
    return std::any_of(jobs.begin(), jobs.end(), [](const auto& job) { return !job.second.bad.empty(); });
  };
  if (!first_bad_ && output_.has_bars() && std::any_of(followed_.begin(), followed_.end(), has_bad)) {
    first_bad_ = before;
  }
}

void JobWatch::end_if_over() {
  if (!std::all_of(followed_.begin(), followed_.end(), [](const auto& one) { return one.second.over; })) return;
  over_ = true;
  recall_the_bad();
  output_.finish();
  const bool well = std::all_of(followed_.begin(), followed_.end(), [](const auto& one) {
    const Followed& followed = one.second;
    return followed.well && followed.model.all_well();
  });
  connection_.end(well ? kExitWell : kExitNotWell);
}

/// On a terminal: what went wrong stands at the end, where it has scrolled away; as much as there is room for.
void JobWatch::recall_the_bad() {
  if (!first_bad_) return;
  const Screen screen = Output::screen();
  if (output_.rows() - *first_bad_ + 1 < screen.height) return;
  std::vector<std::string> lines = {"", "not well:"}, states;
  std::size_t rows = lines.size() + 2, left_out = 0;  // the last rows are those of `left_out` and of the cursor
  for (const auto& [gateway, followed] : followed_) {
    for (const auto& [id, job] : followed.model.jobs()) {
      states.push_back(job.told);
      rows += rows_of(job.told, screen.width);
    }
  }
  for (const auto& [gateway, followed] : followed_) {
    for (const auto& [id, job] : followed.model.jobs()) {
      for (const auto& line : job.bad) {
        rows += rows_of(line, screen.width);
        if (rows > screen.height) {
          ++left_out;
        } else {
          lines.push_back(line);
        }
      }
    }
  }
  if (left_out > 0) lines.push_back("... and " + std::to_string(left_out) + " more");
  lines.insert(lines.end(), states.begin(), states.end());
  output_.show({lines, {}});
}

void JobWatch::redraw_soon() {
  if (!output_.has_bars() || redraw_pending_) return;
  redraw_pending_ = true;
  redraw_.expires_after(kRedrawEvery);
  redraw_.async_wait([this](const asio::error_code& error) {
    redraw_pending_ = false;
    if (error || over_) return;
    Models models;
    for (const auto& [gateway, followed] : followed_) models.push_back(&followed.model);
    output_.redraw(models);
  });
}

void JobWatch::await_resize() {
  resized_.async_wait([this](const asio::error_code& error, int) {
    if (error) return;
    output_.resized();
    redraw_soon();
    await_resize();
  });
}

int JobWatch::interrupted() {
  std::optional<std::string> job = job_;
  if (!job && asks_ && followed_.size() == 1) job = followed_.begin()->second.job;
  if (began_ && job) output_.complain("interrupted; the job goes on, and this follows it: dfota watch " + *job);
  if (began_ && !job && asks_) output_.complain("interrupted; the jobs go on, and this follows all: dfota watch");
  const bool watched_all = began_ && !asks_ && !job_;
  const bool well =
      std::all_of(followed_.begin(), followed_.end(), [](const auto& one) { return one.second.model.all_well(); });
  return watched_all && well ? kExitWell : kExitNotWell;
}

}  // namespace dfota::ctl
