// transcript: what was recorded of a module's update, for people or as it was recorded. On the loop.
#pragma once

#include <memory>
#include <string>

#include "gateway/ctl/connection.hpp"

namespace dfota::ctl {

/// All outlive the call.
std::unique_ptr<Call> make_transcript(const TranscriptCall& call, Connection& connection, Output& output);

/// Whose it is and what it is of, for people.
std::string transcript_head_text(const Json& head);
/// One event: its time, who spoke (> the gateway, < the module in answer, * the module by itself, ? the module and
/// nobody knows what, - what the gateway notes), and what.
std::string transcript_event_text(const Json& event);

}  // namespace dfota::ctl
