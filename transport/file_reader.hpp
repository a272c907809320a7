// Reads a file of this machine once, from its beginning to its end. Any thread that may wait for the disk.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string_view>

#include "transport/base/result.hpp"

namespace dfota {

/// Gives all bytes to `sink`, whose Error ends it. Regular files only, and none behind a symbolic link. Errors: absent,
/// refused (it is something else), io, the sink's.
std::optional<Error> read_file(const std::filesystem::path& file,
                               const std::function<std::optional<Error>(std::string_view)>& sink);

}  // namespace dfota
