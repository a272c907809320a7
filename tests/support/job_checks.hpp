// What is true of every job at its end, whatever happened on the way, and the waits that tests of such happenings
// share.
#pragma once

#include <string>

#include "tests/support/rig.hpp"

namespace dfota::test {

/// Waits for the end of the job and stops the rack: each module `succeeded` exactly once (the same bytes where that was
/// published again) after `commands` AT+QFOTADL, was not spoken to while it flashed, and said no error; seqs in order.
void check_succeeded(Rig& rig, const std::string& job, int modules, int commands = 1);

/// What carries a seq came in the order of the seqs within the job, and where one came again, with the same bytes.
void check_order(Rig& rig, const std::string& job);

/// What a subscriber that comes after the job is given: the states of gateway, modules and job.
void check_retained(Rig& rig, const std::string& job, int modules);

void wait_for_progress(Rig& rig, const std::string& module, const std::string& phase);

/// Until each of the first `modules` has flashed and is back.
void wait_until_flashed(Rig& rig, int modules);

}  // namespace dfota::test
