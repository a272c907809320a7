// One call of dfota, from the connection to the exit code, on the caller's thread. Writes to stdout (results) and
// stderr (what is wrong).
#pragma once

#include "gateway/ctl/options.hpp"

namespace dfota::ctl {

/// Returns the exit code.
int run(const Options& options);

}  // namespace dfota::ctl
