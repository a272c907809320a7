// The options of `dfota artifact add|list|remove`. add_artifact() declares them; artifact_call() makes a call of what
// was read, and throws CLI::ValidationError for what does not fit together. The line outlives the parsing.
#pragma once

#include <string>

#include "gateway/ctl/options.hpp"

namespace CLI {
class App;
}

namespace dfota::ctl {

struct ArtifactLine {
  CLI::App *verb = nullptr, *add = nullptr, *list = nullptr, *remove = nullptr;
  ArtifactAddCall call;
  std::string name;  ///< of remove
};

void add_artifact(CLI::App& app, ArtifactLine& line);
AnyCall artifact_call(const ArtifactLine& line);

}  // namespace dfota::ctl
