#include "transport/base/log.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <ctime>

namespace dfota::log {
namespace {
std::atomic<int> max_level{static_cast<int>(Level::info)};

/// systemd.exec(5): the variable is inherited by everybody who is started from a service, so it must name our stderr.
bool stderr_is_journal() {
  const char* stream = std::getenv("JOURNAL_STREAM");
  struct stat status {};
  if (stream == nullptr || ::fstat(STDERR_FILENO, &status) != 0) return false;
  return stream == std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino);
}

std::string journal_level(Level level) {
  static const bool journal = stderr_is_journal();
  return journal ? "<" + std::to_string(static_cast<int>(level)) + ">" : std::string();
}

std::string prefix(Level level) {
  if (auto mark = journal_level(level); !mark.empty()) return mark;
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
void put_line(std::string out, const std::string& line) {
  for (const char c : line) out += (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) ? '.' : c;
  out += '\n';
  // A log that cannot be written must not stop an update.
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, out.data(), out.size());
}
}  // namespace

void set_level(Level level) {
  max_level = static_cast<int>(level);
}

bool enabled(Level level) {
  return static_cast<int>(level) <= max_level;
}

void write(Level level, const std::string& line) {
  put_line(prefix(level), line);
}

void write_plain(Level level, const std::string& line) {
  put_line(journal_level(level), line);
}

}  // namespace dfota::log
