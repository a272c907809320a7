// A text file that an operator names, read whole. Any thread.
#pragma once

#include <filesystem>
#include <string>
#include <variant>

#include "config/fault.hpp"

namespace dfota {

/// Its bytes, up to 4 MiB; or why not, beginning with `what` ("the configuration").
std::variant<std::string, ConfigFault> read_text(const std::filesystem::path& file, const std::string& what);

}  // namespace dfota
