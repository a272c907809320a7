#include "gateway/jobs.hpp"

#include <algorithm>
#include <asio/co_spawn.hpp>
#include <asio/post.hpp>
#include <utility>

#include "transport/base/log.hpp"

namespace dfota {
namespace {

void rethrow(std::exception_ptr bug) {
  if (bug) std::rethrow_exception(bug);
}

}  // namespace

Jobs::Jobs(asio::io_context& loop, const Config& config, Modules& modules, Fetch& fetch, FtpShelf* shelf, Slots& slots,
           FileServer& files, Journal& journal, JobListener& listener)
    : loop_(loop),
      config_(config),
      modules_(modules),
      fetch_(fetch),
      shelf_(shelf),
      slots_(slots),
      journal_(journal),
      listener_(listener),
      run_parts_{loop,
                 slots,
                 files,
                 journal,
                 listener,
                 config.http.public_url,
                 config.retry.backoff_s,
                 [this](const std::string& imei, const std::string& module) { return is_elsewhere(imei, module); }} {}

bool Jobs::is_elsewhere(const std::string& imei, const std::string& module) const {
  return std::any_of(modules_.begin(), modules_.end(), [&](const auto& entry) {
    const auto& state = entry.second->state();
    return entry.first != module && state.online && state.identity.imei == imei;
  });
}

std::filesystem::path Jobs::artifact_path(const Job& job) const {
  return std::filesystem::path(config_.gateway.state_dir) / "artifacts" / job.command.sha256;
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
        return CommandFault{"unknown_module", "there is no module \"" + id + "\" on gateway " + config_.gateway.id,
                            "/modules/" + std::to_string(i)};
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

std::variant<Jobs::Accepted, CommandFault> Jobs::accept(UpdateCommand command, bool drop_strangers) {
  if (command.job.empty()) {
    for (unsigned n = 1; command.job.empty() || jobs_.contains(command.job); ++n) {
      command.job = "job-" + std::to_string(to_ms(std::chrono::system_clock::now())) + "-" + std::to_string(n);
    }
  }
  if (const auto known = jobs_.find(command.job); known != jobs_.end()) {
    if (known->second->command.body == command.body) return Accepted{known->second.get(), false};
    return CommandFault{"job_conflict", "job \"" + command.job + "\" is another command already; take another id",
                        "/job"};
  }
  if (command.delivery == Delivery::ftp && shelf_ == nullptr) {
    return CommandFault{"ftp_not_configured", "this gateway has no [ftp]: configure it, or choose another delivery",
                        "/delivery"};
  }
  if (jobs_.size() - ended_.size() >= kMaxQueued) {
    return CommandFault{"queue_full", std::to_string(kMaxQueued) + " jobs wait already; try again when some have ended",
                        ""};
  }
  auto selected = select(command.modules, drop_strangers);
  if (auto* fault = std::get_if<CommandFault>(&selected)) return *fault;
  const auto& ids = std::get<std::vector<std::string>>(selected);
  if (ids.empty()) return Accepted{nullptr, false};
  auto job = std::make_unique<Job>();
  job->command = std::move(command);
  job->accepted_at = std::chrono::system_clock::now();
  for (const auto& id : ids) {
    job->parts.push_back(std::make_unique<Part>());
    job->parts.back()->module = id;
    journal_.put_part(job->id(), job->run, id, to_document(*job->parts.back()));
  }
  journal_.put_job(job->id(), to_document(*job));
  const auto* accepted = job.get();
  jobs_[job->id()] = std::move(job);
  return Accepted{accepted, true};
}

void Jobs::begin(const std::string& id) {
  auto& job = *jobs_.at(id);
  if (job.begun) return;
  job.begun = true;
  log::info("job ", id, ": accepted for ", job.parts.size(), " modules, ", job.command.from, " -> ", job.command.to);
  listener_.job_changed(job);
  asio::co_spawn(loop_, bring_and_queue(id, false), rethrow);
}

void Jobs::reject_all(Job& job, const UpdateError& error) {
  std::vector<Part*> parts;
  for (const auto& part : job.parts) {
    if (!part->result && !part->begun) parts.push_back(part.get());
  }
  for (auto* part : parts) {
    listener_.update_error(job, *part, 0, error, std::nullopt);
    UpdateResult result;
    result.outcome = part->checkpoint.attempt == 0 ? Outcome::rejected : Outcome::failed;
    result.attempts = part->checkpoint.attempt;
    result.error = error;
    end_part(job, *part, std::move(result));
  }
}

void Jobs::enqueue(Job& job, Part& part) {
  if (!modules_.contains(part.module)) {
    // It was configured when the job was accepted, and is not any more.
    const auto error =
        UpdateError::of(Finding::absent, Phase::preparing, "the module is not in the configuration any more");
    listener_.update_error(job, part, part.checkpoint.attempt, error, std::nullopt);
    UpdateResult result;
    result.outcome = part.checkpoint.step == Step::released ? Outcome::lost
                     : part.checkpoint.attempt == 0         ? Outcome::rejected
                                                            : Outcome::failed;
    result.attempts = part.checkpoint.attempt;
    result.error = error;
    end_part(job, part, std::move(result));
    return;
  }
  waiting_[part.module].push_back({&job, &part});
  listener_.module_job_changed(*modules_.at(part.module));
  begin_next(part.module);
}

void Jobs::begin_next(const std::string& module) {
  auto& queue = waiting_[module];
  if (queue.empty() || runs_.contains(module) || stopping_) return;
  const auto next = queue.front();
  queue.pop_front();
  start(*next.job, *next.part);
}

UpdateOrder Jobs::order_for(const Job& job, const Module& module) const {
  const auto& command = job.command;
  UpdateOrder order;
  order.from = command.from;
  order.to = command.to;
  order.attempts = command.attempts.value_or(config_.retry.attempts);
  order.imei = module.expected_imei();
  order.profile = config_.modem.profile;
  order.pdp = config_.modem.pdp;
  order.delivery = command.delivery;
  order.file = command.file;
  if (command.delivery == Delivery::url) order.url = command.module_url;
  if (wants_artifact(command.delivery)) {
    order.package = artifact_path(job);
    order.package_extension = short_extension(artifact_name(command.url));
  }
  if (command.delivery == Delivery::ftp && config_.ftp) {
    // Not job.shelf_name: one that was commanded before a restart may want another attempt while it is put there again.
    const auto name = FtpShelf::name_of(command.sha256, order.package_extension);
    order.url = config_.ftp->public_url.file(name).spell("ftp://");
  }
  return order;
}

void Jobs::start(Job& job, Part& part) {
  auto& module = *modules_.at(part.module);
  part.begun = true;
  if (!part.begun_at) part.begun_at = std::chrono::system_clock::now();
  auto& run = runs_[part.module];
  run = std::make_unique<UpdateRun>(run_parts_, job, part, module, artifact_path(job));
  if (job.state == JobState::queued) {
    job.state = JobState::running;
    listener_.job_changed(job);
  }
  module.update(order_for(job, module), part.checkpoint, *run, [this, &job, &part](UpdateResult result) {
    const auto id = part.module;
    runs_.erase(id);
    end_part(job, part, std::move(result));
    begin_next(id);
  });
  listener_.module_job_changed(module);
}

void Jobs::end_part(Job& job, Part& part, UpdateResult result) {
  log::notice("job ", job.id(), ": module ", part.module, " ", to_word(result.outcome), result.error ? ": " : "",
              result.error ? result.error->meaning : "", result.error && !result.error->message.empty() ? ": " : "",
              result.error ? result.error->message : "");
  part.checkpoint.step = Step::preparing;
  part.checkpoint.token.clear();
  part.result = std::move(result);
  last_results_[part.module] = to_word(part.result->outcome);
  journal_.put_part(job.id(), job.run, part.module, to_document(part));
  listener_.part_ended(job, part);
  if (const auto module = modules_.find(part.module); module != modules_.end())
    listener_.module_job_changed(*module->second);
  settle(job);
}

void Jobs::settle(Job& job) {
  if (!job.all_parts_ended()) {
    listener_.job_changed(job);
    return;
  }
  job.state = verdict(job);
  if (!job.shelf_name.empty()) shelf_->drop(std::exchange(job.shelf_name, ""));
  job.final_seq = listener_.job_ended(job);
  journal_.put_job(job.id(), to_document(job));
  ended_.push_back(job.id());
  log::notice("job ", job.id(), ": ", to_word(job.state));
  if (ended_.size() > kKeep) {
    // Not from inside this call: its caller still holds the job.
    asio::co_spawn(loop_, forget_oldest(), rethrow);
  }
}

Awaitable<> Jobs::forget_oldest() {
  while (ended_.size() > kKeep) {
    const auto id = ended_.front();
    ended_.pop_front();
    listener_.job_forgotten(*jobs_.at(id));
    journal_.remove_job(id);
    jobs_.erase(id);
  }
  co_return;
}

void Jobs::recover(const JournalContents& contents) {
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
    if (job == jobs_.end() || !read) continue;
    for (auto& part : job->second->parts) {
      if (part->module == row.module) *part = std::move(*read);
    }
  }
  for (const auto& row : contents.jobs) {
    const auto found = jobs_.find(row.id);
    if (found == jobs_.end()) continue;
    auto& job = *found->second;
    if (job.ended()) {
      ended_.push_back(row.id);
      for (const auto& part : job.parts) {
        if (part->result) last_results_[part->module] = to_word(part->result->outcome);
      }
      continue;
    }
    log::notice("job ", row.id, ": taken up again");
    job.begun = true;
    for (const auto& part : job.parts) {
      // Commanded before: listened to at once, before any other word to its module.
      if (!part->result && part->checkpoint.step != Step::preparing) {
        part->begun = true;
        enqueue(job, *part);
      }
    }
    ++recovering_;
    asio::co_spawn(loop_, bring_and_queue(row.id, true), rethrow);
  }
  if (recovering_ == 0 && shelf_ != nullptr) shelf_->sweep();
  for (const auto& [id, outcome] : last_results_) {
    const auto module = modules_.find(id);
    if (outcome == to_word(Outcome::lost) && module != modules_.end()) module->second->mark_lost();
  }
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

void Jobs::stop_commanding() {
  stopping_ = true;
  slots_.close();
  for (auto& [module, run] : runs_) run->hold();
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
  return cut;
}

}  // namespace dfota
