// Which module begins when, and what its outcome leads to (the rest of Jobs). A module that is free and there takes the
// first job that waits for it and is open (not paused, its hour has come). A job lets its modules begin in the order
// given, as its rollout allows (rollout.hpp), and one that waits for its delta or its canaries keeps its place before
// later jobs: their deltas may start from where this one leads to.
#include <asio/co_spawn.hpp>
#include <asio/post.hpp>

#include "gateway/jobs.hpp"
#include "gateway/way.hpp"
#include "transport/base/log.hpp"
#include "transport/port_holder.hpp"

namespace dfota {

Awaitable<> Jobs::watch_the_clock() {
  for (;;) {
    co_await sleep_for(loop_, kTick);
    if (!stopping_) tick();
  }
}

void Jobs::tick() {
  const auto now = time_.now();
  bool clock_in_vain = false, clocks = false;
  std::vector<Job*> over;
  for (const auto& [id, job] : jobs_) {
    if (job->ended() || !job->begun) continue;
    if (!job->expires_at) job->expires_at = expiry_of(job->command);
    const bool with_clock = job->command.rollout.has_clock() || !job->expires_at;
    clocks = clocks || with_clock;
    clock_in_vain = clock_in_vain || (with_clock && !time_.wall());
    if (job->expires_at && *job->expires_at <= now) over.push_back(job.get());
  }
  listener_.clock_needed(clock_in_vain);
  for (auto* job : over) expire(*job);
  std::vector<std::string> modules;
  for (const auto& [module, queue] : waiting_) modules.push_back(module);
  for (const auto& module : modules) {
    const auto found = waiting_.find(module);
    if (found != waiting_.end()) reject_missing(module, found->second);
  }
  if (clocks) permissions_changed();
  if (unended() > 0 && (!time_put_at_ || now - *time_put_at_ >= ServiceTime::kJournalEvery)) put_time();
  forget_old();
}

/// What was not commanded is not any more; what was, ends.
void Jobs::expire(Job& job) {
  std::vector<Part*> parts;
  for (const auto& part : job.parts) {
    if (!part->result && !part->stop) parts.push_back(part.get());
  }
  for (auto* part : parts) {
    if (!part->working) {
      end_unbegun(job, *part, Stop::expired);
    } else if (part->checkpoint.step == Step::preparing) {
      part->stop = Stop::expired;
      runs_.at(part->module)->wake();
    }
  }
}

/// The jobs in the queue of a module that is not there have waited for it, each since it could have begun.
void Jobs::reject_missing(const std::string& id, std::deque<Waiting>& queue) {
  const auto& state = modules_.at(id)->state();
  const bool missing = !state.present && !runs_.contains(id);
  const auto now = Clock::now();
  std::vector<Waiting> given_up;
  for (const auto& [job, part] : queue) {
    if (!missing || !is_open(*job)) {
      part->missing_since.reset();
    } else if (!part->missing_since) {
      part->missing_since = now;
    } else if (!job->command.rollout.wait_for_absent &&
               now - *part->missing_since >= seconds(config_.timeouts.absent)) {
      given_up.push_back({job, part});
    }
  }
  if (given_up.empty()) return;
  auto finding = Finding::absent;
  for (const auto known : {Finding::released, Finding::module_lost, Finding::recovery_needed, Finding::port_busy}) {
    if (state.problem == explain(known).word) finding = known;
  }
  auto message = state.port;
  if (finding == Finding::port_busy) {
    if (const auto holder = find_holder_of(message)) message += " is held by " + holder->text();
  }
  for (const auto& [job, part] : given_up) {
    if (!part->result) reject(*job, *part, UpdateError::of(finding, Phase::queued, message));
  }
}

bool Jobs::is_open(const Job& job) const {
  return !stopping_ && !held_ && !job.paused && clock_allows(job.command.rollout, time_.wall());
}

/// Each part that has not begun gets into the queue of its module.
void Jobs::wait_for_modules(Job& job) {
  std::vector<Part*> parts;
  for (const auto& part : job.parts) {
    if (!part->result && !part->working) parts.push_back(part.get());
  }
  // enqueue() may end a part, and with the last one the job.
  for (auto* part : parts) {
    if (!part->result) enqueue(job, *part);
  }
}

void Jobs::enqueue(Job& job, Part& part) {
  const auto module = modules_.find(part.module);
  if (module == modules_.end()) {
    // It was configured when the job was accepted, and is not any more.
    reject(job, part,
           UpdateError::of(Finding::absent, Phase::queued, "the module is not in the configuration any more"));
  } else if (part.stop) {
    end_unbegun(job, part, *part.stop);  // a restart came between the order and its effect
  } else {
    waiting_[part.module].push_back({&job, &part});
    listener_.module_changed(*module->second);
  }
}

void Jobs::leave_queue(const Part& part) {
  const auto found = waiting_.find(part.module);
  if (found == waiting_.end()) return;
  std::erase_if(found->second, [&](const Waiting& waiting) { return waiting.part == &part; });
  if (found->second.empty()) waiting_.erase(found);
}

/// Who is next at this module: the first whose job is open.
const Jobs::Waiting* Jobs::next_of(const std::string& module) const {
  const auto queue = waiting_.find(module);
  if (queue == waiting_.end()) return nullptr;
  for (const auto& waiting : queue->second) {
    if (is_open(*waiting.job)) return &waiting;
  }
  return nullptr;
}

void Jobs::look_at(Job& job) {
  if (job.ended() || !job.begun || !is_open(job)) return;
  for (std::size_t i = 0; i < job.parts.size() && !job.ended(); ++i) {
    auto& part = *job.parts[i];
    if (part.working || part.result) continue;
    const auto module = modules_.find(part.module);
    if (module == modules_.end() || !module->second->state().present || runs_.contains(part.module)) continue;
    const auto* next = next_of(part.module);
    if (next == nullptr || next->part != &part) continue;
    if (!part.begun && !may_begin_another(job)) return;
    if (job.command.planned() && !choose_hop(job, part)) continue;
    const auto* delta = job.delta_of(part);
    if (delta != nullptr && !bring(job, *delta)) {
      if (job.command.rollout.canary > 0) return;  // canaries are the first ones in the order given
      continue;
    }
    leave_queue(part);
    start(job, part);
  }
}

void Jobs::look_at_module(const std::string& module) {
  if (const auto* next = next_of(module)) look_at(*next->job);
}

void Jobs::look_at_all() {
  std::vector<std::string> modules;
  for (const auto& [module, queue] : waiting_) modules.push_back(module);
  for (const auto& module : modules) look_at_module(module);
}

/// Something was held, paused or let go, or time has passed.
void Jobs::permissions_changed() {
  for (auto& [module, run] : runs_) run->wake();
  look_at_all();
}

/// Without a delta the module is asked for its version, and nothing else: it is at its target, or there is a mismatch.
UpdateOrder Jobs::order_for(const Job& job, const Part& part, const Module& module) const {
  const auto& command = job.command;
  const auto* delta = job.delta_of(part);
  UpdateOrder order;
  order.to = delta != nullptr ? delta->to : part.target;
  order.to_aliases = names_of(catalog_, delta != nullptr ? delta->model : module.state().identity.model, order.to);
  if (delta != nullptr) {
    order.from = delta->from;
    order.from_aliases = names_of(catalog_, delta->model, delta->from);
    order.model = delta->model;
  }
  order.attempts = command.attempts.value_or(config_.retry.attempts);
  order.imei = module.expected_imei();
  order.profile = config_.modem.profile;
  order.pdp = config_.modem.pdp;
  order.delivery = command.delivery;
  order.file = command.file;
  if (command.delivery == Delivery::url) order.url = command.module_url;
  if (delta == nullptr || !wants_artifact(command.delivery)) return order;
  order.package = artifact_path(*delta);
  order.package_extension = short_extension(delta->name);
  if (command.delivery == Delivery::ftp && config_.ftp) {
    // Not its shelf_name: one that was commanded before a restart may want another attempt while it is put there again.
    const auto name = FtpShelf::name_of(delta->sha256, order.package_extension);
    order.url = config_.ftp->public_url.file(name).spell("ftp://");
  }
  return order;
}

void Jobs::start(Job& job, Part& part) {
  auto& module = *modules_.at(part.module);
  if (!part.begun) job.begin(part);
  part.working = true;
  if (!part.begun_at) part.begun_at = std::chrono::system_clock::now();
  if (!part.hop_begun_at) part.hop_begun_at = time_.now();
  const auto* delta = job.delta_of(part);
  if (!job.command.planned()) part.from = delta->from;
  auto& run = runs_[part.module];
  run = std::make_unique<UpdateRun>(run_parts_, job, part, module,
                                    delta != nullptr ? artifact_path(*delta) : std::filesystem::path());
  listener_.job_changed(job);
  module.update(order_for(job, part, module), run->entry(), *run, [this, &job, &part](UpdateResult result) {
    const auto id = part.module;
    if (runs_.at(id)->is_cut()) return;  // the next process decides
    runs_.erase(id);
    work_ended(job, part, std::move(result));
  });
  listener_.module_changed(module);
}

void Jobs::work_ended(Job& job, Part& part, UpdateResult result) {
  part.working = false;
  part.reported = result.version;
  if (result.outcome == Outcome::succeeded) note_hop(job, part, result);
  if (job.command.planned() && goes_on(job, part, result)) return next_hop(job, part);
  if (job.command.planned() && result.outcome == Outcome::succeeded) {
    // Counted with the hops that are done.
    result.attempts = 0;
    result.warnings.clear();
  }
  end_part(job, part, std::move(result));
}

/// It was not begun in this process; in an earlier one it may have been.
void Jobs::reject(Job& job, Part& part, const UpdateError& error) {
  listener_.update_error(job, part, part.checkpoint.attempt, error, std::nullopt);
  UpdateResult result;
  result.outcome = part.checkpoint.step == Step::released ? Outcome::lost
                   : part.checkpoint.attempt == 0         ? Outcome::rejected
                                                          : Outcome::failed;
  result.attempts = part.checkpoint.attempt;
  result.error = error;
  end_part(job, part, std::move(result));
}

void Jobs::end_unbegun(Job& job, Part& part, Stop stop) {
  part.stop = stop;
  UpdateResult result;
  result.outcome = Outcome::canceled;
  result.attempts = part.checkpoint.attempt;
  end_part(job, part, std::move(result));
}

void Jobs::end_part(Job& job, Part& part, UpdateResult result) {
  if (job.command.planned() && !part.way.empty()) {
    // The hops before were commanded, whatever became of this one.
    result.attempts += part.attempts_before();
    result.warnings.insert(result.warnings.begin(), part.warnings.begin(), part.warnings.end());
    if (result.outcome == Outcome::rejected) result.outcome = Outcome::failed;
    if (result.outcome == Outcome::skipped) result.outcome = Outcome::succeeded;
    if (result.version.empty()) result.version = part.reported.empty() ? part.way.back().to : part.reported;
  }
  if (result.outcome == Outcome::succeeded) note_success(part);
  if (result.outcome == Outcome::canceled) {
    const auto finding = part.stop ? finding_of(*part.stop) : std::nullopt;
    if (finding) {
      result.error = UpdateError::of(*finding, Phase::queued);
      listener_.update_error(job, part, result.attempts, *result.error, std::nullopt);
    }
    if (part.stop == Stop::expired) result.outcome = result.attempts == 0 ? Outcome::rejected : Outcome::failed;
  }
  log::notice("job ", job.id(), ": module ", part.module, " ", to_word(result.outcome), result.error ? ": " : "",
              result.error ? result.error->meaning : "", result.error && !result.error->message.empty() ? ": " : "",
              result.error ? result.error->message : "");
  leave_queue(part);
  part.checkpoint.step = Step::preparing;
  part.checkpoint.token.clear();
  part.step_at.reset();
  part.next_attempt_at.reset();
  part.hop.reset();
  part.holds.clear();
  part.ended_at = std::chrono::system_clock::now();
  job.end(part, std::move(result));
  last_results_[part.module] = to_word(part.result->outcome);
  put(Write::part_ended, job, part);
  if (run_parts_.transcripts != nullptr) run_parts_.transcripts->end(job, part);
  listener_.part_ended(job, part);
  if (const auto module = modules_.find(part.module); module != modules_.end()) {
    listener_.module_changed(*module->second);
  }
  look_soon(job.id(), part.module);
  settle(job);
}

/// Who comes next is not looked for at once: the caller may walk over parts, or be the module itself.
void Jobs::look_soon(std::string job, std::string module) {
  asio::post(loop_, [this, job = std::move(job), module = std::move(module)] {
    const auto found = jobs_.find(job);
    if (found != jobs_.end()) look_at(*found->second);
    look_at_module(module);
  });
}

void Jobs::settle(Job& job) {
  if (!job.all_parts_ended()) {
    listener_.job_changed(job);
    const auto stop = reason_to_stop(job);
    if (stop && !job.stopped) stop_rest(job, *stop);
    return;
  }
  job.verdict = verdict_of(job);
  job.paused = false;
  job.ended_at = time_.wall();
  for (auto& [sha256, delta] : job.deltas) {
    if (!delta.shelf_name.empty()) shelf_->drop(std::exchange(delta.shelf_name, ""));
  }
  job.hold.reset();
  job.final_seq = listener_.job_ended(job);
  put(Write::job_ended, job);
  ended_.push_back(job.id());
  log::notice("job ", job.id(), ": ", to_word(*job.verdict));
  if (ended_.size() > config_.jobs.keep && !forgetting_) {
    forgetting_ = true;
    asio::co_spawn(loop_, forget_soon(), rethrow);
  }
}

}  // namespace dfota
