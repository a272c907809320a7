// A job and its parts (one for each module), as they stand in the journal. Plain values; loop thread.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "gateway/service_time.hpp"
#include "gateway/text.hpp"
#include "gateway/update_command.hpp"
#include "modem/update_types.hpp"
#include "transport/fetch.hpp"

namespace dfota {

enum class JobState { queued, running, paused, succeeded, canceled, rejected, failed, partial };
std::string_view to_word(JobState state);

/// One delta that brought a module from one version to the next.
struct Hop {
  std::string artifact, from, to;
  unsigned attempts = 0;
  double duration_s = 0;
};

struct Part {
  std::string module;
  Checkpoint checkpoint;  ///< without pause and age, which are counted from these two:
  std::optional<ServiceTime::Instant> step_at, next_attempt_at;
  std::optional<WallTime> begun_at, ended_at;
  std::optional<Stop> stop;
  std::optional<UpdateResult> result;  ///< the outcome, once there is one

  std::string target;                 ///< of a plan: the version it ends at; empty: there is none
  std::string from;                   ///< the version that the module had before the first hop
  std::vector<Hop> way;               ///< the hops that are done
  std::vector<std::string> warnings;  ///< of theirs
  std::optional<Manifest> hop;        ///< of a plan: the delta that is under way, or next
  std::optional<ServiceTime::Instant> hop_begun_at;
  unsigned hops = 1;  ///< of the whole way, as far as it is known

  // Of this process.
  bool begun = false;                              ///< the module was handed over to it, be it for an earlier hop
  bool working = false;                            ///< the module works on it at this moment
  std::string reported;                            ///< by the module, when it last worked on it
  unsigned asked = 0;                              ///< how often in a row it reported another version than planned
  std::optional<Clock::time_point> missing_since;  ///< it could begin, were the module there
  std::vector<std::shared_ptr<const Fetch::Hold>> holds;  ///< the deltas of its way

  /// Commands of the hops that are done.
  [[nodiscard]] unsigned attempts_before() const;
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
  struct Brought {
    bool here = false;       ///< else it is on its way
    std::string shelf_name;  ///< under [ftp].dir, while it stands there
  };
  std::map<std::string, Brought> deltas;    ///< those that were asked for, by their sha256
  std::shared_ptr<const Fetch::Hold> hold;  ///< of the one delta, where the job names one

  [[nodiscard]] const std::string& id() const { return command.job; }
  [[nodiscard]] bool ended() const { return verdict.has_value(); }
  [[nodiscard]] bool all_parts_ended() const { return tally.ended == parts.size(); }
  [[nodiscard]] JobState state() const;
  [[nodiscard]] Part* part_of(const std::string& module) const;
  /// What the module is given next; null while a plan does not know it.
  [[nodiscard]] const Manifest* delta_of(const Part& part) const;

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
nlohmann::json to_json(const Hop& hop);

}  // namespace dfota
