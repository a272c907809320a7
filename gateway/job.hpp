// A job and its parts (one for each module), as they stand in the journal. Plain values; loop thread.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "gateway/text.hpp"
#include "gateway/update_command.hpp"
#include "modem/update_types.hpp"

namespace dfota {

enum class JobState { queued, running, paused, succeeded, canceled, rejected, failed, partial };
std::string_view to_word(JobState state);

struct Part {
  std::string module;
  Checkpoint checkpoint;
  bool begun = false;  ///< the module was handed over to it
  std::optional<WallTime> begun_at;
  std::optional<UpdateResult> result;  ///< the outcome, once there is one
};

struct Job {
  UpdateCommand command;  ///< with its id filled in
  unsigned run = 1;
  WallTime accepted_at{};
  JobState state = JobState::queued;
  std::vector<std::unique_ptr<Part>> parts;  ///< in the order given
  bool begun = false;                        ///< it is in the journal, and was started
  std::string shelf_name;                    ///< under [ftp].dir, while it stands there
  std::uint64_t final_seq = 0;               ///< of the last job/state, once there was one

  [[nodiscard]] const std::string& id() const { return command.job; }
  [[nodiscard]] bool ended() const { return final_seq != 0; }
  [[nodiscard]] bool all_parts_ended() const;
};

/// What the outcomes of all parts make of the job: succeeded (all succeeded or skipped), canceled, rejected (none was
/// commanded), failed (none succeeded), else partial.
JobState verdict(const Job& job);

/// The journal's documents. A part's and a job's are written apart: a step of a module rewrites only its part.
std::string to_document(const Job& job);
std::string to_document(const Part& part);
std::optional<Job> job_from_document(const std::string& document);
std::optional<Part> part_from_document(const std::string& document);

nlohmann::json to_json(const UpdateError& error);

}  // namespace dfota
