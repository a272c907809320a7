// What was likely meant by a word that nobody knows. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace dfota {

/// The known word that is at most two slips of a typing hand away, or that begins with `typed` and an underscore.
std::optional<std::string> closest(const std::string& typed, const std::vector<std::string>& known);

}  // namespace dfota
