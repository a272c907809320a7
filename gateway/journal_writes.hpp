// Every kind of write to the journal, by name. Each is a pair of places at which a test build can be told to die:
// "<name>.before", when the writes of its transaction wait for the disk, and "<name>.after", when they are on it and
// nobody knows yet. No write without a kind: the journal asks for it, and the crash tests go through this list.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace dfota {

enum class Write {
  job_accepted,
  part_accepted,
  part_preparing,  ///< an attempt is over, or an upload begins
  part_commanded,
  part_released,
  part_undone,  ///< a step that was journalled and was not taken after all
  part_interrupted,
  part_hop,  ///< one delta of its way is done
  part_ended,
  error,
  result,
  job_ended,
  job_state,
  outbox_sent,
  job_canceled,
  job_stopped,  ///< by its own rollout: a canary, too many failures, a lost module
  job_paused,
  job_resumed,
  job_retried,
  part_retried,
  job_forgotten,
  tombstone,
  tombstones_pruned,
  hold,
  service_time,
  module_forgotten,
  version_before,  ///< what a module ran before its last succeeded job
  update_history,
  module_known,  ///< its IMEI, where it stood, and whether it was lost or is released
};

inline constexpr std::array<std::string_view, 29> kWriteNames = {
    "job_accepted",     "part_accepted",    "part_preparing",    "part_commanded", "part_released",
    "part_undone",      "part_interrupted", "part_hop",          "part_ended",     "error",
    "result",           "job_ended",        "job_state",         "outbox_sent",    "job_canceled",
    "job_stopped",      "job_paused",       "job_resumed",       "job_retried",    "part_retried",
    "job_forgotten",    "tombstone",        "tombstones_pruned", "hold",           "service_time",
    "module_forgotten", "version_before",   "update_history",    "module_known"};

constexpr std::string_view name_of(Write write) {
  return kWriteNames[static_cast<std::size_t>(write)];
}

}  // namespace dfota
