// What a download of the module's own tells its owner, and asks it, whatever the protocol. On the loop's thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

#include "modem/simulator/event_log.hpp"
#include "transport/base/awaitable.hpp"

namespace dfota::sim {

/// What to do when the download has come to the percent that was asked for.
enum class Step { go_on, stop };

struct DownloadHooks {
  std::function<void(std::string_view event, const Json& fields)> log;
  /// Each piece over HTTP, where somebody wants it.
  std::function<void(std::string_view bytes)> data = nullptr;
  /// After each piece, of both protocols; the total is known then.
  std::function<void(uint64_t bytes, uint64_t total)> progress;
  /// Awaited once, when this percent of the package is there.
  std::optional<int> at_percent;
  std::function<Awaitable<Step>()> reached;
  /// Over HTTP in chunks: awaited before each one, tells how far the package may be fetched now. The total is 0 before
  /// the first answer; what is there already: stop.
  std::function<Awaitable<uint64_t>(uint64_t total)> allowance = nullptr;
};

/// The result of a download that Step::stop has broken off.
inline constexpr int kDownloadStopped = -1;

}  // namespace dfota::sim
