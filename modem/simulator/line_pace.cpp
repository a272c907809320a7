#include "modem/simulator/line_pace.hpp"

#include <algorithm>
#include <cstdint>

namespace dfota::sim {
namespace {

constexpr int64_t kBitsPerByte = 10;
constexpr int kPiecesPerSecond = 250;
constexpr size_t kFifoBytes = 16;
constexpr size_t kUnlimitedBytes = 1024;

}  // namespace

size_t LinePace::piece_bytes() const {
  if (!limited()) return kUnlimitedBytes;
  const auto piece = static_cast<size_t>(baud_ / kBitsPerByte / kPiecesPerSecond);
  return std::clamp(piece, kFifoBytes, kUnlimitedBytes);
}

Clock::time_point LinePace::pass(size_t bytes, bool waiting, Clock::time_point now) {
  if (!waiting) free_at_ = std::max(free_at_, now);
  const auto bits = static_cast<int64_t>(bytes) * kBitsPerByte;
  free_at_ += std::chrono::nanoseconds(bits * 1'000'000'000 / baud_);
  return free_at_;
}

}  // namespace dfota::sim
