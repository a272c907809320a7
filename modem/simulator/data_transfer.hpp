// The module's data mode: the port's bytes are those of a file, "AT" among them too, until the declared size is there,
// the sender falls silent, or "+++" stands alone in silence. No I/O; the caller tells the time.
//   host: <1,024 bytes>   module: A   ...   module: \r\n+QFUPL: 1208,5769\r\n\r\nOK\r\n
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string_view>
#include <utility>

#include "transport/base/clock.hpp"

namespace dfota::sim {

struct TransferRules {
  uint64_t size_bytes = 0;
  Clock::duration idle = std::chrono::seconds(5);  ///< without a byte for so long it ends
  bool acknowledged = false;                       ///< one 'A' for each 1,024 bytes
  bool escapable = false;                          ///< by "+++"
  uint64_t max_bytes_per_s = 0;                    ///< averaged over a second; 0: as fast as they come
};

class DataTransfer {
 public:
  static constexpr uint64_t kAckEvery = 1024;
  static constexpr Clock::duration kGuard = std::chrono::seconds(1);  ///< silence before and behind "+++"

  enum class State { open, whole, idle, escaped, overrun };
  using Sink = std::function<void(std::string_view bytes)>;

  DataTransfer(TransferRules rules, Sink sink, Clock::time_point now)
      : rules_(rules), sink_(std::move(sink)), last_byte_(now) {}

  /// Takes what belongs to the file, and says how much that was: less than all only when it ends.
  size_t feed(std::string_view bytes, Clock::time_point now);
  /// How many 'A' are due since the last question.
  size_t take_acks();
  /// When expire() must be called, if nothing comes.
  [[nodiscard]] Clock::time_point deadline() const;
  /// Ends it, when its deadline has come.
  void expire(Clock::time_point now);

  [[nodiscard]] State state() const { return state_; }
  /// Those of the file, "+++" not among them.
  [[nodiscard]] uint64_t bytes() const { return bytes_; }

 private:
  [[nodiscard]] bool may_escape() const { return alone_ && held_ == 3; }
  void hold_pluses(std::string_view bytes, Clock::time_point now);
  void release_held();
  void deliver(std::string_view bytes);
  [[nodiscard]] bool too_fast(size_t size, Clock::time_point now);

  TransferRules rules_;
  Sink sink_;
  Clock::time_point last_byte_;
  State state_ = State::open;
  uint64_t bytes_ = 0;
  uint64_t acked_ = 0;
  size_t held_ = 0;     ///< '+' that may yet prove to be the end
  bool alone_ = false;  ///< silence stood before the held ones
  std::deque<std::pair<Clock::time_point, size_t>> recent_;
  uint64_t recent_bytes_ = 0;
};

/// The checksum of +QFUPL: XOR over big-endian pairs of bytes, an odd last byte counts as the high one.
class QfuplChecksum {
 public:
  void feed(std::string_view bytes);
  [[nodiscard]] uint16_t value() const { return value_; }

 private:
  uint16_t value_ = 0;
  bool low_ = false;
};

}  // namespace dfota::sim
