// The true rate of a download and what is left of it, from the bytes that TCP has delivered. No I/O; loop thread.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>

#include "transport/base/clock.hpp"

namespace dfota {

class DownloadRate {
 public:
  static constexpr auto kWindow = std::chrono::seconds(10);  ///< the rate is that of the last ten seconds

  struct Reading {
    std::optional<std::uint64_t> bytes, total_bytes;
    std::optional<std::uint64_t> bytes_per_second;
    std::optional<std::uint64_t> eta_s;  ///< to the end of the download
  };

  void reset() { samples_.clear(); }
  Reading take(Clock::time_point now, std::uint64_t bytes, std::uint64_t total_bytes);

 private:
  struct Sample {
    Clock::time_point at;
    std::uint64_t bytes;
  };
  std::deque<Sample> samples_;
};

}  // namespace dfota
