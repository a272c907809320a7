// A transcript replayed into an update, in one read for each piece or in one for each byte, and what the update told.
#pragma once

#include <algorithm>
#include <string>
#include <utility>

#include "tests/support/transcript_lines.hpp"
#include "tests/support/transcripts.hpp"
#include "tests/support/update_fixture.hpp"

namespace dfota::test {

enum class Pace { whole, byte_by_byte };
inline constexpr Pace kPaces[] = {Pace::whole, Pace::byte_by_byte};

inline void say(UpdateFixture& f, const std::string& bytes, Pace pace) {
  if (pace == Pace::whole) {
    f.module.say(bytes);
  } else {
    f.module.drip(bytes);
  }
}

inline void reboot(UpdateFixture& f) {
  f.module.unplug();
  f.module.settle();
  f.step(200ms);
  f.module.plug();
  f.step(200ms);
}

/// The pieces from `first` on, so many of them. The commands must be those that the gateway writes, and nothing else is
/// written.
inline void play(UpdateFixture& f, const Transcript& transcript, Pace pace, std::size_t first = 0,
                 std::size_t count = 99) {
  for (std::size_t i = first; i < std::min(first + count, transcript.pieces.size()); ++i) {
    const auto& piece = transcript.pieces[i];
    if (!piece.command.empty()) REQUIRE(f.module.next_command() == piece.command);
    say(f, piece.bytes, pace);
    if (piece.command.empty()) REQUIRE(f.module.unread().empty());
    if (piece.port_lost) reboot(f);
  }
}

/// What the update has told of its progress, a line a phase: "updating 1 2 3".
inline std::string progress(const UpdateFixture& f) {
  Lines lines;
  std::pair<std::string, std::string> last;
  for (const auto& report : f.env.reports) {
    const std::pair<std::string, std::string> now = {std::string(to_word(report.phase)),
                                                     report.percent ? std::to_string(*report.percent) : ""};
    if (now != last) lines.add(now.first, now.second);
    last = now;
  }
  return lines.text();
}

}  // namespace dfota::test
