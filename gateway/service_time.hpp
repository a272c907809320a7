// Time that goes on over restarts and does not jump: deadlines in the journal count in it. It is the steady clock,
// journalled now and then; what passed while no gateway ran is added where the wall clock could be trusted before and
// after. Loop thread.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "gateway/text.hpp"
#include "transport/base/clock.hpp"

namespace dfota {

class ServiceTime {
 public:
  using Instant = std::chrono::milliseconds;  ///< since the journal was begun
  static constexpr auto kJournalEvery = std::chrono::seconds(60);
  static constexpr auto kFact = "service_time";

  /// `document`: what the journal has of it, empty for nothing. `wall`: the wall clock.
  explicit ServiceTime(const std::string& document, std::function<WallTime()> wall = std::chrono::system_clock::now);

  [[nodiscard]] Instant now() const;
  [[nodiscard]] Clock::duration until(Instant then) const { return then - now(); }
  /// The wall clock; nothing while it lies before this program was built, for then it cannot be right.
  [[nodiscard]] std::optional<WallTime> wall() const;
  [[nodiscard]] std::string document() const;

  static WallTime built_at();

 private:
  std::function<WallTime()> wall_;
  Instant before_{0};  ///< of earlier processes
  Clock::time_point started_;
};

}  // namespace dfota
