#include "modem/simulator/data_transfer.hpp"

#include <algorithm>

namespace dfota::sim {
namespace {

constexpr std::string_view kPluses = "+++";

}  // namespace

size_t DataTransfer::feed(std::string_view bytes, Clock::time_point now) {
  if (state_ != State::open || bytes.empty()) return 0;
  expire(now);
  if (state_ != State::open) return 0;
  bytes = bytes.substr(0, std::min<uint64_t>(bytes.size(), rules_.size_bytes - bytes_ - held_));
  if (too_fast(bytes.size(), now)) {
    state_ = State::overrun;
    return bytes.size();
  }
  hold_pluses(bytes, now);
  last_byte_ = now;
  if (bytes_ + held_ == rules_.size_bytes) {
    release_held();
    state_ = State::whole;
  }
  return bytes.size();
}

/// What may be the beginning of the end is kept back; anything else behind it proves that it was data.
void DataTransfer::hold_pluses(std::string_view bytes, Clock::time_point now) {
  if (now - last_byte_ >= kGuard) alone_ = true;
  const bool only_pluses = bytes.find_first_not_of('+') == std::string_view::npos;
  if (rules_.escapable && alone_ && only_pluses && held_ + bytes.size() <= kPluses.size()) {
    held_ += bytes.size();
    return;
  }
  release_held();
  alone_ = false;
  deliver(bytes);
}

void DataTransfer::release_held() {
  deliver(kPluses.substr(0, held_));
  held_ = 0;
}

void DataTransfer::deliver(std::string_view bytes) {
  if (bytes.empty()) return;
  bytes_ += bytes.size();
  sink_(bytes);
}

bool DataTransfer::too_fast(size_t size, Clock::time_point now) {
  if (rules_.max_bytes_per_s == 0) return false;
  while (!recent_.empty() && now - recent_.front().first >= std::chrono::seconds(1)) {
    recent_bytes_ -= recent_.front().second;
    recent_.pop_front();
  }
  recent_.emplace_back(now, size);
  recent_bytes_ += size;
  return recent_bytes_ > rules_.max_bytes_per_s;
}

size_t DataTransfer::take_acks() {
  if (!rules_.acknowledged) return 0;
  const auto due = (bytes_ + held_) / kAckEvery - acked_;
  acked_ += due;
  return due;
}

Clock::time_point DataTransfer::deadline() const {
  return last_byte_ + (may_escape() ? std::min(kGuard, rules_.idle) : rules_.idle);
}

void DataTransfer::expire(Clock::time_point now) {
  if (state_ != State::open || now < deadline()) return;
  if (may_escape()) {
    state_ = State::escaped;
    return;
  }
  release_held();
  state_ = State::idle;
}

void QfuplChecksum::feed(std::string_view bytes) {
  for (const unsigned char byte : bytes) {
    value_ = static_cast<uint16_t>(value_ ^ (low_ ? byte : byte << 8U));
    low_ = !low_;
  }
}

}  // namespace dfota::sim
