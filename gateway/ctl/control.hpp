// The verbs that are over with their answer: cancel, pause, resume, forget; and with their last page: jobs, modules,
// replay. On the loop.
#pragma once

#include <memory>

#include "gateway/ctl/connection.hpp"

namespace dfota::ctl {

/// All outlive the call. options.call is a ControlCall, a ListCall, a ReplayCall, or an UpdateCall with dry_run.
std::unique_ptr<Call> make_control(const Options& options, Connection& connection, Output& output);

/// What a ControlCall was answered, in lines for people; made harmless by whoever shows them. `prefix` ("rack-1/")
/// stands before the names of modules and jobs.
std::vector<std::string> control_lines(const ControlCall& call, const Json& data, const std::string& prefix = "");

}  // namespace dfota::ctl
