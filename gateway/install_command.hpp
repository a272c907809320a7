// cmd/install: one module to a version, or to the newest release that the catalog reaches from the one it runs. What it
// leads to is a job with that target, like any other; while that one runs, the same command means the same job. Decides
// only; loop thread.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <variant>

#include "gateway/jobs.hpp"
#include "gateway/releases.hpp"

namespace dfota {

/// Null: none is newer, or nothing is known of it.
using NewestReleaseOf = std::function<const Release*(const std::string& model, const std::string& version)>;

/// The command of the job that runs already, or of a new one (its id is to be made). Faults: those of the command, and
/// unknown_module, version_unknown, up_to_date, unknown_target, no_way, downgrade_refused.
std::variant<UpdateCommand, CommandFault> read_install_command(const nlohmann::json& document, const Jobs& jobs,
                                                               const Jobs::Modules& modules,
                                                               const NewestReleaseOf& newest);

}  // namespace dfota
