#include "gateway/jobs.hpp"

#include <algorithm>
#include <asio/co_spawn.hpp>
#include <utility>

#include "transport/base/log.hpp"

namespace dfota {
namespace {

/// What a log line says of it.
std::string describe(const UpdateCommand& command) {
  if (command.rollback) return "back to the version before";
  return command.planned() ? "to " + command.target : command.delta.from + " -> " + command.delta.to;
}

}  // namespace

Jobs::Jobs(const Parts& parts)
    : loop_(parts.loop),
      config_(parts.config),
      modules_(parts.modules),
      fetch_(parts.fetch),
      catalog_(parts.catalog),
      trust_(parts.trust),
      shelf_(parts.shelf),
      slots_(parts.slots),
      journal_(parts.journal),
      time_(parts.time),
      listener_(parts.listener),
      run_parts_{parts.loop,
                 parts.slots,
                 parts.files,
                 parts.journal,
                 parts.listener,
                 parts.config.http.public_url,
                 parts.config.retry.backoff_s,
                 parts.time,
                 [this](const Job& job) { return is_open(job); },
                 [this](const std::string& imei, const std::string& module) { return is_elsewhere(imei, module); },
                 parts.transcripts},
      forget_at_(Clock::now()) {
  asio::co_spawn(loop_, watch_the_clock(), rethrow);
}

bool Jobs::is_elsewhere(const std::string& imei, const std::string& module) const {
  return std::any_of(modules_.begin(), modules_.end(), [&](const auto& entry) {
    const auto& state = entry.second->state();
    return entry.first != module && state.online && state.identity.imei == imei;
  });
}

void Jobs::put(Write kind, const Job& job, const Part& part) {
  journal_.put_part(kind, job.id(), job.run, part.module, to_document(part));
}

/// So that what passed is known after a crash. An idle gateway writes nothing.
void Jobs::put_time() {
  time_put_at_ = time_.now();
  journal_.put_fact(Write::service_time, ServiceTime::kFact, time_.document());
}

const Job* Jobs::find(const std::string& id) const {
  const auto found = jobs_.find(id);
  return found == jobs_.end() ? nullptr : found->second.get();
}

std::variant<std::vector<std::string>, CommandFault> Jobs::select(const ModuleSelection& selection,
                                                                  bool drop_strangers) const {
  std::vector<std::string> ids;
  if (!selection.ids.empty()) {
    for (std::size_t i = 0; i < selection.ids.size(); ++i) {
      const auto& id = selection.ids[i];
      if (modules_.contains(id)) {
        ids.push_back(id);
      } else if (!drop_strangers) {
        return unknown_module(id, "/modules/" + std::to_string(i));
      }
    }
    return ids;
  }
  for (const auto& [id, module] : modules_) {
    const auto& identity = module->state().identity;
    const auto& tags = module->config().tags;
    const bool fits = (!selection.model || *selection.model == identity.model) &&
                      (!selection.version || *selection.version == identity.version) &&
                      (!selection.tag || std::find(tags.begin(), tags.end(), *selection.tag) != tags.end());
    if (fits) ids.push_back(id);
  }
  if (ids.empty() && !drop_strangers) return CommandFault{"no_module", "no module fits the selection", "/modules"};
  return ids;
}

/// Why a new job cannot be taken now, whatever its modules.
std::optional<CommandFault> Jobs::unfit(const UpdateCommand& command) const {
  if (command.delivery == Delivery::ftp && shelf_ == nullptr) {
    return CommandFault{"ftp_not_configured", "this gateway has no [ftp]: configure it, or choose another delivery",
                        "/delivery"};
  }
  const auto now = time_.wall();
  if (now && command.rollout.expires && *command.rollout.expires <= *now) {
    return CommandFault{"expired", "has passed: it is " + rfc3339(*now), "/expires"};
  }
  if (unended() >= config_.jobs.queued) {
    return CommandFault{"queue_full",
                        std::to_string(config_.jobs.queued) + " jobs wait already; try again when some have ended", ""};
  }
  return std::nullopt;
}

/// Nothing: it is known once the wall clock can be trusted.
std::optional<ServiceTime::Instant> Jobs::expiry_of(const UpdateCommand& command) const {
  const auto& expires = command.rollout.expires;
  if (!expires) return time_.now() + kDefaultLife;
  const auto now = time_.wall();
  if (!now) return std::nullopt;
  return time_.now() + std::chrono::duration_cast<ServiceTime::Instant>(*expires - *now);
}

std::variant<const Job*, CommandFault> Jobs::accept(UpdateCommand command, bool drop_strangers) {
  if (command.job.empty()) {
    for (unsigned n = 1; command.job.empty() || jobs_.contains(command.job); ++n) {
      command.job = "job-" + std::to_string(to_ms(std::chrono::system_clock::now())) + "-" + std::to_string(n);
    }
  }
  if (const auto* known = find(command.job)) {
    if (known->command.body == command.body) return known;
    return CommandFault{"job_conflict", "job \"" + command.job + "\" is another command already; take another id",
                        "/job"};
  }
  if (auto fault = unfit(command)) return *fault;
  auto selected = select(command.modules, drop_strangers);
  if (auto* fault = std::get_if<CommandFault>(&selected)) return *fault;
  const auto& ids = std::get<std::vector<std::string>>(selected);
  if (ids.empty()) return static_cast<const Job*>(nullptr);
  if (auto fault = resolve(command)) return *fault;
  auto job = std::make_unique<Job>();
  job->command = std::move(command);
  job->accepted_at = std::chrono::system_clock::now();
  job->expires_at = expiry_of(job->command);
  for (const auto& id : ids) {
    job->add_part(id);
    job->parts.back()->target = target_of(job->command, id);
    put(Write::part_accepted, *job, *job->parts.back());
  }
  put(Write::job_accepted, *job);
  if (!time_put_at_ || time_.now() - *time_put_at_ >= std::chrono::seconds(1)) put_time();
  const auto* accepted = job.get();
  jobs_[job->id()] = std::move(job);
  return accepted;
}

void Jobs::begin(const std::string& id) {
  const auto found = jobs_.find(id);
  if (found == jobs_.end() || found->second->begun) return;
  auto& job = *found->second;
  job.begun = true;
  log::info("job ", id, ": run ", job.run, " accepted for ", job.parts.size(), " modules, ", describe(job.command));
  hold_deltas(job);
  listener_.job_changed(job);
  wait_for_modules(job);
  look_at(job);
}

void Jobs::read_back(const JournalContents& contents) {
  for (const auto& row : contents.jobs) {
    auto job = job_from_document(row.document);
    if (!job) {
      log::error("job ", row.id, ": its row in the journal cannot be read; it is left alone");
      continue;
    }
    jobs_[row.id] = std::make_unique<Job>(std::move(*job));
  }
  for (const auto& row : contents.parts) {
    const auto job = jobs_.find(row.job);
    auto read = part_from_document(row.document);
    if (job == jobs_.end() || job->second->run != row.run || !read) continue;
    if (auto* part = job->second->part_of(row.module)) *part = std::move(*read);
  }
  for (const auto& [id, job] : jobs_) job->count_again();
  read_facts(contents.facts);
}

void Jobs::read_facts(const std::map<std::string, std::string>& facts) {
  for (auto at = facts.lower_bound(kBefore); at != facts.end() && at->first.starts_with(kBefore); ++at) {
    const auto fact = nlohmann::json::parse(at->second, nullptr, false);
    if (!fact.is_object()) continue;
    before_[at->first.substr(std::string_view(kBefore).size())] = {fact.value("imei", ""), fact.value("version", "")};
  }
  known_ = read_module_facts(facts);
  if (const auto history = facts.find(UpdateHistory::kFact); history != facts.end()) {
    history_ = UpdateHistory(history->second);
  }
  if (const auto hold = facts.find(kHold); hold != facts.end() && !hold->second.empty()) {
    held_ = hold->second;
    log::notice("held: ", *held_);
  }
}

void Jobs::recover(const JournalContents& contents) {
  read_back(contents);
  for (const auto& row : contents.jobs) {
    const auto found = jobs_.find(row.id);
    if (found == jobs_.end()) continue;
    auto& job = *found->second;
    for (const auto& part : job.parts) {
      if (part->result) last_results_[part->module] = to_word(part->result->outcome);
    }
    if (job.ended()) {
      ended_.push_back(row.id);
    } else {
      take_up(job);
    }
  }
  if (unswept_.empty() && shelf_ != nullptr) shelf_->sweep();
  recall_modules();
}

void Jobs::recall_modules() {
  for (const auto& [id, known] : known_) {
    const auto module = modules_.find(id);
    if (module == modules_.end()) continue;
    if (!known.imei.empty()) module->second->expect(known.imei);
    const bool may_move = !module->second->config().imei.empty();
    if (may_move && !known.port.empty()) module->second->begin_at(known.port);
    if (known.lost) module->second->mark_lost();
    if (known.released) module->second->mark_released();
  }
}

/// A restart must neither take another module for this one nor speak to one that was lost or is released. Whether it is
/// lost changes with a result, in the same commit, or when it answers again.
void Jobs::remember(const Module& module) {
  const auto& id = module.config().id;
  const auto known = known_.find(id);
  const bool was_lost = known != known_.end() && known->second.lost;
  const bool lost = module.is_lost() || (was_lost && !module.state().online);
  ModuleFact now{module.expected_imei(), lost, module.is_released(), module.config().discovered, {}};
  const bool may_move = !module.config().imei.empty() && module.state().port != module.config().port;
  if (may_move || now.discovered) now.port = module.state().port;
  if (known == known_.end() ? now == ModuleFact() : now == known->second) return;
  journal_.put_fact(Write::module_known, ModuleFact::key(id), now.document());
  known_[id] = std::move(now);
}

void Jobs::forget_module(const std::string& module) {
  if (known_.erase(module) > 0) journal_.put_fact(Write::module_known, ModuleFact::key(module), "");
  if (run_parts_.transcripts != nullptr) run_parts_.transcripts->forget(module);
}

void Jobs::take_up(Job& job) {
  log::notice("job ", job.id(), ": taken up again");
  job.begun = true;
  hold_deltas(job);
  // Commanded before: listened to at once, before any other word to its module. Its delta may still be wanted.
  std::vector<Part*> commanded;
  for (const auto& part : job.parts) {
    if (!part->result && part->checkpoint.step != Step::preparing) commanded.push_back(part.get());
  }
  for (auto* part : commanded) {
    const auto* delta = job.delta_of(*part);
    if (delta == nullptr) continue;
    if (job.command.delivery == Delivery::ftp) unswept_.insert({job.id(), delta->sha256});
    bring(job, *delta);
  }
  for (auto* part : commanded) {
    if (modules_.contains(part->module)) {
      start(job, *part);
    } else {
      enqueue(job, *part);
    }
  }
  if (!job.ended()) wait_for_modules(job);
}

std::string Jobs::job_of(const std::string& module) const {
  if (const auto run = runs_.find(module); run != runs_.end()) return run->second->job().id();
  const auto queue = waiting_.find(module);
  return queue == waiting_.end() || queue->second.empty() ? std::string() : queue->second.front().job->id();
}

std::string Jobs::last_result_of(const std::string& module) const {
  const auto found = last_results_.find(module);
  return found == last_results_.end() ? std::string() : found->second;
}

const Part* Jobs::part_under_way(const std::string& module) const {
  if (const auto run = runs_.find(module); run != runs_.end()) return &run->second->part();
  const auto queue = waiting_.find(module);
  if (queue == waiting_.end() || queue->second.empty()) return nullptr;
  const auto* next = queue->second.front().part;
  return next->begun ? next : nullptr;
}

void Jobs::module_changed(const Module& module) {
  remember(module);
  listener_.module_changed(module);
  look_at_module(module.config().id);
}

void Jobs::stop_commanding() {
  stopping_ = true;
  permissions_changed();
}

std::size_t Jobs::downloading() const {
  return static_cast<std::size_t>(std::count_if(runs_.begin(), runs_.end(), [](const auto& entry) {
    return entry.second->part().checkpoint.step == Step::commanded;
  }));
}

std::size_t Jobs::interrupt() {
  std::size_t cut = 0;
  for (auto& [module, run] : runs_) {
    const bool commanded = run->part().checkpoint.step == Step::commanded;
    if (run->interrupt() && commanded) {
      ++cut;
      log::notice("job ", run->job().id(), ": module ", module, ": download interrupted, at no cost");
    }
  }
  if (unended() > 0) put_time();
  return cut;
}

}  // namespace dfota
