#include "transport/file_server_offer.hpp"

#include <linux/sockios.h>
#include <sys/ioctl.h>

#include <algorithm>

namespace dfota {

void Gate::release() {
  auto held = State::held;
  if (state_.compare_exchange_strong(held, State::released)) wake();
}

bool Gate::revoke() {
  const bool was_held = state_.exchange(State::revoked) == State::held;
  wake();
  return was_held;
}

void Gate::wake() const {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(event_.get(), &one, sizeof one);
}

void RangeSet::add(std::uint64_t begin, std::uint64_t end) {
  if (begin >= end) return;
  auto next = ranges_.upper_bound(begin);
  if (next != ranges_.begin() && std::prev(next)->second >= begin) --next;
  const bool separate = next == ranges_.end() || next->first > end;
  if (separate && ranges_.size() >= kMaxRanges) return;
  while (next != ranges_.end() && next->first <= end) {
    begin = std::min(begin, next->first);
    end = std::max(end, next->second);
    bytes_ -= next->second - next->first;
    next = ranges_.erase(next);
  }
  ranges_.emplace_hint(next, begin, end);
  bytes_ += end - begin;
}

std::uint64_t unacknowledged(int socket) {
  int bytes = 0;
  return ::ioctl(socket, SIOCOUTQ, &bytes) == 0 && bytes > 0 ? static_cast<std::uint64_t>(bytes) : 0;
}

void Offer::account(const Connection& connection) {
  // In this order: what the thread sends in between makes the result too small, never too large.
  const std::uint64_t sent = connection.sent;
  const std::uint64_t head = connection.head_bytes;
  const std::uint64_t waiting = unacknowledged(connection.socket.get());
  if (head == 0 || sent < head + waiting) return;
  delivered.add(connection.range.first, connection.range.first + (sent - head - waiting));
}

}  // namespace dfota
