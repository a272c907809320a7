#include "gateway/update_run.hpp"

#include <cmath>
#include <tuple>

namespace dfota {
namespace {

/// This process is done with the update: what stands behind this point is for the next one.
Awaitable<> stand_still() {
  const auto executor = co_await asio::this_coro::executor;
  Timer never(executor, Clock::time_point::max());
  co_await never.async_wait(kNoThrow);
}

Write kind_of(Step step) {
  switch (step) {
    case Step::preparing:
      return Write::part_preparing;
    case Step::commanded:
      return Write::part_commanded;
    case Step::released:
      return Write::part_released;
  }
  return Write::part_preparing;
}

}  // namespace

UpdateRun::UpdateRun(UpdateRunParts& parts, const Job& job, Part& part, Module& module, std::filesystem::path artifact)
    : parts_(parts),
      job_(job),
      part_(part),
      module_(module),
      artifact_(std::move(artifact)),
      claim_(parts.slots, job.id(), module.config().tags, [&module] { module.wake(); }),
      random_(std::random_device{}()) {
  if (parts.transcripts != nullptr) begin_transcript();
}

void UpdateRun::begin_transcript() {
  transcript_ = &parts_.transcripts->begin(job_, part_, &module_);
  if (job_.command.planned()) transcript_->hop(static_cast<unsigned>(part_.way.size() + 1));
  transcript_->watch_file([this] { return token_.empty() ? Transfer() : parts_.files.look(token_); });
}

UpdateRun::~UpdateRun() {
  if (transcript_ != nullptr) {
    module_.stop_observing();
    transcript_->watch_file(nullptr);
  }
  parts_.claimed_imeis.erase(claimed_imei_);
  if (!token_.empty()) parts_.files.revoke(token_);
}

UpdateEnv::Permission UpdateRun::permission() const {
  // A job that expires leaves what it has commanded to its end.
  const bool too_late = part_.stop == Stop::expired && part_.checkpoint.step != Step::preparing;
  if (part_.stop && !too_late) return Permission::stop;
  return parts_.is_open(job_) ? Permission::go : Permission::wait;
}

void UpdateRun::wake() {
  claim_.wake();
  module_.wake();
}

Awaitable<bool> UpdateRun::take_slot(bool to_reboot) {
  for (;;) {
    const auto now = permission();
    if (now == Permission::go) {
      claim_.request(to_reboot);
    } else {
      claim_.give_back();
    }
    if (now == Permission::stop) co_return false;
    if (claim_.held()) co_return true;
    co_await claim_.wait();
  }
}

Checkpoint UpdateRun::entry() const {
  auto entry = part_.checkpoint;
  if (part_.step_at) entry.age = std::max(Clock::duration::zero(), -parts_.time.until(*part_.step_at));
  if (part_.next_attempt_at) {
    entry.pause = std::max(Clock::duration::zero(), parts_.time.until(*part_.next_attempt_at));
  }
  return entry;
}

void UpdateRun::put(Write kind) {
  parts_.journal.put_part(kind, job_.id(), job_.run, part_.module, to_document(part_));
}

bool UpdateRun::take_reboot_slot() {
  return claim_.stand_by();
}

void UpdateRun::adopt_slot(bool reboots) {
  claim_.adopt(reboots);
}

void UpdateRun::download_over() {
  claim_.give_back_download();
}

void UpdateRun::slot_over() {
  claim_.give_back();
}

bool UpdateRun::claim_imei(const std::string& imei) {
  if (imei == claimed_imei_) return true;
  if (parts_.is_elsewhere(imei, part_.module) || !parts_.claimed_imeis.insert(imei).second) return false;
  claimed_imei_ = imei;
  return true;
}

Result<std::string> UpdateRun::offer(const std::string& token) {
  const auto name = job_.delta_of(part_)->name;
  const auto offered = parts_.files.offer(token, name, artifact_, [&module = module_] { module.wake(); });
  if (!offered) return offered.error();
  token_ = token;
  rate_.reset();
  if (transcript_ != nullptr) transcript_->new_file();
  return parts_.public_url + "/a/" + token + "/" + name;
}

Transfer UpdateRun::transfer() const {
  const auto transfer = token_.empty() ? Transfer() : parts_.files.look(token_);
  if (transcript_ != nullptr) transcript_->file_seen(transfer);
  return transfer;
}

void UpdateRun::release_last_byte() {
  parts_.files.release(token_);
  if (transcript_ != nullptr) transcript_->file_seen(parts_.files.look(token_));
}

bool UpdateRun::void_token() {
  if (token_.empty()) return part_.checkpoint.step != Step::released;
  const bool certain = parts_.files.revoke(token_) && part_.checkpoint.step != Step::released;
  token_.clear();
  return certain;
}

Awaitable<Result<void>> UpdateRun::commit(Checkpoint checkpoint) {
  if (cut_) co_await stand_still();
  const auto before = std::make_tuple(part_.checkpoint, part_.step_at, part_.next_attempt_at);
  part_.checkpoint = checkpoint;
  part_.step_at = parts_.time.now();
  part_.next_attempt_at.reset();
  if (checkpoint.pause > Clock::duration::zero()) {
    part_.next_attempt_at = *part_.step_at + std::chrono::duration_cast<ServiceTime::Instant>(checkpoint.pause);
  }
  put(kind_of(checkpoint.step));
  const auto committed = co_await parts_.journal.committed();
  if (cut_) co_await stand_still();
  if (!committed) {
    // The journal tries again by itself: it must then hold what is true, which is that nothing was done.
    std::tie(part_.checkpoint, part_.step_at, part_.next_attempt_at) = before;
    put(Write::part_undone);
  } else if (parts_.transcripts != nullptr) {
    parts_.transcripts->step_taken(part_);
  }
  co_return committed;
}

void UpdateRun::progress(const UpdateProgress& progress) {
  if (cut_) return;
  const auto now = Clock::now();
  module_.set_phase(progress.phase);
  if (transcript_ != nullptr) transcript_->went_on_to(progress.attempt, progress.phase);
  const bool new_phase = !published_ || published_->phase != progress.phase || published_->attempt != progress.attempt;
  if (!new_phase && now - published_at_ < kProgressEvery) return;
  DownloadRate::Reading reading;
  if (progress.phase == Phase::downloading && !token_.empty()) {
    const auto transfer = this->transfer();
    reading = rate_.take(now, transfer.delivered_bytes, transfer.size);
  } else if (progress.phase == Phase::uploading && progress.total_bytes > 0) {
    // A second try begins at nothing.
    if (new_phase || progress.sent_bytes < published_->sent_bytes) rate_.reset();
    reading = rate_.take(now, progress.sent_bytes, progress.total_bytes);
  }
  published_ = progress;
  published_at_ = now;
  parts_.listener.update_progress(job_, part_, progress, reading);
}

void UpdateRun::attempt_failed(const UpdateError& error, unsigned attempt,
                               std::optional<Clock::duration> next_attempt_in) {
  if (cut_) return;
  UpdateResult so_far;
  so_far.outcome = part_.checkpoint.attempt == 0 ? Outcome::rejected : Outcome::failed;
  so_far.error = error;
  if (asks_for_another_plan(job_, part_, so_far)) return;
  if (transcript_ != nullptr) transcript_->error(to_json(error).dump());
  std::optional<WallTime> at;
  if (next_attempt_in) {
    at = std::chrono::system_clock::now() + std::chrono::duration_cast<WallTime::duration>(*next_attempt_in);
  }
  parts_.listener.update_error(job_, part_, attempt, error, at);
}

bool UpdateRun::asks_for_another_plan(const Job& job, const Part& part, const UpdateResult& result) {
  return job.command.planned() && part.checkpoint.attempt == 0 && result.outcome == Outcome::rejected && result.error &&
         result.error->name == explain(Finding::base_mismatch).word;
}

Clock::duration UpdateRun::backoff(unsigned next) {
  const double doubled = parts_.backoff_s * std::pow(2.0, static_cast<double>(next) - 2);
  return seconds(doubled * std::uniform_real_distribution<double>(0.75, 1.25)(random_));
}

bool UpdateRun::interrupt() {
  cut_ = true;
  if (part_.checkpoint.step == Step::released) return false;
  if (part_.checkpoint.step == Step::preparing) return true;
  if (!void_token()) return false;
  part_.checkpoint.step = Step::preparing;
  part_.checkpoint.token.clear();
  --part_.checkpoint.attempt;
  put(Write::part_interrupted);
  return true;
}

}  // namespace dfota
