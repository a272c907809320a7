// A job and its parts (one for each module), as they stand in the journal. Plain values; loop thread.
#pragma once

#include <array>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "gateway/service_time.hpp"
#include "gateway/text.hpp"
#include "gateway/update_command.hpp"
#include "modem/update_types.hpp"

namespace dfota {

enum class JobState { queued, running, paused, succeeded, canceled, rejected, failed, partial };
std::string_view to_word(JobState state);

struct Part {
  std::string module;
  Checkpoint checkpoint;  ///< without pause and age, which are counted from these two:
  std::optional<ServiceTime::Instant> step_at, next_attempt_at;
  std::optional<WallTime> begun_at;
  std::optional<Stop> stop;
  std::optional<UpdateResult> result;  ///< the outcome, once there is one

  // Of this process.
  bool begun = false;                              ///< the module was handed over to it
  std::optional<Clock::time_point> missing_since;  ///< it could begin, were the module there
};

/// How many parts of a job run, and how many have which outcome.
struct Tally {
  std::size_t running = 0, ended = 0;
  bool begun = false;  ///< a part has begun, be it in an earlier process
  std::array<std::size_t, 6> outcomes{};
  [[nodiscard]] std::size_t of(Outcome outcome) const { return outcomes[static_cast<std::size_t>(outcome)]; }
};

struct Job {
  UpdateCommand command;  ///< with its id filled in
  unsigned run = 1;
  WallTime accepted_at{};
  std::optional<ServiceTime::Instant> expires_at;  ///< nothing: not known before the wall clock can be trusted
  bool paused = false;
  std::optional<JobState> verdict;           ///< once all parts have ended
  std::optional<WallTime> ended_at;          ///< where the wall clock could be trusted
  std::uint64_t final_seq = 0;               ///< of the last job/state, once there was one
  std::vector<std::unique_ptr<Part>> parts;  ///< of this run, in the order given
  Tally tally;

  // Of this process.
  bool begun = false;    ///< it is in the journal, and was started
  bool stopped = false;  ///< the rest of it is being left alone
  enum class Delta { unasked, coming, here } delta = Delta::unasked;
  std::string shelf_name;  ///< under [ftp].dir, while it stands there

  [[nodiscard]] const std::string& id() const { return command.job; }
  [[nodiscard]] bool ended() const { return verdict.has_value(); }
  [[nodiscard]] bool all_parts_ended() const { return tally.ended == parts.size(); }
  [[nodiscard]] JobState state() const;
  [[nodiscard]] Part* part_of(const std::string& module) const;

  void add_part(const std::string& module);
  void begin(Part& part);
  void end(Part& part, UpdateResult result);
  void count_again();
};

/// What the outcomes of all parts make of the job: succeeded (all succeeded or skipped), canceled, rejected (none was
/// commanded), failed (none succeeded), else partial.
JobState verdict_of(const Job& job);

/// The journal's documents. A part's and a job's are written apart: a step of a module rewrites only its part.
std::string to_document(const Job& job);
std::string to_document(const Part& part);
std::optional<Job> job_from_document(const std::string& document);
std::optional<Part> part_from_document(const std::string& document);

nlohmann::json to_json(const UpdateError& error);

}  // namespace dfota
