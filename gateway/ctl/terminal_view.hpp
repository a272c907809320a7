// The bars: what is known of the jobs drawn into a terminal of so many columns and rows, as lines of text. Pure;
// a Painter moves the cursor. No line is as wide as the terminal, so none wraps, and there are always fewer lines than
// rows, so none scrolls away.
#pragma once

#include <string>
#include <vector>

#include "gateway/ctl/watch_model.hpp"

namespace dfota::ctl {

struct Screen {
  std::size_t width = 80;
  std::size_t height = 24;
  bool operator==(const Screen&) const = default;
};

using Models = std::vector<const WatchModel*>;  ///< of each gateway its own

/// One line for each module that is being updated, one with the numbers of all others where there are any, then a
/// summary of each job:
///
///     uc20-a        downloading  [############------------]  52 %   118 kB/s  0:12
///     uc20-b        updating     [####--------------------]  17 %
///     + 180 queued, 12 succeeded, 1 failed
///     job r3 running: 13 of 195 done, 1 not well
///
/// Below 60 columns rate and time are left out, then the bar, then the phase is cut, then the module's name. Where
/// there are fewer rows than modules, those that are furthest are shown, each at its place.
std::vector<std::string> draw(const Models& models, Screen screen);

}  // namespace dfota::ctl
