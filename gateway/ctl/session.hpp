// One call of dfota, from the connection to the exit code. Everything runs on the loop of the caller's thread; MQTT
// messages are handed over to it. Writes to stdout (results) and stderr (what is wrong).
#pragma once

#include "gateway/ctl/options.hpp"

namespace dfota::ctl {

/// Returns the exit code.
int run(const Options& options);

}  // namespace dfota::ctl
