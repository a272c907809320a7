// JSON of the gateway's, read field by field: what is missing, too long or of another type is left out. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace dfota::ctl {
using Json = nlohmann::json;

inline constexpr std::size_t kMaxPayload = 1024 * 1024;
inline constexpr std::size_t kMaxText = 4096;
inline constexpr std::size_t kMaxList = 10000;  // as many modules as a job may have

/// Discarded where it is no JSON, too long or too deep: a copy of a deep document overflows the stack (nlohmann 3.11).
Json parse_json(const std::string& payload);

/// On one line, of printable ASCII only.
std::string dumped(const Json& value);

/// A string as it is, a number as its digits, all else as nothing.
std::string text(const Json& object, const char* key);
std::optional<double> number(const Json& object, const char* key);  ///< not below 0
std::optional<std::int64_t> integer(const Json& object, const char* key);

/// An error or a warning in the words of the gateway: a string, or an object with code and message.
std::string words(const Json& value);
std::vector<std::string> list_of_words(const Json& object, const char* key);

/// {"succeeded": 1, ...}
std::map<std::string, std::int64_t> counts_of(const Json& object, const char* key);

}  // namespace dfota::ctl
