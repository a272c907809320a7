// Signal wakes the one coroutine that waits for "something happened, or it is time". The waiter tests its predicate
// before each wait and after each wake; everything runs on the loop's thread, so nothing can slip in between.
#pragma once

#include <asio/io_context.hpp>

#include "transport/base/awaitable.hpp"
#include "transport/base/clock.hpp"

namespace dfota {

class Signal {
 public:
  explicit Signal(asio::io_context& loop) : timer_(loop) {}

  /// Ends at notify() or at the deadline, whichever is first; which one it was, the waiter sees for itself. One waiter.
  Awaitable<> wait_until(Clock::time_point deadline);
  void notify();

 private:
  Timer timer_;
};

/// Sleeps on the loop.
Awaitable<> sleep_for(asio::io_context& loop, Clock::duration time);

}  // namespace dfota
