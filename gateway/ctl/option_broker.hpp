// How dfota finds its broker and is let in: each thing from its option, else from the environment, else from
// dfota.toml, else its default. add_broker() declares the options; find_broker() looks at what was read. The line
// outlives the parsing.
#pragma once

#include <string>

#include "gateway/ctl/options.hpp"

namespace CLI {
class App;
}

namespace dfota::ctl {

struct BrokerLine {
  std::string file, password_file;
};

void add_broker(CLI::App& app, BrokerLine& line, Options& options);

/// Throws CLI::ValidationError for what is missing or does not fit together. False: the file is wrong, which was told
/// on stderr, each fault as FILE:LINE:COL: message.
bool find_broker(const CLI::App& app, BrokerLine& line, Options& options);

}  // namespace dfota::ctl
