// A job's rollout: how many of its modules at once, which first, when, and when it stops by itself. The rules of
// cmd/update and what follows from them, as pure functions over a job; loop thread.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "gateway/command_fields.hpp"
#include "gateway/text.hpp"
#include "modem/finding.hpp"

namespace dfota {

struct Job;

/// Why a part is not to be commanded any more.
enum class Stop { canceled, expired, canary_failed, too_many_failures, module_lost_in_job };
std::string_view to_word(Stop stop);
std::optional<Stop> stop_from_word(std::string_view word);
/// What its result says of it; nothing for what somebody ordered.
std::optional<Finding> finding_of(Stop stop);

/// A time of the day, every day, in the gateway's local time; over midnight when `end` is not after `start`.
struct DailyWindow {
  unsigned start = 0, end = 0;  ///< minutes after midnight; `end` is not in it
};

struct Rollout {
  unsigned max_parallel = 0;          ///< modules of the job at once; 0: no limit of its own
  unsigned canary = 0;                ///< so many must succeed before the others begin
  unsigned abort_after_failures = 0;  ///< 0: never
  bool wait_for_absent = false;       ///< until the job expires, not just for timeouts.absent
  std::optional<WallTime> not_before, expires;
  std::optional<DailyWindow> window;

  [[nodiscard]] bool has_clock() const { return not_before || window; }
};

/// Reads the rollout's keys of a cmd/update.
std::optional<CommandFault> take_rollout(const nlohmann::json& document, Rollout& rollout);

bool is_open(const DailyWindow& window, WallTime at);

/// The gates of the clock: not_before and the window. Without a wall clock that can be trusted they stay shut.
bool clock_allows(const Rollout& rollout, std::optional<WallTime> now);

/// max_parallel and the canaries: whether one more module of the job may begin beside those that run. A canary is a
/// module that really ran and succeeded; while some are missing, only as many run as are missing.
bool may_begin_another(const Job& job);

/// What the outcomes so far make of the rest: nothing, or why the modules that were not commanded are left alone.
std::optional<Stop> reason_to_stop(const Job& job);

}  // namespace dfota
