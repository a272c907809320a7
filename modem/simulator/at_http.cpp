#include "modem/simulator/at_http.hpp"

#include <charconv>

namespace dfota::sim {
namespace {

constexpr int kMaxUrlBytes = 700;
constexpr int kMaxSeconds = 65535;
constexpr int kDefaultSeconds = 60;
constexpr int kMaxContext = 16;
// +CME ERROR of the HTTP commands.
constexpr int kHttpUnknown = 701;
constexpr int kHttpBusy = 703;
constexpr int kHttpNoGet = 705;
constexpr int kHttpNoUrl = 711;

std::optional<int> number(std::string_view text, int low, int high) {
  int value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || failure != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (value < low || value > high) return std::nullopt;
  return value;
}

/// What stands behind "AT+QHTTPGET", "=80" or nothing.
std::optional<int> seconds_of(std::string_view rest) {
  if (rest.empty()) return kDefaultSeconds;
  return rest.front() == '=' ? number(rest.substr(1), 1, kMaxSeconds) : std::nullopt;
}

std::optional<AtAnswer> configure(std::string_view rest) {
  const auto values = at_values(rest);
  if (values.size() != 2) return std::nullopt;
  const auto key = at_upper(values[0]);
  if (key == "CONTEXTID" && number(values[1], 1, kMaxContext)) return at_ok();
  if (key == "RESPONSEHEADER" && number(values[1], 0, 1)) return at_ok();
  return std::nullopt;
}

std::optional<AtAnswer> take_url(std::string_view rest) {
  const auto values = at_values(rest);
  const auto bytes = values.empty() ? std::nullopt : number(values[0], 1, kMaxUrlBytes);
  const auto timeout = values.size() > 1 ? number(values[1], 1, kMaxSeconds) : kDefaultSeconds;
  if (!bytes || !timeout || values.size() > 2) return std::nullopt;
  AtAnswer answer{framed("CONNECT"), {}, {}};
  answer.http = HttpOrder{HttpOrder::Verb::url, static_cast<uint64_t>(*bytes), *timeout};
  return answer;
}

AtAnswer read_body(const AtSettings& settings, const AtSubject& subject) {
  if (!subject.http_body) return at_error(kHttpNoGet, settings);
  AtAnswer answer{framed("CONNECT"), {}, {}};
  answer.http = HttpOrder{HttpOrder::Verb::read, 0, 0};
  return answer;
}

}  // namespace

std::optional<AtAnswer> answer_http(std::string_view command, const AtSettings& settings, const AtSubject& subject) {
  constexpr std::string_view kStart = "AT+QHTTP", kConfigure = "AT+QHTTPCFG=", kUrl = "AT+QHTTPURL=";
  constexpr std::string_view kGet = "AT+QHTTPGET", kRead = "AT+QHTTPREAD";
  const auto folded = at_upper(command);
  const auto begins = [&](std::string_view start) { return folded.rfind(start, 0) == 0; };
  if (!begins(kStart)) return std::nullopt;
  if (subject.busy) return at_error(kHttpBusy, settings);
  if (begins(kConfigure)) return configure(command.substr(kConfigure.size()));
  if (begins(kUrl)) return take_url(command.substr(kUrl.size()));
  if (begins(kGet)) {
    const auto seconds = seconds_of(std::string_view(folded).substr(kGet.size()));
    if (!seconds) return at_error(kHttpUnknown, settings);
    if (subject.http_url.empty()) return at_error(kHttpNoUrl, settings);
    auto answer = at_ok();
    answer.http = HttpOrder{HttpOrder::Verb::get, 0, *seconds};
    return answer;
  }
  if (begins(kRead) && seconds_of(std::string_view(folded).substr(kRead.size()))) return read_body(settings, subject);
  return std::nullopt;
}

}  // namespace dfota::sim
