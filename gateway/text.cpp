#include "gateway/text.hpp"

#include <algorithm>
#include <ctime>

#include "transport/base/masked.hpp"

namespace dfota {
namespace {

bool is_alnum(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool made_of(std::string_view text, std::string_view others) {
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [&](char c) {
    return is_alnum(c) || others.find(c) != std::string_view::npos;
  });
}

/// `size` digits at `at`, as a number; -1 when they are none.
int digits(std::string_view text, std::size_t at, std::size_t size) {
  int value = 0;
  for (std::size_t i = at; i < at + size; ++i) {
    if (i >= text.size() || text[i] < '0' || text[i] > '9') return -1;
    value = value * 10 + (text[i] - '0');
  }
  return value;
}

/// "Z" or "+01:00" in minutes east of UTC.
std::optional<int> offset_minutes(std::string_view text) {
  if (text == "Z" || text == "z") return 0;
  if (text.size() != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':') return std::nullopt;
  const int hours = digits(text, 1, 2), minutes = digits(text, 4, 2);
  if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) return std::nullopt;
  return (text[0] == '-' ? -1 : 1) * (hours * 60 + minutes);
}

}  // namespace

std::string rfc3339(WallTime time) {
  const auto ms = to_ms(time);
  const std::time_t whole = static_cast<std::time_t>(ms / 1000);
  tm utc{};
  gmtime_r(&whole, &utc);
  char text[40];
  const auto size = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc);
  std::snprintf(text + size, sizeof text - size, ".%03dZ", static_cast<int>(ms % 1000));
  return text;
}

std::optional<WallTime> parse_rfc3339(std::string_view text) {
  constexpr std::size_t kSeconds = 19;  // 2026-03-01T12:00:00
  if (text.size() <= kSeconds || text[4] != '-' || text[7] != '-' || (text[10] != 'T' && text[10] != 't') ||
      text[13] != ':' || text[16] != ':') {
    return std::nullopt;
  }
  const int hour = digits(text, 11, 2), minute = digits(text, 14, 2), second = digits(text, 17, 2);
  const int year = digits(text, 0, 4), month = digits(text, 5, 2), day = digits(text, 8, 2);
  constexpr int kFirstYear = 1970, kLastYear = 2200;  // what the clock's nanoseconds hold
  if (year < kFirstYear || year > kLastYear || month < 1 || day < 1 || hour < 0 || hour > 23 || minute < 0 ||
      minute > 59 || second < 0 || second > 60) {
    return std::nullopt;
  }
  const auto date = std::chrono::year(year) / month / day;
  if (!date.ok()) return std::nullopt;
  std::int64_t ms = 0;
  auto rest = text.substr(kSeconds);
  if (rest.front() == '.') {
    const auto end = std::min(rest.find_first_not_of("0123456789", 1), rest.size());
    if (end == 1 || end > 10) return std::nullopt;
    const auto fraction = std::string(rest.substr(1, end - 1)) + "00";
    ms = digits(fraction, 0, 3);
    rest.remove_prefix(end);
  }
  const auto offset = offset_minutes(rest);
  if (!offset) return std::nullopt;
  return WallTime(std::chrono::sys_days(date).time_since_epoch() + std::chrono::hours(hour) +
                  std::chrono::minutes(minute - *offset) + std::chrono::seconds(second) +
                  std::chrono::milliseconds(ms));
}

std::int64_t to_ms(WallTime time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

WallTime from_ms(std::int64_t ms) {
  return WallTime(std::chrono::milliseconds(ms));
}

bool is_job_id(std::string_view text) {
  return made_of(text, "._-");
}

bool is_topic_id(std::string_view text) {
  return made_of(text, "_-");
}

bool topic_matches(std::string_view filter, std::string_view topic) {
  for (;;) {
    if (filter == "#") return true;
    const auto filter_end = filter.find('/'), topic_end = topic.find('/');
    const auto level = filter.substr(0, filter_end);
    if (level != "+" && level != topic.substr(0, topic_end)) return false;
    if (topic_end == std::string_view::npos) {
      return filter_end == std::string_view::npos || filter.substr(filter_end) == "/#";
    }
    if (filter_end == std::string_view::npos) return false;
    filter.remove_prefix(filter_end + 1);
    topic.remove_prefix(topic_end + 1);
  }
}

std::string artifact_name(std::string_view url) {
  const auto plain = masked_url(url);
  const auto slash = plain.rfind('/');
  const auto name = slash == std::string::npos ? plain : plain.substr(slash + 1);
  return made_of(name, "._-") && is_alnum(name.front()) ? name : "delta.bin";
}

std::string first_characters(const std::string& text, std::size_t most) {
  std::size_t characters = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool begins_one = (static_cast<unsigned char>(text[i]) & 0xc0) != 0x80;
    if (begins_one && characters++ == most) return text.substr(0, i);
  }
  return text;
}

std::string short_extension(const std::string& name) {
  const auto dot = name.rfind('.');
  if (dot == std::string::npos || name.size() - dot < 2 || name.size() - dot > 4) return ".bin";
  const bool plain = std::all_of(name.begin() + static_cast<std::ptrdiff_t>(dot) + 1, name.end(), is_alnum);
  return plain ? name.substr(dot) : ".bin";
}

}  // namespace dfota
