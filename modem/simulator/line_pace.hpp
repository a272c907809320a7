// How long bytes need on a serial line of so many baud (8N1: ten bits a byte). It counts in deadlines, so a wake-up
// that comes late is made up for by the next bytes, if those were waiting already. No I/O.
#pragma once

#include <cstddef>

#include "transport/base/clock.hpp"

namespace dfota::sim {

class LinePace {
 public:
  /// 0: a line without limit.
  explicit LinePace(int baud) : baud_(baud) {}

  [[nodiscard]] bool limited() const { return baud_ > 0; }
  /// The most that should go in one piece: a few milliseconds of the line.
  [[nodiscard]] size_t piece_bytes() const;
  /// When these bytes have passed. `waiting`: they stood ready when the ones before had passed, so the line never
  /// idled.
  Clock::time_point pass(size_t bytes, bool waiting, Clock::time_point now);

 private:
  int baud_;
  Clock::time_point free_at_;
};

}  // namespace dfota::sim
