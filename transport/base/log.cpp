#include "transport/base/log.hpp"

#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <ctime>

namespace dfota::log {
namespace {
std::atomic<int> max_level{static_cast<int>(Level::info)};

std::string prefix(Level level) {
  static const bool journal = std::getenv("JOURNAL_STREAM") != nullptr;
  if (journal) return "<" + std::to_string(static_cast<int>(level)) + ">";
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  tm utc{};
  gmtime_r(&now.tv_sec, &utc);
  char text[48];
  const auto size = std::strftime(text, sizeof text, "%H:%M:%S", &utc);
  std::snprintf(text + size, sizeof text - size, ".%03ld ", now.tv_nsec / 1000000);
  static constexpr const char* kNames[] = {"", "", "", "ERROR ", "WARN  ", "NOTE  ", "info  ", "debug "};
  return text + std::string(kNames[static_cast<int>(level)]);
}
}  // namespace

void set_level(Level level) {
  max_level = static_cast<int>(level);
}

bool enabled(Level level) {
  return static_cast<int>(level) <= max_level;
}

void write(Level level, const std::string& line) {
  std::string out = prefix(level);
  for (const char c : line) out += (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) ? '.' : c;
  out += '\n';
  // A log that cannot be written must not stop an update.
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, out.data(), out.size());
}

}  // namespace dfota::log
