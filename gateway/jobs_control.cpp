// What somebody orders of jobs (the rest of Jobs): cancel, pause, resume, retry, forget, hold; and what goes by itself.
#include <algorithm>

#include "gateway/jobs.hpp"
#include "gateway/tombstone.hpp"
#include "transport/base/log.hpp"

namespace dfota {
namespace {

constexpr auto kForgetEvery = std::chrono::hours(1);

CommandFault unknown_job(const std::string& id) {
  return {"unknown_job", "there is no job \"" + id + "\" here; cmd/list tells which there are", "/job"};
}

}  // namespace

std::variant<Job*, CommandFault> Jobs::unended_job(const std::string& id) {
  const auto found = jobs_.find(id);
  if (found == jobs_.end()) return unknown_job(id);
  if (found->second->ended()) {
    return CommandFault{"job_ended", "job \"" + id + "\" has ended: " + std::string(to_word(found->second->state())),
                        "/job"};
  }
  return found->second.get();
}

/// Nothing new is commanded in this part. What is commanded over http is cut, if its last byte has not left.
Jobs::Reach Jobs::stop_part(Job& job, Part& part, Stop stop, Write kind) {
  if (!part.working) {
    end_unbegun(job, part, stop);
    return Reach::stopped;
  }
  const auto step = part.checkpoint.step;
  if (!part.stop) {
    part.stop = stop;
    put(kind, job, part);
    runs_.at(part.module)->wake();
  }
  // Of one that may be flashing nothing more is commanded: no other attempt, no other hop.
  return step == Step::released ? Reach::will_end : step == Step::commanded ? Reach::stopped : Reach::stopping;
}

/// A canary failed, too many did, or a module was lost: the others are left alone.
void Jobs::stop_rest(Job& job, Stop stop) {
  std::vector<Part*> parts;
  for (const auto& part : job.parts) {
    if (!part->result && !part->stop) parts.push_back(part.get());
  }
  if (parts.empty()) return;
  job.stopped = true;
  log::notice("job ", job.id(), ": stopped: ", to_word(stop));
  for (auto* part : parts) {
    if (!part->result && !part->stop) stop_part(job, *part, stop, Write::job_stopped);
  }
}

void Jobs::cancel_part(Job& job, Part& part, const std::string& name, Canceled& canceled) {
  switch (stop_part(job, part, Stop::canceled, Write::job_canceled)) {
    case Reach::stopped:
      return canceled.stopped.push_back(name);
    case Reach::stopping:
      return canceled.stopping.push_back(name);
    case Reach::will_end:
      return canceled.will_end.push_back(name);
  }
}

CommandFault Jobs::unknown_module(const std::string& id, std::string pointer) const {
  return {"unknown_module", "there is no module \"" + id + "\" on gateway " + config_.gateway.id, std::move(pointer)};
}

std::variant<Jobs::Canceled, CommandFault> Jobs::cancel_job(const std::string& id) {
  auto found = unended_job(id);
  if (auto* fault = std::get_if<CommandFault>(&found)) return *fault;
  auto& job = *std::get<Job*>(found);
  log::notice("job ", id, ": canceled");
  std::vector<Part*> parts;
  for (const auto& part : job.parts) {
    if (!part->result) parts.push_back(part.get());
  }
  Canceled canceled;
  for (auto* part : parts) cancel_part(job, *part, part->module, canceled);
  return canceled;
}

std::variant<Jobs::Canceled, CommandFault> Jobs::cancel_module(const std::string& module) {
  if (!modules_.contains(module)) return unknown_module(module, "/module");
  Canceled canceled;
  for (const auto& [id, job] : jobs_) {
    auto* part = job->part_of(module);
    if (part == nullptr || part->result) continue;
    cancel_part(*job, *part, id, canceled);
  }
  log::notice("module ", module, ": its jobs are canceled");
  return canceled;
}

std::variant<std::vector<std::string>, CommandFault> Jobs::pause(const std::string& id) {
  return set_paused(id, true, Write::job_paused);
}

std::variant<std::vector<std::string>, CommandFault> Jobs::resume(const std::string& id) {
  return set_paused(id, false, Write::job_resumed);
}

std::variant<std::vector<std::string>, CommandFault> Jobs::set_paused(const std::string& id, bool paused, Write kind) {
  std::vector<Job*> jobs;
  if (id.empty()) {
    for (const auto& [key, job] : jobs_) {
      if (!job->ended() && job->paused != paused) jobs.push_back(job.get());
    }
  } else {
    auto found = unended_job(id);
    if (auto* fault = std::get_if<CommandFault>(&found)) return *fault;
    jobs.push_back(std::get<Job*>(found));
  }
  std::vector<std::string> ids;
  for (auto* job : jobs) {
    ids.push_back(job->id());
    if (std::exchange(job->paused, paused) == paused) continue;
    log::notice("job ", job->id(), ": ", paused ? "paused" : "resumed");
    put(kind, *job);
    listener_.job_changed(*job);
  }
  permissions_changed();
  return ids;
}

std::variant<const Job*, CommandFault> Jobs::retry(const std::string& id, unsigned run) {
  const auto found = jobs_.find(id);
  if (found == jobs_.end()) return unknown_job(id);
  auto& job = *found->second;
  if (run + 1 == job.run && !job.begun) return &job;  // it was not in the journal yet, and is ordered again
  if (run != job.run) {
    return CommandFault{"not_newest_run", "the newest run of job \"" + id + "\" is " + std::to_string(job.run), "/run"};
  }
  if (!job.ended()) return CommandFault{"job_not_ended", "run " + std::to_string(run) + " has not ended", "/run"};
  if (auto fault = unfit(job.command)) return *fault;
  std::vector<std::pair<std::string, std::string>> modules;
  for (const auto& part : job.parts) {
    const auto outcome = part->result->outcome;
    if (outcome != Outcome::succeeded && outcome != Outcome::skipped) modules.emplace_back(part->module, part->target);
  }
  if (modules.empty()) {
    return CommandFault{"nothing_to_retry", "all modules of that run ended in succeeded or skipped", "/run"};
  }
  std::erase(ended_, id);
  ++job.run;
  job.verdict.reset();
  job.ended_at.reset();
  job.final_seq = 0;
  job.expires_at = expiry_of(job.command);
  job.begun = job.stopped = false;
  job.deltas.clear();
  job.parts.clear();
  for (const auto& [module, target] : modules) {
    job.add_part(module);
    job.parts.back()->target = target;
    put(Write::part_retried, job, *job.parts.back());
  }
  job.count_again();
  journal_.remove_runs(Write::job_retried, id, job.run);
  put(Write::job_retried, job);
  put_time();
  return &job;
}

std::optional<CommandFault> Jobs::forget(const std::string& id) {
  const auto found = jobs_.find(id);
  if (found == jobs_.end()) return unknown_job(id);
  if (!found->second->ended()) {
    return CommandFault{"job_not_ended", "job \"" + id + "\" has not ended; cancel it first", "/job"};
  }
  std::erase(ended_, id);
  forget_ended(id);
  return std::nullopt;
}

std::variant<std::string, CommandFault> Jobs::release_module(const std::string& id) {
  const auto found = modules_.find(id);
  if (found == modules_.end()) return unknown_module(id, "/module");
  auto& module = *found->second;
  if (part_under_way(id) != nullptr) {
    return CommandFault{"updating", "job \"" + job_of(id) + "\" works on it: wait for its end, or cancel it",
                        "/module"};
  }
  if (!module.is_released()) module.release();
  remember(module);
  return real_port(module.state().port);
}

std::variant<std::string, CommandFault> Jobs::claim_module(const std::string& id) {
  const auto found = modules_.find(id);
  if (found == modules_.end()) return unknown_module(id, "/module");
  found->second->claim();
  remember(*found->second);
  return real_port(found->second->state().port);
}

/// Its id stays, so that an old command never runs again. It is not in ended_ any more.
void Jobs::forget_ended(const std::string& id) {
  const auto& job = *jobs_.at(id);
  journal_.put_tombstone(Write::tombstone, tombstone_of(job, time_.wall()));
  journal_.remove_job(Write::job_forgotten, id);
  listener_.job_forgotten(job);
  jobs_.erase(id);
}

/// Ended jobs above jobs.keep, the oldest first, some in each turn.
Awaitable<> Jobs::forget_soon() {
  constexpr std::size_t kAtOnce = 100;
  while (ended_.size() > config_.jobs.keep) {
    for (std::size_t i = 0; i < kAtOnce && ended_.size() > config_.jobs.keep; ++i) {
      const auto id = ended_.front();
      ended_.pop_front();
      forget_ended(id);
    }
    const auto soon = Clock::duration::zero();
    co_await sleep_for(loop_, soon);
  }
  forgetting_ = false;
}

/// What has been kept, or remembered, for as long as [jobs] says; looked at now and then, by a clock that is right.
void Jobs::forget_old() {
  const auto now = time_.wall();
  if (Clock::now() < forget_at_ || !now) return;
  forget_at_ = Clock::now() + kForgetEvery;
  using Days = std::chrono::duration<std::int64_t, std::ratio<86400>>;
  const auto oldest = *now - Days(config_.jobs.keep_days);
  std::vector<std::string> old;
  for (const auto& id : ended_) {
    auto& job = *jobs_.at(id);
    if (!job.ended_at) {  // the clock could not be trusted then
      job.ended_at = now;
      put(Write::job_ended, job);
    }
    if (*job.ended_at < oldest) old.push_back(id);
  }
  for (const auto& id : old) {
    std::erase(ended_, id);
    forget_ended(id);
  }
  journal_.remove_tombstones(Write::tombstones_pruned, to_ms(*now - Days(config_.jobs.remember_days)), to_ms(*now));
}

void Jobs::hold(std::optional<std::string> reason) {
  if (held_ == reason) return;
  held_ = std::move(reason);
  log::notice(held_ ? "held: " + *held_ : "not held any more");
  journal_.put_fact(Write::hold, kHold, held_.value_or(""));
  listener_.hold_changed();
  permissions_changed();
}

}  // namespace dfota
