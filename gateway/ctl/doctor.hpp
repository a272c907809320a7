// `dfota doctor`: the way from here to a module is gone step by step, and each step is told as it is made. Blocking, on
// the caller's thread, with a connection of its own: what Connection waits for in one go is what is to be told apart.
#pragma once

#include "gateway/ctl/options.hpp"
#include "gateway/ctl/output.hpp"

namespace dfota::ctl {

/// Returns the exit code: 0 when no step failed.
int doctor(const Options& options, Output& output);

}  // namespace dfota::ctl
