#include "gateway/ctl/option_explain.hpp"

#include <CLI/CLI.hpp>

namespace dfota::ctl {

void add_explain(CLI::App& app, ExplainLine& line) {
  line.verb = app.add_subcommand("explain", "tell what a code means, without a broker; without a code: list all");
  line.verb
      ->add_option("code", line.code,
                   "a number that a module said (716), a word of the gateway's (port_lost), or why a command was "
                   "refused (queue_full)")
      ->type_name("CODE");
}

}  // namespace dfota::ctl
