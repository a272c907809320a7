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

std::string short_extension(const std::string& name) {
  const auto dot = name.rfind('.');
  if (dot == std::string::npos || name.size() - dot < 2 || name.size() - dot > 4) return ".bin";
  const bool plain = std::all_of(name.begin() + static_cast<std::ptrdiff_t>(dot) + 1, name.end(), is_alnum);
  return plain ? name.substr(dot) : ".bin";
}

}  // namespace dfota
