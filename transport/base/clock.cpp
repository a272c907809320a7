#include "transport/base/clock.hpp"

#include <atomic>

namespace dfota {
namespace {
std::atomic<bool> is_stepped{false};
std::atomic<Clock::rep> stepped_now{0};
}  // namespace

Clock::time_point Clock::now() noexcept {
  if (is_stepped) return time_point(duration(stepped_now.load()));
  return time_point(std::chrono::steady_clock::now().time_since_epoch());
}

bool Clock::stepped() noexcept {
  return is_stepped;
}

SteppedClock::SteppedClock() {
  stepped_now = std::chrono::steady_clock::now().time_since_epoch().count();
  is_stepped = true;
}

SteppedClock::~SteppedClock() {
  is_stepped = false;
}

void SteppedClock::advance(Clock::duration by) {
  stepped_now += by.count();
}

}  // namespace dfota
