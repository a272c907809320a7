#include "transport/base/crash_point.hpp"

#ifdef DFOTA_CRASH_POINTS
#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <mutex>
#include <string>

namespace dfota {
namespace {

struct Plan {
  Plan() {
    if (const char* at = std::getenv("DFOTA_CRASH_AT")) {
      const std::string text = at;
      const auto colon = text.rfind(':');
      name = text.substr(0, colon);
      left = colon == std::string::npos ? 1 : std::atoi(text.c_str() + colon + 1);
    }
    if (const char* file = std::getenv("DFOTA_CRASH_LOG")) {
      log = ::open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    }
    if (const char* at = std::getenv("DFOTA_HANG_AT")) hang_at = at;
  }
  std::string name, hang_at;
  int left = 0, log = -1;
  std::mutex mutex;
};

}  // namespace

void crash_point(std::string_view name) {
  static Plan plan;
  if (plan.left == 0 && plan.log < 0 && plan.hang_at.empty()) return;
  std::unique_lock lock(plan.mutex);
  if (plan.log >= 0) {
    const std::string line = std::string(name) + "\n";
    if (::write(plan.log, line.data(), line.size()) < 0) std::abort();
  }
  if (plan.left > 0 && name == plan.name && --plan.left == 0) ::kill(::getpid(), SIGKILL);
  lock.unlock();  // the other threads go on
  while (name == plan.hang_at) ::pause();
}

}  // namespace dfota
#endif
