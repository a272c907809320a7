// Untrusted JSON comes in here: checked for size, UTF-8, depth and duplicate keys before a document is built, because
// the library takes all of them (a deep document overflows the stack, of duplicate keys the last wins). No I/O; any
// thread.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <variant>

namespace dfota {

struct JsonFault {
  std::string code;     ///< not_utf8, too_large, not_json, too_deep, duplicate_key
  std::string message;  ///< names the byte, counted from 0, and never quotes the text: it may hold secrets
  std::string pointer;  ///< RFC 6901: the value that is wrong, or in which the text breaks; empty for the whole
};

/// A scalar has depth 0, `[]` depth 1. A byte order mark and NUL bytes are refused (not_json).
std::variant<nlohmann::json, JsonFault> parse_untrusted(std::string_view text, std::size_t max_bytes = 65536,
                                                        int max_depth = 16);

/// For the wire: one line, and bad UTF-8 is replaced instead of thrown about.
std::string dump(const nlohmann::json& document);

/// Sorted keys, no spaces: equal exactly when two documents say the same. Numbers compare as written: 1 is not 1.0.
std::string canonical(const nlohmann::json& document);

}  // namespace dfota
