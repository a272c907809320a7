// Who is told of the jobs: the publisher, whose word the journal keeps, and any number of others that look on at what
// becomes of updates (metrics), in the order in which they were added. Loop thread only.
#pragma once

#include <vector>

#include "gateway/jobs.hpp"

namespace dfota {

/// Who only looks on: what it does not care for is nothing. It is told after the publisher, in the same turn.
class JobWatcher : public UpdateListener {
 public:
  void update_progress(const Job&, const Part&, const UpdateProgress&, const DownloadRate::Reading&) override {}
  void update_error(const Job&, const Part&, unsigned, const UpdateError&, std::optional<WallTime>) override {}
  virtual void part_ended(const Job&, const Part&) {}
  virtual void job_ended(const Job&) {}
};

class JobListeners : public JobListener {
 public:
  /// All must outlive it.
  explicit JobListeners(JobListener& publisher) : publisher_(publisher) {}
  void add(JobWatcher& watcher) { watchers_.push_back(&watcher); }

  // JobListener
  void update_progress(const Job& job, const Part& part, const UpdateProgress& progress,
                       const DownloadRate::Reading& reading) override;
  void update_error(const Job& job, const Part& part, unsigned attempt, const UpdateError& error,
                    std::optional<WallTime> next_attempt_at) override;
  void job_changed(const Job& job) override { publisher_.job_changed(job); }
  void part_ended(const Job& job, const Part& part) override;
  std::uint64_t job_ended(const Job& job) override;
  void job_forgotten(const Job& job) override { publisher_.job_forgotten(job); }
  void hold_changed() override { publisher_.hold_changed(); }
  void clock_needed(bool in_vain) override { publisher_.clock_needed(in_vain); }
  void module_changed(const Module& module) override { publisher_.module_changed(module); }

 private:
  JobListener& publisher_;
  std::vector<JobWatcher*> watchers_;
};

}  // namespace dfota
