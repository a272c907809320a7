// The options of `dfota update`. add_update() declares them; update_call() makes a call of what was read, and throws
// CLI::ValidationError for what does not fit together. The line outlives the parsing.
#pragma once

#include <optional>
#include <string>

#include "gateway/ctl/options.hpp"

namespace CLI {
class App;
}

namespace dfota::ctl {

struct UpdateLine {
  CLI::App* verb = nullptr;
  UpdateRequest request;
  std::optional<std::string> window;
  bool watch = false, no_wait = false;
};

void add_update(CLI::App& app, UpdateLine& line);
UpdateCall update_call(const UpdateLine& line);

}  // namespace dfota::ctl
