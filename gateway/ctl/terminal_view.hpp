// The bars: the state of a WatchModel drawn into a terminal of so many columns and rows, as lines of text. Pure;
// whoever writes them moves the cursor. No line is as wide as the terminal, so none wraps, and there are always fewer
// lines than rows, so none scrolls away.
#pragma once

#include <string>
#include <vector>

#include "gateway/ctl/watch_model.hpp"

namespace dfota::ctl {

struct Screen {
  std::size_t width = 80;
  std::size_t height = 24;
};

/// One line for each module that is being updated, then a summary of everything:
///
///     uc20-a        downloading  [############------------]  52 %   118 kB/s  0:12
///     uc20-b        updating     [####--------------------]  17 %
///     ... and 3 more
///     job r3 running: 2 of 8 done, 1 failed
///
/// Below 60 columns there is no bar; where there are fewer rows than modules, those that are furthest are shown.
std::vector<std::string> draw(const WatchModel& model, Screen screen);

}  // namespace dfota::ctl
