#include "modem/simulator/line_pace.hpp"

#include <doctest/doctest.h>

using namespace dfota;
using dfota::sim::LinePace;
using std::chrono::milliseconds;

namespace {
const Clock::time_point kStart{std::chrono::hours(1)};
}

TEST_CASE("ten bits a byte") {
  LinePace line(115200);
  CHECK(line.pass(11520, false, kStart) == kStart + std::chrono::seconds(1));
  CHECK(line.limited());
  CHECK_FALSE(LinePace(0).limited());
}

TEST_CASE("a late wake-up is made up for by bytes that were waiting, not by those that came later") {
  LinePace line(10000);  // a byte a millisecond
  CHECK(line.pass(10, false, kStart) == kStart + milliseconds(10));
  CHECK(line.pass(10, true, kStart + milliseconds(17)) == kStart + milliseconds(20));
  CHECK(line.pass(10, false, kStart + milliseconds(27)) == kStart + milliseconds(37));
  CHECK(line.pass(10, false, kStart + milliseconds(30)) == kStart + milliseconds(47));
}

TEST_CASE("pieces neither delay a byte for long nor wake the loop for each") {
  CHECK(LinePace(300).piece_bytes() == 16);
  CHECK(LinePace(115200).piece_bytes() == 46);
  CHECK(LinePace(921600).piece_bytes() == 368);
  CHECK(LinePace(10000000).piece_bytes() == 1024);
  CHECK(LinePace(0).piece_bytes() == 1024);
}

TEST_CASE("a thousand pieces take as long as one") {
  LinePace line(921600);
  Clock::time_point at = kStart;
  for (int piece = 0; piece < 1000; ++piece) at = line.pass(368, piece > 0, at);
  const auto exact = std::chrono::nanoseconds(368'000LL * 10 * 1'000'000'000 / 921600);
  CHECK(kStart + exact - at < std::chrono::microseconds(2));
}
