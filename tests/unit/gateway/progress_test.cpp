#include "gateway/progress.hpp"

#include <doctest/doctest.h>

using namespace dfota;
using namespace std::chrono_literals;

TEST_CASE("rate and time left are those of the last ten seconds") {
  DownloadRate rate;
  const auto start = Clock::now();
  auto reading = rate.take(start, 0, 100000);
  CHECK(reading.total_bytes == 100000);
  CHECK_FALSE(reading.bytes_per_second);
  reading = rate.take(start + 1s, 1000, 100000);
  CHECK(reading.bytes_per_second == 1000);
  CHECK(reading.eta_s == 99);
  for (int s = 2; s <= 30; ++s)
    reading = rate.take(start + s * 1s, 1000 + static_cast<std::uint64_t>(s - 1) * 100, 100000);
  CHECK(reading.bytes_per_second == 100);
}

TEST_CASE("a download that stands still has no rate and no end") {
  DownloadRate rate;
  const auto start = Clock::now();
  rate.take(start, 500, 1000);
  const auto reading = rate.take(start + 5s, 500, 1000);
  CHECK_FALSE(reading.bytes_per_second);
  CHECK_FALSE(reading.eta_s);
  CHECK(reading.bytes == 500);
}
