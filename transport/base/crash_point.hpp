// Named places at which a test build can be told to die, to show what survives. Outside of a test build they are
// nothing. Any thread.
#pragma once

#include <string_view>

namespace dfota {

#ifdef DFOTA_CRASH_POINTS
/// DFOTA_CRASH_AT=NAME:N in the environment: the Nth passing of NAME (from 1) ends the process by SIGKILL, there.
/// DFOTA_HANG_AT=NAME: the thread that passes NAME stays there, as before a disk that does not answer.
/// DFOTA_CRASH_LOG=FILE: each passing appends a line with its name.
void crash_point(std::string_view name);
#else
inline void crash_point(std::string_view) {}
#endif

}  // namespace dfota
