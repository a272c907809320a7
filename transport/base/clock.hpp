// The one clock of every deadline: the steady clock, which a test can replace by one that it steps. Timer is the timer
// to use on the loop. now() may be called on any thread; a SteppedClock belongs to tests, one at a time, before threads
// start.
#pragma once

#include <asio/basic_waitable_timer.hpp>
#include <chrono>

namespace dfota {

struct Clock {
  using duration = std::chrono::steady_clock::duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<Clock>;
  static constexpr bool is_steady = true;

  static time_point now() noexcept;
  static bool stepped() noexcept;
};

/// While it lives, Clock stands still until advance() is called; timers then fire on the next io.poll().
class SteppedClock {
 public:
  SteppedClock();
  ~SteppedClock();
  SteppedClock(const SteppedClock&) = delete;
  SteppedClock& operator=(const SteppedClock&) = delete;
  void advance(Clock::duration by);
};

/// A stepped clock does not move while the loop sleeps, so the loop must not sleep for it: it is polled (Asio 1.22.1).
struct TimerTraits {
  static Clock::duration to_wait_duration(const Clock::duration& wait) {
    return Clock::stepped() ? Clock::duration::zero() : wait;
  }
  static Clock::duration to_wait_duration(const Clock::time_point& at) {
    return Clock::stepped() ? Clock::duration::zero() : at - Clock::now();
  }
};

using Timer = asio::basic_waitable_timer<Clock, TimerTraits>;

/// Seconds as the configuration gives them, fractions allowed.
inline Clock::duration seconds(double value) {
  return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(value));
}

}  // namespace dfota
