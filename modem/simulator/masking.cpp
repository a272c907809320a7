#include "modem/simulator/masking.hpp"

#include <algorithm>
#include <cctype>

namespace dfota::sim {
namespace {

constexpr std::string_view kMask = "***";

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](unsigned char c) { return std::tolower(c); });
  return out;
}

/// From the first colon of the user info to its end. What was cut off before its '@' may be a password, and is hidden.
void mask_url(std::string& text, size_t begin) {
  const auto end = std::min(text.find_first_of("\"\r\n", begin), text.size());
  const bool ftp = begin >= 6 && lower(text.substr(begin - 6, 6)) == "ftp://";
  const auto slash = std::min(text.find('/', begin), end);
  auto at = text.rfind('@', ftp ? end : slash);
  if (at == std::string::npos || at < begin) {
    if (slash != end || end != text.size()) return;
    at = end;
  }
  const auto colon = text.find(':', begin);
  if (colon < at) text.replace(colon + 1, at - colon - 1, kMask);
}

/// The fourth and the fifth field of AT+QICSGP=<cid>,<type>,"<apn>","<user>","<password>",<auth>.
void mask_context(std::string& text, size_t begin) {
  std::string out = text.substr(0, begin);
  int field = 1;
  int masked = 0;
  bool quoted = false;
  for (const char c : std::string_view(text).substr(begin)) {
    if (c == '"') quoted = !quoted;
    const bool ends = c == ',' && !quoted;
    if (ends) ++field;
    if (c == '"' || ends || (field != 4 && field != 5)) {
      out += c;
    } else if (masked != field) {
      masked = field;
      out += kMask;
    }
  }
  text = out;
}

}  // namespace

std::string without_secrets(std::string_view text) {
  std::string out(text);
  for (auto at = out.find("://"); at != std::string::npos; at = out.find("://", at + 3)) mask_url(out, at + 3);
  constexpr std::string_view kContext = "at+qicsgp=";
  const auto context = lower(out).find(kContext);
  if (context != std::string::npos) mask_context(out, context + kContext.size());
  return out;
}

}  // namespace dfota::sim
