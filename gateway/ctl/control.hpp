// The verbs that are over with their answer: cancel, pause, resume, forget; and with their last page: jobs, modules,
// replay. On the loop.
#pragma once

#include <memory>

#include "gateway/ctl/connection.hpp"

namespace dfota::ctl {

/// All outlive the call. options.call is a ControlCall, a ListCall or a ReplayCall.
std::unique_ptr<Call> make_control(const Options& options, Connection& connection, Output& output);

/// What a ControlCall was answered, in lines for people; made harmless by whoever shows them.
std::vector<std::string> control_lines(const ControlCall& call, const Json& data);

}  // namespace dfota::ctl
