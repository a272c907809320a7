// Small texts of the API: times, ids, topics' segments, artifacts' names. Pure functions; any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace dfota {

using WallTime = std::chrono::system_clock::time_point;

/// RFC 3339, UTC, milliseconds: 2026-03-01T12:00:00.000Z
std::string rfc3339(WallTime time);

/// A time with Z or an offset, fractions of a second allowed; nothing when it is none (RFC 3339, section 5.6).
std::optional<WallTime> parse_rfc3339(std::string_view text);

std::int64_t to_ms(WallTime time);
WallTime from_ms(std::int64_t ms);

/// 1-64 of [A-Za-z0-9._-]: a job's id.
bool is_job_id(std::string_view text);

/// [A-Za-z0-9_-]{1,64}: the id of a gateway or a module.
bool is_topic_id(std::string_view text);

/// An MQTT topic filter against a topic (MQTT 5, section 4.7).
bool topic_matches(std::string_view filter, std::string_view topic);

/// The last segment of the URL's path as a file's name, [A-Za-z0-9][A-Za-z0-9._-]{0,63}; "delta.bin" when it cannot be
/// one.
std::string artifact_name(std::string_view url);

/// The beginning of a text in UTF-8, with so many characters at most.
std::string first_characters(const std::string& text, std::size_t most);

/// ".zip": the extension of a file's name, where it has one to three letters and digits; else ".bin".
std::string short_extension(const std::string& name);

}  // namespace dfota
