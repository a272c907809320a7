#include "gateway/progress.hpp"

#include <cmath>

namespace dfota {

DownloadRate::Reading DownloadRate::take(Clock::time_point now, std::uint64_t bytes, std::uint64_t total_bytes) {
  if (samples_.empty() || samples_.back().at != now) samples_.push_back({now, bytes});
  // The oldest sample kept is the last one outside the window, so that a slow trickle still has a rate.
  while (samples_.size() > 2 && samples_[1].at <= now - kWindow) samples_.pop_front();
  Reading reading;
  reading.bytes = bytes;
  reading.total_bytes = total_bytes;
  const auto& first = samples_.front();
  const double elapsed = std::chrono::duration<double>(now - first.at).count();
  if (elapsed <= 0 || bytes <= first.bytes) return reading;
  const double rate = static_cast<double>(bytes - first.bytes) / elapsed;
  reading.bytes_per_second = static_cast<std::uint64_t>(rate);
  if (rate >= 1 && bytes <= total_bytes) {
    reading.eta_s = static_cast<std::uint64_t>(std::llround(static_cast<double>(total_bytes - bytes) / rate));
  }
  return reading;
}

}  // namespace dfota
