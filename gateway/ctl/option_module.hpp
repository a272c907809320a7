// The verbs of dfota's command line that look at gateway and modules: ping, scan, install, doctor. add_module_verbs()
// declares them; module_call() makes a call of what was read, and throws CLI::ValidationError for what does not fit
// together. The line outlives the parsing.
#pragma once

#include <optional>
#include <string>

#include "gateway/ctl/options.hpp"

namespace CLI {
class App;
}

namespace dfota::ctl {

struct ModuleLine {
  CLI::App *ping = nullptr, *scan = nullptr, *install = nullptr, *doctor = nullptr;
  std::optional<std::string> module, target;
  bool force = false, accept = false, no_wait = false;
};

void add_module_verbs(CLI::App& app, ModuleLine& line);

/// nullopt: the line has none of these verbs.
std::optional<AnyCall> module_call(const ModuleLine& line);

}  // namespace dfota::ctl
