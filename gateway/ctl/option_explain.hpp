// The verb explain, which needs no broker. As option_control.hpp says of its own.
#pragma once

#include <optional>
#include <string>

namespace CLI {
class App;
}

namespace dfota::ctl {

struct ExplainLine {
  CLI::App* verb = nullptr;
  std::optional<std::string> code;
};

void add_explain(CLI::App& app, ExplainLine& line);

}  // namespace dfota::ctl
