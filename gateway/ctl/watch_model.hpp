// What dfota knows of the jobs of one gateway that it follows: messages in, state and lines of text out. No I/O, no
// clock; one thread. Duplicates (QoS 1) and what belongs to an earlier run or to another job changes nothing.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "gateway/ctl/messages.hpp"

namespace dfota::ctl {

struct ModuleView {
  std::string name;  ///< as it is shown: of a fleet gateway/module
  Progress progress;
  std::string outcome;  ///< empty while it goes on
};

struct JobView {
  std::string id, name, state;
  std::int64_t run = 0;
  std::map<std::string, std::int64_t> counts;
  std::vector<ModuleView> modules;           ///< in the order in which they were first heard of
  std::map<std::string, std::size_t> index;  ///< of `modules`, by id
  std::vector<std::string> bad;              ///< the lines of those that did not end well
  std::string told;                          ///< the line of the newest state
};

class WatchModel {
 public:
  /// nullopt: every job that says something. Runs before `first_run` are none of ours. `prefix` stands before the names
  /// of modules and jobs: "rack-1/".
  explicit WatchModel(std::optional<std::string> job, std::int64_t first_run = 0, std::string prefix = "")
      : only_(std::move(job)), first_run_(first_run), prefix_(std::move(prefix)) {}

  /// The lines, fit for a terminal, that the message is worth where there is no bar: a change of phase, an error, a
  /// result, a job's state.
  struct Lines {
    std::vector<std::string> lasting;   ///< errors, results, states
    std::vector<std::string> fleeting;  ///< phases
  };
  Lines apply(const Message& message);

  [[nodiscard]] const std::map<std::string, JobView>& jobs() const { return jobs_; }
  [[nodiscard]] bool has_job() const { return !jobs_.empty(); }

  /// Of the one job that is watched: its last state came.
  [[nodiscard]] bool ended() const;

  /// Every module that was heard of ended in succeeded or skipped, and every job that was heard of ended so.
  [[nodiscard]] bool all_well() const;

 private:
  JobView* job_for(const std::string& id, std::int64_t run);
  ModuleView* module_in(JobView& job, const std::string& id);
  [[nodiscard]] std::string subject(const JobView& job, const std::string& module) const;
  bool seen_before(std::optional<std::int64_t> seq);
  void apply(const Progress& progress, Lines& lines);
  void apply(const ModuleResult& result, Lines& lines);
  void apply(const ModuleError& error, Lines& lines);
  void apply(const JobState& state, Lines& lines);

  std::optional<std::string> only_;
  std::int64_t first_run_;
  std::string prefix_;
  std::map<std::string, JobView> jobs_;
  std::size_t modules_ = 0;
  std::set<std::int64_t> seen_;
};

bool is_final(const std::string& job_state);
bool is_well(const std::string& outcome);

}  // namespace dfota::ctl
