#include "gateway/job_listeners.hpp"

namespace dfota {

void JobListeners::update_progress(const Job& job, const Part& part, const UpdateProgress& progress,
                                   const DownloadRate::Reading& reading) {
  publisher_.update_progress(job, part, progress, reading);
  for (auto* watcher : watchers_) watcher->update_progress(job, part, progress, reading);
}

void JobListeners::update_error(const Job& job, const Part& part, unsigned attempt, const UpdateError& error,
                                std::optional<WallTime> next_attempt_at) {
  publisher_.update_error(job, part, attempt, error, next_attempt_at);
  for (auto* watcher : watchers_) watcher->update_error(job, part, attempt, error, next_attempt_at);
}

void JobListeners::part_ended(const Job& job, const Part& part) {
  publisher_.part_ended(job, part);
  for (auto* watcher : watchers_) watcher->part_ended(job, part);
}

std::uint64_t JobListeners::job_ended(const Job& job) {
  const auto seq = publisher_.job_ended(job);
  for (auto* watcher : watchers_) watcher->job_ended(job);
  return seq;
}

}  // namespace dfota
