#include "transport/base/clock.hpp"

#include <doctest/doctest.h>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>

#include "transport/base/signal.hpp"

using namespace dfota;
using namespace std::chrono_literals;

namespace {
Awaitable<> wait_then_set(Signal& signal, Clock::time_point deadline, bool& woken) {
  co_await signal.wait_until(deadline);
  woken = true;
}
}  // namespace

TEST_CASE("a timer on the stepped clock fires at its tick and not before") {
  SteppedClock clock;
  asio::io_context loop;
  Signal signal(loop);
  bool woken = false;
  asio::co_spawn(loop, wait_then_set(signal, Clock::now() + 90s, woken), asio::detached);
  loop.poll();
  clock.advance(89s);
  loop.poll();
  CHECK_FALSE(woken);
  clock.advance(2s);
  loop.poll();
  CHECK(woken);
}

TEST_CASE("a signal wakes its waiter long before the deadline") {
  asio::io_context loop;
  Signal signal(loop);
  bool woken = false;
  asio::co_spawn(loop, wait_then_set(signal, Clock::now() + 1h, woken), asio::detached);
  loop.poll();
  signal.notify();
  loop.poll();
  CHECK(woken);
}
