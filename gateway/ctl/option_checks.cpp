#include "gateway/ctl/option_checks.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "transport/mqtt_uri.hpp"

namespace dfota::ctl {
namespace {
constexpr std::size_t kSeconds = 19;  // "2026-03-01T22:00:00": behind it a fraction and the zone
constexpr std::size_t kLongestTime = 40;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// '#' stands for a digit, all else for itself.
bool looks_like(const std::string& text, const std::string& shape) {
  return std::equal(text.begin(), text.end(), shape.begin(), shape.end(),
                    [](char c, char wanted) { return wanted == '#' ? is_digit(c) : c == wanted; });
}

/// The two digits at `at`.
bool between(const std::string& text, std::size_t at, int least, int most) {
  const int value = (text[at] - '0') * 10 + (text[at + 1] - '0');
  return value >= least && value <= most;
}

/// "hh:mm" at `at`.
bool is_clock(const std::string& text, std::size_t at) {
  return between(text, at, 0, 23) && between(text, at + 3, 0, 59);
}

bool is_zone(const std::string& text) {
  if (text == "Z") return true;
  return (looks_like(text, "+##:##") || looks_like(text, "-##:##")) && is_clock(text, 1);
}

/// ".5Z" is "Z"; a point without digits stays, and is no zone.
std::string without_fraction(const std::string& text) {
  if (!text.starts_with('.')) return text;
  const auto end = std::find_if_not(text.begin() + 1, text.end(), is_digit);
  return end == text.begin() + 1 ? text : std::string(end, text.end());
}

bool is_segment(const std::string& text, const std::string& also) {
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [&](unsigned char c) {
    return std::isalnum(c) != 0 || also.find(static_cast<char>(c)) != std::string::npos;
  });
}
}  // namespace

std::string check_gateway(const std::string& text) {
  if (text == "client") return "\"client\" is no gateway";
  return is_segment(text, "_-") ? "" : "a gateway id is 1 to 64 of A-Z a-z 0-9 _ -";
}

std::string check_job(const std::string& text) {
  return is_segment(text, "._-") ? "" : "a job id is 1 to 64 of A-Z a-z 0-9 . _ -";
}

std::string check_module(const std::string& text) {
  return is_segment(text, "_-") ? "" : "a module id is 1 to 64 of A-Z a-z 0-9 _ -";
}

std::string check_artifact(const std::string& text) {
  const bool good = is_segment(text, "._-") && std::isalnum(static_cast<unsigned char>(text.front())) != 0 &&
                    !text.ends_with(".json");
  return good ? "" : "an artifact's name is 1 to 64 of A-Z a-z 0-9 . _ -, a letter or digit first, without .json";
}

std::string check_root(const std::string& text) {
  const bool bad = text.empty() || text.size() > 256 || text.front() == '/' || text.back() == '/' ||
                   std::any_of(text.begin(), text.end(),
                               [](unsigned char c) { return c < 0x20 || c == '+' || c == '#' || c == 0x7f; });
  return bad ? "not a topic" : "";
}

std::string check_broker(const std::string& text) {
  const auto broker = parse_mqtt_uri(text);
  return broker ? "" : broker.error().message;
}

/// Whether the month has that day is the gateway's to say.
std::string check_time(const std::string& text) {
  const bool bounded = text.size() > kSeconds && text.size() <= kLongestTime;
  const bool good = bounded && looks_like(text.substr(0, kSeconds), "####-##-##T##:##:##") && between(text, 5, 1, 12) &&
                    between(text, 8, 1, 31) && is_clock(text, 11) && between(text, 17, 0, 59) &&
                    is_zone(without_fraction(text.substr(kSeconds)));
  return good ? "" : "a time is like 2026-03-01T22:00:00Z or 2026-03-01T23:00:00+01:00 (RFC 3339, with its zone)";
}

std::string check_window(const std::string& text) {
  if (!looks_like(text, "##:##-##:##") || !is_clock(text, 0) || !is_clock(text, 6)) {
    return "a window is HH:MM-HH:MM, 01:00-05:00 say, in the gateway's local time";
  }
  const auto [start, end] = window_of(text);
  return start == end ? "a window must not end when it begins" : "";
}

std::pair<std::string, std::string> window_of(const std::string& text) {
  return {text.substr(0, 5), text.substr(6)};
}

CLI::Validator rule(std::string (*check)(const std::string&), const std::string& name) {
  return CLI::Validator([check](std::string& text) { return check(text); }, name);
}

}  // namespace dfota::ctl
