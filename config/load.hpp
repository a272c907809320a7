// Reads a TOML file into a Config, strictly: unknown keys, wrong types, values out of range and what contradicts itself
// are errors with file, line and column, all of them at once when the syntax is right. Any thread.
#pragma once

#include <filesystem>
#include <string>
#include <variant>

#include "config/config.hpp"
#include "config/fault.hpp"

namespace dfota {

/// The configuration, or every fault found, in the order of their places in the file.
std::variant<Config, ConfigFaults> load_config(const std::filesystem::path& file);

/// The same for text; `name` stands where the file's name would.
std::variant<Config, ConfigFaults> parse_config(const std::string& text, const std::string& name);

}  // namespace dfota
