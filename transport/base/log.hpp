// The log: lines on stderr, with journald's level prefixes when stderr is the journal (JOURNAL_STREAM names it), with a
// time else. A line names its subject first: "module uc20-a: ...", "job r3: ...". Any thread; one write(2) a line.
// Secrets never come here: callers pass masked text. Control characters are replaced, so a module cannot forge a line.
#pragma once

#include <sstream>
#include <string>

namespace dfota::log {

enum class Level { error = 3, warning = 4, notice = 5, info = 6, debug = 7 };

/// Lines above this level are not written; info unless set. Set it before threads start.
void set_level(Level level);
void write(Level level, const std::string& line);
/// A line for people and their scripts, as it is: with the level for the journal, and without a time elsewhere.
void write_plain(Level level, const std::string& line);
bool enabled(Level level);

template <class... Parts>
void at(Level level, const Parts&... parts) {
  if (!enabled(level)) return;
  std::ostringstream line;
  (line << ... << parts);
  write(level, line.str());
}
template <class... Parts>
void error(const Parts&... parts) {
  at(Level::error, parts...);
}
template <class... Parts>
void warning(const Parts&... parts) {
  at(Level::warning, parts...);
}
template <class... Parts>
void notice(const Parts&... parts) {
  at(Level::notice, parts...);
}
template <class... Parts>
void info(const Parts&... parts) {
  at(Level::info, parts...);
}
template <class... Parts>
void debug(const Parts&... parts) {
  at(Level::debug, parts...);
}

}  // namespace dfota::log
