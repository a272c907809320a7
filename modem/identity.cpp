#include "modem/identity.hpp"

#include <algorithm>
#include <cctype>
#include <cstdlib>

namespace dfota {
namespace {

constexpr std::size_t kMaxName = 64;

bool is_printable_name(std::string_view text) {
  return !text.empty() && text.size() <= kMaxName &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c <= 0x7e; });
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

/// What stands behind `prefix` in the first line that begins with it.
std::optional<std::string_view> behind(const std::vector<std::string>& lines, std::string_view prefix) {
  for (const auto& line : lines) {
    if (line.starts_with(prefix)) return trimmed(std::string_view(line).substr(prefix.size()));
  }
  return std::nullopt;
}

}  // namespace

bool is_imei(std::string_view text) {
  if (text.size() != 15) return false;
  int sum = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] < '0' || text[i] > '9') return false;
    int digit = text[i] - '0';
    if (i % 2 == 1) digit = digit * 2 > 9 ? digit * 2 - 9 : digit * 2;
    sum += digit;
  }
  return sum % 10 == 0;
}

Result<Identity> parse_ati(const std::vector<std::string>& lines) {
  const auto revision = behind(lines, "Revision:");
  if (!revision || !is_printable_name(*revision)) {
    return Error(Errc::invalid, "ATI named no revision of 1 to 64 printable characters");
  }
  for (std::size_t i = 0; i + 1 < lines.size(); ++i) {
    if (!lines[i].starts_with("Quectel")) continue;
    const auto model = trimmed(lines[i + 1]);
    if (!is_printable_name(model) || model.starts_with("Revision:")) break;
    Identity identity;
    identity.model = model;
    identity.version = *revision;
    return identity;
  }
  return Error(Errc::invalid, "ATI named no model behind its line \"Quectel\"");
}

Result<std::string> parse_version(const std::vector<std::string>& lines) {
  const auto version = lines.empty() ? std::string_view() : trimmed(lines.front());
  if (is_printable_name(version)) return std::string(version);
  return Error(Errc::invalid, "the version command answered no line of 1 to 64 printable characters");
}

Result<std::string> parse_gsn(const std::vector<std::string>& lines) {
  for (const auto& line : lines) {
    const auto text = trimmed(line);
    if (is_imei(text)) return std::string(text);
  }
  return Error(Errc::invalid, "AT+GSN answered no 15 digits with a right check digit");
}

std::optional<int> parse_csq(const std::vector<std::string>& lines) {
  const auto value = behind(lines, "+CSQ:");
  if (!value) return std::nullopt;
  const int rssi = std::atoi(std::string(*value).c_str());
  if (rssi < 0 || rssi > 31) return std::nullopt;  // 99: not known
  return -113 + 2 * rssi;
}

std::optional<bool> parse_creg(const std::vector<std::string>& lines) {
  std::optional<std::string_view> value;
  for (const auto* prefix : {"+CREG:", "+CGREG:", "+CEREG:"}) {
    if (!value) value = behind(lines, prefix);
  }
  if (!value) return std::nullopt;
  const auto comma = value->find(',');
  if (comma == std::string_view::npos) return std::nullopt;
  const int status = std::atoi(std::string(value->substr(comma + 1)).c_str());
  return status == 1 || status == 5;
}

std::optional<std::string> parse_cpin(const std::vector<std::string>& lines) {
  const auto value = behind(lines, "+CPIN:");
  if (!value) return std::nullopt;
  return std::string(*value);
}

}  // namespace dfota
