// rehearse: a module fetches a small file as it would a delta, and dfota says in words how that went. On the loop.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "gateway/ctl/connection.hpp"

namespace dfota::ctl {

/// All outlive the call.
std::unique_ptr<Call> make_rehearsal(const RehearseCall& call, Connection& connection, Output& output);

/// What the gateway answered to `rehearse`, for people.
std::vector<std::string> rehearsal_lines(const Json& data);
/// The module has fetched the whole file.
bool rehearsal_went_well(const Json& data);

}  // namespace dfota::ctl
