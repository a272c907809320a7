// What stays of a forgotten job for jobs.remember_days: its id, which command it was, and how it ended. Pure functions;
// any thread.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>

#include "gateway/job.hpp"
#include "gateway/journal.hpp"

namespace dfota {

/// `now`: nothing when the wall clock cannot be trusted.
JournalContents::Tombstone tombstone_of(const Job& job, std::optional<WallTime> now);

/// The stored state as a reply tells it, when the tombstone is of this command; nothing: it is of another one.
std::optional<nlohmann::json> state_of(const std::string& tombstone, const UpdateCommand& command);

}  // namespace dfota
