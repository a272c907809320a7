#include "gateway/ctl/watch_model.hpp"

#include "gateway/ctl/text.hpp"

namespace dfota::ctl {
namespace {
constexpr std::size_t kMaxJobs = 1000;
constexpr std::size_t kMaxModules = 20000;
constexpr std::size_t kMaxSeen = 20000;  // sequence numbers, to know a duplicate by

std::string plural(std::int64_t count, const std::string& what) {
  return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

std::string result_text(const ModuleResult& result) {
  std::string text = printable(result.outcome);
  if (is_well(result.outcome) && !result.version.empty()) {
    text +=
        ": " + printable(result.from.empty() || result.from == result.version ? result.version
                                                                              : result.from + " -> " + result.version);
  }
  if (!result.error.empty()) text += ": " + printable(result.error);
  if (!is_well(result.outcome) && !result.version.empty()) text += ", version " + printable(result.version);
  if (result.attempts > 1) text += ", " + plural(result.attempts, "attempt");
  if (result.duration_s) text += ", " + time_text(result.duration_s);
  for (const auto& warning : result.warnings) text += "; warning: " + printable(warning);
  return text;
}

std::string error_text(const ModuleError& error) {
  std::string text = "error " + printable(error.code);
  if (!error.source.empty()) text += " (" + printable(error.source) + ")";
  const std::string& words = error.meaning.empty() ? error.name : error.meaning;
  if (!words.empty()) text += ": " + printable(words);
  if (!error.message.empty() && error.message != words) text += ": " + printable(error.message);
  if (!error.hint.empty()) text += "; " + printable(error.hint);
  if (!error.next_attempt_at.empty()) text += "; next attempt at " + printable(error.next_attempt_at);
  return text;
}
}  // namespace

bool is_final(const std::string& job_state) {
  static const std::set<std::string> kFinal = {"succeeded", "canceled", "rejected", "failed", "partial"};
  return kFinal.contains(job_state);
}

bool is_well(const std::string& outcome) {
  return outcome == "succeeded" || outcome == "skipped";
}

WatchModel::Lines WatchModel::apply(const Message& message) {
  Lines lines;
  if (const auto* progress = std::get_if<Progress>(&message)) apply(*progress, lines);
  if (const auto* result = std::get_if<ModuleResult>(&message)) apply(*result, lines);
  if (const auto* error = std::get_if<ModuleError>(&message)) apply(*error, lines);
  if (const auto* state = std::get_if<JobState>(&message)) apply(*state, lines);
  return lines;
}

/// Null: not ours, or of a run that is over. A newer run begins anew.
JobView* WatchModel::job_for(const std::string& id, std::int64_t run) {
  if (id.empty() || (only_ && id != *only_)) return nullptr;
  auto it = jobs_.find(id);
  if (it == jobs_.end()) {
    if (jobs_.size() >= kMaxJobs) return nullptr;
    it = jobs_.emplace(id, JobView{}).first;
    it->second.id = id;
    it->second.name = prefix_ + id;
    it->second.run = first_run_;
  }
  JobView& job = it->second;
  if (run < job.run) return nullptr;
  if (run > job.run) {
    modules_ -= job.modules.size();
    job = JobView{id, prefix_ + id, "", run, {}, {}, {}, {}, ""};
  }
  return &job;
}

ModuleView* WatchModel::module_in(JobView& job, const std::string& id) {
  const auto it = job.index.find(id);
  if (it != job.index.end()) return &job.modules[it->second];
  if (modules_ >= kMaxModules) return nullptr;
  ++modules_;
  job.index[id] = job.modules.size();
  job.modules.push_back(ModuleView{prefix_ + id, {}, ""});
  return &job.modules.back();
}

std::string WatchModel::subject(const JobView& job, const std::string& module) const {
  return (only_ ? "" : printable(job.id) + " ") + printable(prefix_ + module) + ": ";
}

bool WatchModel::seen_before(std::optional<std::int64_t> seq) {
  if (!seq) return false;
  if (seen_.size() >= kMaxSeen) seen_.erase(seen_.begin());
  return !seen_.insert(*seq).second;
}

void WatchModel::apply(const Progress& progress, Lines& lines) {
  JobView* job = job_for(progress.job, progress.run);
  if (job == nullptr || is_final(job->state)) return;
  ModuleView* module = module_in(*job, progress.module);
  if (module == nullptr || !module->outcome.empty()) return;
  const auto& before = module->progress;
  const bool changed =
      before.phase != progress.phase || before.attempt != progress.attempt || before.hop != progress.hop;
  module->progress = progress;
  if (!changed || progress.phase.empty()) return;
  std::string line = subject(*job, progress.module) + printable(progress.phase);
  if (progress.attempt > 1) line += ", attempt " + std::to_string(progress.attempt);
  if (progress.hops > 1) line += ", hop " + std::to_string(progress.hop) + " of " + std::to_string(progress.hops);
  lines.fleeting.push_back(line);
}

void WatchModel::apply(const ModuleResult& result, Lines& lines) {
  JobView* job = job_for(result.job, result.run);
  if (job == nullptr || seen_before(result.seq)) return;
  ModuleView* module = module_in(*job, result.module);
  if (module == nullptr || !module->outcome.empty()) return;
  module->outcome = result.outcome.empty() ? "unknown" : result.outcome;
  lines.lasting.push_back(subject(*job, result.module) + result_text(result));
  if (!is_well(module->outcome)) job->bad.push_back(lines.lasting.back());
}

void WatchModel::apply(const ModuleError& error, Lines& lines) {
  JobView* job = job_for(error.job, error.run);
  if (job == nullptr || seen_before(error.seq)) return;
  if (module_in(*job, error.module) == nullptr) return;
  lines.lasting.push_back(subject(*job, error.module) + error_text(error));
}

void WatchModel::apply(const JobState& state, Lines& lines) {
  JobView* job = job_for(state.job, state.run);
  if (job == nullptr) return;
  for (const auto& [id, outcome] : state.modules) {
    ModuleView* module = module_in(*job, id);
    if (module == nullptr || !module->outcome.empty()) continue;
    module->outcome = outcome;  // its result came while we were not there
    lines.lasting.push_back(subject(*job, id) + printable(outcome));
    if (!is_well(outcome)) job->bad.push_back(lines.lasting.back());
  }
  job->counts = state.counts;
  if (job->state == state.state) return;
  job->state = state.state;
  std::string line = "job " + printable(job->name) + ": " + printable(state.state);
  const std::string counts = counts_text(state.counts);
  if (!counts.empty()) line += ": " + counts;
  job->told = line;
  lines.lasting.push_back(line);
}

bool WatchModel::ended() const {
  return only_ && jobs_.size() == 1 && is_final(jobs_.begin()->second.state);
}

bool WatchModel::all_well() const {
  for (const auto& [id, job] : jobs_) {
    if (job.state != "succeeded") return false;
    for (const auto& module : job.modules) {
      if (!module.outcome.empty() && !is_well(module.outcome)) return false;
    }
  }
  return true;
}

}  // namespace dfota::ctl
