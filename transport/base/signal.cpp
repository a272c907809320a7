#include "transport/base/signal.hpp"

namespace dfota {

Awaitable<> Signal::wait_until(Clock::time_point deadline) {
  timer_.expires_at(deadline);
  co_await timer_.async_wait(kNoThrow);
}

void Signal::notify() {
  timer_.cancel();
}

Awaitable<> sleep_for(asio::io_context& loop, Clock::duration time) {
  Timer timer(loop, time);
  co_await timer.async_wait(kNoThrow);
}

}  // namespace dfota
