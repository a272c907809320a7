// The documents of the admin HTTP API that are not published over MQTT as they are: a job with its rollout, and what a
// module has been through. Pure functions over the gateway's state; loop thread.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "gateway/jobs.hpp"

namespace dfota {

constexpr std::size_t kMostHistory = 100;  ///< rows of a module's history

/// As cmd/list has it, without its modules; `paused`, and `rollout`: the keys of cmd/update that were given.
nlohmann::json admin_job_row(const Jobs& jobs, const Job& job);
/// That, and what has become of each module.
nlohmann::json admin_job(const Jobs& jobs, const Job& job);
/// The outcomes of the module in the last run of each job that is kept, newest first: result documents with `ended_at`.
nlohmann::json admin_history(const std::string& gateway, const Jobs& jobs, const std::string& module);

}  // namespace dfota
