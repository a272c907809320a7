// How a job's delta gets to where its modules are told of it (the rest of Jobs): fetched from its origin, and, for the
// delivery ftp, put into the directory of the operator's FTP server.
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

/// The delta is brought once for all modules of the job; then each of them waits for its turn.
Awaitable<> Jobs::bring_and_queue(std::string id, bool recovered) {
  auto& job = *jobs_.at(id);
  std::optional<UpdateError> failed;
  if (wants_artifact(job.command.delivery)) failed = co_await fetch(job);
  if (!failed && job.command.delivery == Delivery::ftp) failed = co_await shelve(job);
  if (stopping_) co_return;
  // Once every job of an earlier process has its delta where it was, what else lies there is a leftover.
  if (recovered && --recovering_ == 0 && shelf_ != nullptr) shelf_->sweep();
  if (failed) {
    reject_all(job, *failed);
    co_return;
  }
  // enqueue() may end a part, and the last part ends the job: walk over a copy of the pointers.
  std::vector<Part*> parts;
  for (const auto& part : job.parts) {
    if (!part->result && !part->begun) parts.push_back(part.get());
  }
  for (auto* part : parts) enqueue(job, *part);
}

Awaitable<std::optional<UpdateError>> Jobs::fetch(Job& job) {
  FetchRequest request;
  request.url = job.command.url;
  request.sha256 = job.command.sha256;
  request.size = job.command.size;
  auto fetched = co_await fetch_.fetch(request);
  while (!stopping_ && !fetched && fetched.error().code == Errc::busy) {
    // More jobs wait for their delta than the fetcher takes: this one gets its turn.
    co_await sleep_for(loop_, kFetchAgain);
    auto again = co_await fetch_.fetch(request);
    fetched = std::move(again);
  }
  if (fetched || stopping_) co_return std::nullopt;
  log::warning("job ", job.id(), ": ", masked_url(job.command.url), ": ", fetched.error().message);
  co_return UpdateError::of(finding_of(fetched.error().code), Phase::preparing, fetched.error().message);
}

/// Into the directory of the operator's FTP server.
Awaitable<std::optional<UpdateError>> Jobs::shelve(Job& job) {
  if (stopping_) co_return std::nullopt;
  if (shelf_ == nullptr) {
    co_return UpdateError::of(Finding::artifact_unavailable, Phase::preparing,
                              "[ftp] is not in the configuration any more");
  }
  const auto extension = short_extension(artifact_name(job.command.url));
  const auto path = artifact_path(job);
  auto put = co_await shelf_->put(job.command.sha256, path, extension);
  while (!stopping_ && !put && put.error().code == Errc::busy) {
    co_await sleep_for(loop_, kFetchAgain);
    auto again = co_await shelf_->put(job.command.sha256, path, extension);
    put = std::move(again);
  }
  if (put && job.ended()) {
    shelf_->drop(put.value());  // its last module, commanded before a restart, was quicker
    co_return std::nullopt;
  }
  if (put) {
    job.shelf_name = put.value();
    co_return std::nullopt;
  }
  if (stopping_) co_return std::nullopt;
  log::warning("job ", job.id(), ": [ftp].dir: ", put.error().message);
  co_return UpdateError::of(finding_of(put.error().code), Phase::preparing, put.error().message);
}

}  // namespace dfota
