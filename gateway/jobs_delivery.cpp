// How a job's delta gets to where its modules are told of it (the rest of Jobs): fetched from its origin, and, for the
// delivery ftp, put into the directory of the operator's FTP server.
#include <asio/co_spawn.hpp>

#include "gateway/jobs.hpp"
#include "transport/base/log.hpp"
#include "transport/base/masked.hpp"

namespace dfota {
std::filesystem::path Jobs::artifact_path(const Manifest& delta) const {
  return std::filesystem::path(config_.gateway.state_dir) / "artifacts" / delta.sha256;
}

/// Once for all modules of the run, when the first of them could begin. Whether it is there.
bool Jobs::bring(Job& job, const Manifest& delta) {
  if (!wants_artifact(job.command.delivery)) return true;
  if (const auto known = job.deltas.find(delta.sha256); known != job.deltas.end()) return known->second.here;
  if (stopping_) return false;
  job.deltas[delta.sha256] = {};
  asio::co_spawn(loop_, bring_delta(job.id(), job.run, delta), rethrow);
  return false;
}

/// Meanwhile the job may end, be forgotten, and run once more.
Awaitable<> Jobs::bring_delta(std::string id, unsigned run, Manifest delta) {
  const auto delivery = jobs_.at(id)->command.delivery;
  auto failed = co_await fetch(id, delta);
  if (!failed && delivery == Delivery::ftp) {
    auto shelved = co_await shelve(id, delta);
    failed = std::move(shelved);
  }
  if (stopping_) co_return;
  // Once every delta that modules of an earlier process were told of is where it was, what else lies there is a
  // leftover.
  if (unswept_.erase({id, delta.sha256}) > 0 && unswept_.empty()) shelf_->sweep();
  const auto found = jobs_.find(id);
  if (found == jobs_.end() || found->second->ended() || found->second->run != run) co_return;
  auto& job = *found->second;
  if (failed) {
    job.deltas.erase(delta.sha256);
    not_brought(job, delta, *failed);
    co_return;
  }
  job.deltas[delta.sha256].here = true;
  look_at(job);
}

/// The modules that waited for it are rejected; what was commanded, before a restart, goes on without it.
void Jobs::not_brought(Job& job, const Manifest& delta, const UpdateError& error) {
  std::vector<Part*> parts;
  for (const auto& part : job.parts) {
    const auto* wanted = job.delta_of(*part);
    if (!part->result && !part->working && wanted != nullptr && wanted->sha256 == delta.sha256) {
      parts.push_back(part.get());
    }
  }
  for (auto* part : parts) {
    if (!part->result) reject(job, *part, error);
  }
}

/// Into the cache, and proved: its hash, and its signature.
Awaitable<std::optional<UpdateError>> Jobs::fetch(const std::string& id, const Manifest& delta) {
  FetchRequest request;
  request.url = delta.url;
  request.sha256 = delta.sha256;
  request.size = delta.size;
  auto fetched = co_await fetch_.fetch(request);
  while (!stopping_ && !fetched && fetched.error().code == Errc::busy) {
    // More jobs wait for their delta than the fetcher takes: this one gets its turn.
    co_await sleep_for(loop_, kFetchAgain);
    auto again = co_await fetch_.fetch(request);
    fetched = std::move(again);
  }
  if (stopping_) co_return std::nullopt;
  const auto origin = delta.url.empty() ? delta.name : masked_url(delta.url);
  if (!fetched) {
    log::warning("job ", id, ": ", origin, ": ", fetched.error().message);
    co_return UpdateError::of(artifact_finding(fetched.error().code), Phase::preparing, fetched.error().message);
  }
  auto checked = trust_.check(delta, fetched->blake2b);
  if (auto* untrusted = std::get_if<UpdateError>(&checked)) {
    log::warning("job ", id, ": ", origin, ": ", untrusted->meaning, ": ", untrusted->message);
    co_return *untrusted;
  }
  // A job that names a URL may say nothing of model and size: who signed the delta did, and here are its bytes.
  const auto& model = std::get<Statement>(checked).model;
  const auto job = jobs_.find(id);
  if (job != jobs_.end() && !job->second->command.planned()) {
    auto& known = job->second->command.delta;
    if (known.model.empty()) known.model = model;
    if (!known.size) known.size = fetched->size;
  }
  co_return std::nullopt;
}

/// Into the directory of the operator's FTP server.
Awaitable<std::optional<UpdateError>> Jobs::shelve(const std::string& id, const Manifest& delta) {
  if (stopping_) co_return std::nullopt;
  if (shelf_ == nullptr) {
    co_return UpdateError::of(Finding::artifact_unavailable, Phase::preparing,
                              "[ftp] is not in the configuration any more");
  }
  const auto extension = short_extension(delta.name);
  const auto path = artifact_path(delta);
  auto put = co_await shelf_->put(delta.sha256, path, extension);
  while (!stopping_ && !put && put.error().code == Errc::busy) {
    co_await sleep_for(loop_, kFetchAgain);
    auto again = co_await shelf_->put(delta.sha256, path, extension);
    put = std::move(again);
  }
  if (put) {
    const auto found = jobs_.find(id);
    auto* brought = found == jobs_.end() || found->second->ended() ? nullptr : &found->second->deltas[delta.sha256];
    if (brought != nullptr && brought->shelf_name.empty()) {
      brought->shelf_name = put.value();
    } else {
      shelf_->drop(put.value());  // its last module, commanded before a restart, was quicker
    }
    co_return std::nullopt;
  }
  if (stopping_) co_return std::nullopt;
  log::warning("job ", id, ": [ftp].dir: ", put.error().message);
  co_return UpdateError::of(artifact_finding(put.error().code), Phase::preparing, put.error().message);
}

}  // namespace dfota
