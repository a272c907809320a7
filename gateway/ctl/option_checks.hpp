// What words on dfota's command line must look like. Each check returns what is wrong, or nothing. Pure.
#pragma once

#include <optional>
#include <string>
#include <utility>

namespace CLI {
class Validator;
}

namespace dfota::ctl {

std::string check_gateway(const std::string& text);
std::string check_job(const std::string& text);
std::string check_module(const std::string& text);
std::string check_artifact(const std::string& text);  ///< the name of one
std::string check_root(const std::string& text);
std::string check_broker(const std::string& text);
std::string check_time(const std::string& text);    ///< RFC 3339, with its zone
std::string check_window(const std::string& text);  ///< 01:00-05:00, may go over midnight

/// The two times of a window that check_window finds nothing wrong with.
std::pair<std::string, std::string> window_of(const std::string& text);

/// A check as CLI11 takes it; `name` stands in the help.
CLI::Validator rule(std::string (*check)(const std::string&), const std::string& name);

}  // namespace dfota::ctl
