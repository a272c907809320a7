// What is written of dfota's command line where it is not dfota that says it: the completion for bash, and the parts of
// the man page that list verbs and options. Made from what CLI11 knows, so that they cannot be out of date. Pure.
#pragma once

#include <string>

namespace CLI {
class App;
}

namespace dfota::ctl {

/// `script`, to be sourced by bash, with its lines @WORDS@, @FLAGS@ and @VALUES@ and its @CONNECTION@ replaced.
std::string bash_completion(const CLI::App& app, const std::string& script);

/// `page` (man(7)) with its lines @COMMANDS@ and @OPTIONS@ replaced.
std::string man_page(const CLI::App& app, const std::string& page);

}  // namespace dfota::ctl
