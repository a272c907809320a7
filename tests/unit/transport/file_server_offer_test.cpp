#include "transport/file_server_offer.hpp"

#include <doctest/doctest.h>
#include <poll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <random>
#include <vector>

using namespace dfota;

namespace {
struct HeldGate : Gate {
  HeldGate() : Gate(Descriptor(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK))) {}
};
bool awake(const Gate& gate) {
  pollfd event{gate.event(), POLLIN, 0};
  return ::poll(&event, 1, 0) == 1;
}
}  // namespace

TEST_CASE("a gate that is revoked before its release never opens") {
  HeldGate gate;
  CHECK_FALSE(awake(gate));
  CHECK(gate.revoke());
  CHECK(awake(gate));
  gate.release();
  CHECK_FALSE(gate.may_pass());
  CHECK(gate.revoked());
}

TEST_CASE("a gate that was released says so when it is revoked") {
  HeldGate gate;
  gate.release();
  CHECK(awake(gate));
  CHECK(gate.may_pass());
  CHECK_FALSE(gate.revoke());
  CHECK_FALSE(gate.may_pass());
}

TEST_CASE("ranges are merged into their union") {
  std::mt19937 random(7);
  for (int round = 0; round < 200; ++round) {
    RangeSet ranges;
    std::vector<bool> bytes(64);
    for (int i = 0; i < 20; ++i) {
      const std::size_t begin = random() % 64;
      const std::size_t end = begin + random() % (65 - begin);
      ranges.add(begin, end);
      std::fill(bytes.begin() + static_cast<long>(begin), bytes.begin() + static_cast<long>(end), true);
      REQUIRE(ranges.bytes() == static_cast<std::uint64_t>(std::count(bytes.begin(), bytes.end(), true)));
    }
  }
}

TEST_CASE("the number of separate ranges is bounded, and gaps can still be filled") {
  RangeSet ranges;
  for (std::uint64_t i = 0; i < 2 * RangeSet::kMaxRanges; ++i) ranges.add(2 * i, 2 * i + 1);
  CHECK(ranges.bytes() == RangeSet::kMaxRanges);
  ranges.add(0, 4 * RangeSet::kMaxRanges);
  CHECK(ranges.bytes() == 4 * RangeSet::kMaxRanges);
}
