// The verbs of dfota's command line that look at gateway and modules: ping, scan, install, rehearse, release, claim,
// transcript, doctor. add_module_verbs() declares them; module_call() makes a call of what was read, and throws
// CLI::ValidationError for what does not fit together. The line outlives the parsing.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "gateway/ctl/options.hpp"

namespace CLI {
class App;
}

namespace dfota::ctl {

struct ModuleLine {
  CLI::App *ping = nullptr, *scan = nullptr, *install = nullptr, *rehearse = nullptr, *transcript = nullptr,
           *doctor = nullptr;
  std::vector<CLI::App*> hand_over;  ///< release, claim
  std::optional<std::string> module, target, job;
  std::string file;  ///< that a transcript goes to
  std::optional<std::uint64_t> size;
  bool force = false, accept = false, no_wait = false;
};

void add_module_verbs(CLI::App& app, ModuleLine& line);

/// nullopt: the line has none of these verbs.
std::optional<AnyCall> module_call(const ModuleLine& line);

}  // namespace dfota::ctl
