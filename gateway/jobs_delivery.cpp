// How a job's delta gets to where its modules are told of it (the rest of Jobs): fetched from its origin, and, for the
// delivery ftp, put into the directory of the operator's FTP server.
#include <asio/co_spawn.hpp>

#include "gateway/jobs.hpp"
#include "transport/base/log.hpp"
#include "transport/base/masked.hpp"

namespace dfota {
namespace {

Finding finding_of(Errc code) {
  switch (code) {
    case Errc::mismatch:
      return Finding::artifact_hash_mismatch;
    case Errc::no_space:
      return Finding::no_space;
    default:
      return Finding::artifact_unavailable;
  }
}

}  // namespace

std::filesystem::path Jobs::artifact_path(const UpdateCommand& command) const {
  return std::filesystem::path(config_.gateway.state_dir) / "artifacts" / command.sha256;
}

/// Once for all modules of the run, when the first of them could begin.
void Jobs::bring(Job& job) {
  if (!wants_artifact(job.command.delivery)) job.delta = Job::Delta::here;
  if (job.delta != Job::Delta::unasked || stopping_) return;
  job.delta = Job::Delta::coming;
  asio::co_spawn(loop_, bring_delta(job.id(), job.run), [](std::exception_ptr bug) {
    if (bug) std::rethrow_exception(bug);
  });
}

/// Meanwhile the job may end, be forgotten, and run once more.
Awaitable<> Jobs::bring_delta(std::string id, unsigned run) {
  const auto command = jobs_.at(id)->command;
  auto failed = co_await fetch(command);
  if (!failed && command.delivery == Delivery::ftp) {
    auto shelved = co_await shelve(command);
    failed = std::move(shelved);
  }
  if (stopping_) co_return;
  // Once every delta that modules of an earlier process were told of is where it was, what else lies there is a
  // leftover.
  if (unswept_.erase(id) > 0 && unswept_.empty()) shelf_->sweep();
  const auto found = jobs_.find(id);
  if (found == jobs_.end() || found->second->ended() || found->second->run != run) co_return;
  auto& job = *found->second;
  job.delta = Job::Delta::here;
  if (!failed) {
    look_at(job);
    co_return;
  }
  std::vector<Part*> parts;
  for (const auto& part : job.parts) {
    if (!part->result && !part->begun) parts.push_back(part.get());
  }
  for (auto* part : parts) {
    if (!part->result) reject(job, *part, *failed);
  }
}

Awaitable<std::optional<UpdateError>> Jobs::fetch(const UpdateCommand& command) {
  FetchRequest request;
  request.url = command.url;
  request.sha256 = command.sha256;
  request.size = command.size;
  auto fetched = co_await fetch_.fetch(request);
  while (!stopping_ && !fetched && fetched.error().code == Errc::busy) {
    // More jobs wait for their delta than the fetcher takes: this one gets its turn.
    co_await sleep_for(loop_, kFetchAgain);
    auto again = co_await fetch_.fetch(request);
    fetched = std::move(again);
  }
  if (fetched || stopping_) co_return std::nullopt;
  log::warning("job ", command.job, ": ", masked_url(command.url), ": ", fetched.error().message);
  co_return UpdateError::of(finding_of(fetched.error().code), Phase::preparing, fetched.error().message);
}

/// Into the directory of the operator's FTP server.
Awaitable<std::optional<UpdateError>> Jobs::shelve(const UpdateCommand& command) {
  if (stopping_) co_return std::nullopt;
  if (shelf_ == nullptr) {
    co_return UpdateError::of(Finding::artifact_unavailable, Phase::preparing,
                              "[ftp] is not in the configuration any more");
  }
  const auto extension = short_extension(artifact_name(command.url));
  const auto path = artifact_path(command);
  auto put = co_await shelf_->put(command.sha256, path, extension);
  while (!stopping_ && !put && put.error().code == Errc::busy) {
    co_await sleep_for(loop_, kFetchAgain);
    auto again = co_await shelf_->put(command.sha256, path, extension);
    put = std::move(again);
  }
  if (put) {
    const auto job = jobs_.find(command.job);
    if (job != jobs_.end() && !job->second->ended() && job->second->shelf_name.empty()) {
      job->second->shelf_name = put.value();
    } else {
      shelf_->drop(put.value());  // its last module, commanded before a restart, was quicker
    }
    co_return std::nullopt;
  }
  if (stopping_) co_return std::nullopt;
  log::warning("job ", command.job, ": [ftp].dir: ", put.error().message);
  co_return UpdateError::of(finding_of(put.error().code), Phase::preparing, put.error().message);
}

}  // namespace dfota
