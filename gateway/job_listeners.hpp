// Who is told of the jobs: the publisher, whose word the journal keeps, and any number of others that look on (metrics,
// the page), in the order in which they were added. Loop thread only.
#pragma once

#include <vector>

#include "gateway/jobs.hpp"

namespace dfota {

/// Who only looks on: what it does not care for is nothing. It is told after the publisher, in the same turn.
class JobWatcher : public UpdateListener, public ModuleObserver {
 public:
  void update_progress(const Job&, const Part&, const UpdateProgress&, const DownloadRate::Reading&) override {}
  void update_error(const Job&, const Part&, unsigned, const UpdateError&, std::optional<WallTime>) override {}
  void module_changed(const Module&) override {}
  virtual void job_changed(const Job&) {}
  virtual void part_ended(const Job&, const Part&) {}
  virtual void job_ended(const Job&) {}
  virtual void job_forgotten(const Job&) {}
  virtual void hold_changed() {}
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
  void job_changed(const Job& job) override;
  void part_ended(const Job& job, const Part& part) override;
  std::uint64_t job_ended(const Job& job) override;
  void job_forgotten(const Job& job) override;
  void hold_changed() override;
  void clock_needed(bool in_vain) override { publisher_.clock_needed(in_vain); }
  void module_changed(const Module& module) override;

 private:
  JobListener& publisher_;
  std::vector<JobWatcher*> watchers_;
};

}  // namespace dfota
