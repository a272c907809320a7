#include "gateway/service_time.hpp"

#include <doctest/doctest.h>

using namespace dfota;
using namespace std::chrono_literals;

namespace {

/// A wall clock that the test sets.
struct Wall {
  WallTime time = ServiceTime::built_at() + std::chrono::hours(24 * 30);
  [[nodiscard]] std::function<WallTime()> clock() {
    return [this] { return time; };
  }
};

}  // namespace

TEST_CASE("it goes with the steady clock, whatever the wall clock does") {
  SteppedClock clock;
  Wall wall;
  const ServiceTime time("", wall.clock());
  const auto begin = time.now();
  clock.advance(90s);
  wall.time += 24h;
  CHECK(time.now() - begin == 90s);
  wall.time -= 72h;
  CHECK(time.now() - begin == 90s);
  CHECK(time.until(begin + 100s) == 10s);
}

TEST_CASE("over a restart it goes on, with the time in between where the wall clock is right") {
  SteppedClock clock;
  Wall wall;
  std::string document;
  ServiceTime::Instant before{};
  {
    ServiceTime time("", wall.clock());
    clock.advance(10min);
    before = time.now();
    document = time.document();
  }
  SUBCASE("away for an hour") {
    wall.time += 1h;
    CHECK(ServiceTime(document, wall.clock()).now() == before + 1h);
  }
  SUBCASE("the wall clock went back: nothing is lost, nothing is gained") {
    wall.time -= 1h;
    CHECK(ServiceTime(document, wall.clock()).now() == before);
  }
  SUBCASE("the clock starts in 1970: what is left is left") {
    wall.time = WallTime();
    const ServiceTime time(document, wall.clock());
    CHECK(time.now() == before);
    CHECK_FALSE(time.wall().has_value());
    wall.time = ServiceTime::built_at() + 48h;
    CHECK(ServiceTime(time.document(), wall.clock()).now() == before);  // it was not right before, either
  }
  SUBCASE("a row that cannot be read") {
    CHECK(ServiceTime("{", wall.clock()).now() == 0ms);
  }
}

TEST_CASE("a wall clock before the day of the build cannot be right") {
  Wall wall;
  const ServiceTime time("", wall.clock());
  CHECK(time.wall() == wall.time);
  wall.time = ServiceTime::built_at() - 1s;
  CHECK_FALSE(time.wall().has_value());
}
