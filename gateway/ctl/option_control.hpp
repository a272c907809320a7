// The verbs of dfota's command line besides update, each with its options. add_control() declares them; control_call()
// makes a call of what was read, and throws CLI::ValidationError for what does not fit together. The line outlives the
// parsing.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "gateway/ctl/options.hpp"

namespace CLI {
class App;
}

namespace dfota::ctl {

/// Only one verb is on a line, so they share what they are about.
struct ControlLine {
  CLI::App *watch = nullptr, *jobs = nullptr, *modules = nullptr, *retry = nullptr, *replay = nullptr;
  std::vector<CLI::App*> subject_verbs;  ///< cancel, pause, resume, forget
  std::optional<std::string> job, module;
  std::optional<std::int64_t> run;
  std::int64_t after = 0;
  bool no_wait = false;
};

void add_control(CLI::App& app, ControlLine& line);
AnyCall control_call(const ControlLine& line);

}  // namespace dfota::ctl
