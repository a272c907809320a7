#include "config/checks.hpp"

#include <arpa/inet.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <filesystem>

#include "config/module_url.hpp"
#include "config/usb_ids.hpp"

namespace dfota {
namespace {

constexpr std::size_t kMaxTopicRootBytes = 256;
constexpr std::size_t kMaxFilterBytes = 1024;
constexpr std::size_t kMaxPathBytes = 1024;
constexpr std::size_t kMaxTagBytes = 64;
constexpr std::size_t kMaxQuotableBytes = 127;
constexpr std::size_t kMaxQuotedBytes = 100;

bool alphanumeric(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}
bool digit(char c) {
  return c >= '0' && c <= '9';
}

// The length of the control character at `i`: C0 and DEL are one byte, C1 is two in UTF-8; 0: none.
std::size_t control_at(const std::string& text, std::size_t i) {
  const auto c = static_cast<unsigned char>(text[i]);
  if (c < 0x20 || c == 0x7f) return 1;
  if (c == 0xc2 && i + 1 < text.size()) return static_cast<unsigned char>(text[i + 1]) < 0xa0 ? 2 : 0;
  return 0;
}

bool has_control(const std::string& text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (control_at(text, i)) return true;
  }
  return false;
}

bool host_name(std::string_view host) {
  if (host.empty() || host.size() > 253 || !alphanumeric(host.front())) return false;
  if (!std::ranges::all_of(host, [](char c) { return alphanumeric(c) || c == '-' || c == '.' || c == '_'; }))
    return false;
  if (host.find("..") != std::string_view::npos) return false;
  const std::string_view last = host.substr(host.rfind('.') + 1);  // digits alone: an address, or a slip in one
  return !std::ranges::all_of(last, digit);
}

// inet_pton stops at a NUL, which TOML allows in a string.
bool address_of(int family, const std::string& host, std::array<unsigned char, 16>& address) {
  return host.find('\0') == std::string::npos && inet_pton(family, host.c_str(), address.data()) == 1;
}

bool ipv6_address(const std::string& host) {
  std::array<unsigned char, 16> address;
  return address_of(AF_INET6, host, address);
}

bool luhn_right(const std::string& digits) {
  int sum = 0;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    int value = digits[i] - '0';
    if ((digits.size() - i) % 2 == 0) value = value * 2 > 9 ? value * 2 - 9 : value * 2;
    sum += value;
  }
  return sum % 10 == 0;
}

Complaint too_long(const std::string& text, std::size_t most) {
  if (text.size() <= most) return std::nullopt;
  return "is " + std::to_string(text.size()) + " bytes long: at most " + std::to_string(most) + " are allowed";
}

}  // namespace

std::string printable(const std::string& text) {
  std::string shown;
  for (std::size_t i = 0; i < text.size() && shown.size() < kMaxQuotedBytes; ++i) {
    if (const std::size_t length = control_at(text, i)) {
      shown += '?';
      i += length - 1;
    } else {
      shown += text[i];
    }
  }
  if (text.size() > kMaxQuotedBytes) {
    while (!shown.empty() && (static_cast<unsigned char>(shown.back()) & 0xc0) == 0x80) shown.pop_back();
    if (!shown.empty() && static_cast<unsigned char>(shown.back()) >= 0xc0) shown.pop_back();
    shown += "...";
  }
  return shown;
}

std::string in_quotes(const std::string& text) {
  return '"' + printable(text) + '"';
}

std::optional<HostPort> split_host_port(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const std::string_view digits = text.substr(colon + 1);
  HostPort address{std::string(text.substr(0, colon)), 0};
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), address.port);
  if (error != std::errc{} || end != digits.data() + digits.size() || address.port == 0) return std::nullopt;
  std::string& host = address.host;
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
    if (!ipv6_address(host)) return std::nullopt;
  } else if (!host_name(host) && (!is_ip_address(host) || ipv6_address(host))) {
    return std::nullopt;
  }
  return address;
}

bool is_ip_address(const std::string& host) {
  std::array<unsigned char, 16> address;
  return address_of(AF_INET, host, address) || ipv6_address(host);
}

bool is_wildcard(const std::string& host) {
  std::array<unsigned char, 16> address{};
  const int family = host.find(':') == std::string::npos ? AF_INET : AF_INET6;
  if (!address_of(family, host, address)) return false;
  return std::ranges::all_of(address, [](unsigned char byte) { return byte == 0; });
}

std::string url_authority(const HostPort& address) {
  const bool brackets = address.host.find(':') != std::string::npos;
  return (brackets ? "[" + address.host + "]" : address.host) + ":" + std::to_string(address.port);
}

Complaint check_segment(const std::string& text) {
  const bool right = !text.empty() && text.size() <= 64 &&
                     std::ranges::all_of(text, [](char c) { return alphanumeric(c) || c == '_' || c == '-'; });
  if (!right) {
    return "must be 1 to 64 of the characters A-Z a-z 0-9 _ - (it becomes a level of MQTT topics), not " +
           in_quotes(text);
  }
  if (text == "all" || text == "client") {
    return "must not be " + in_quotes(text) + ": the word is reserved in the topics, choose another";
  }
  return std::nullopt;
}

Complaint check_topic_root(const std::string& text) {
  if (text.empty()) return "must not be empty: write a topic as dfota/v1";
  if (const Complaint complaint = too_long(text, kMaxTopicRootBytes)) return complaint;
  if (has_control(text)) return "must not hold control characters";
  if (text.find_first_of("+#") != std::string::npos)
    return "must not hold the wildcards + and #: it is published under";
  if (text.front() == '$') return "must not begin with $: such topics belong to the broker";
  if (text.front() == '/' || text.back() == '/') return "must not begin or end with /: write it as dfota/v1";
  if (text.find("//") != std::string::npos) return "must not have empty levels (//)";
  return std::nullopt;
}

Complaint check_topic_filter(const std::string& text) {
  if (text.empty()) return "must not hold an empty filter: remove it";
  if (const Complaint complaint = too_long(text, kMaxFilterBytes)) return complaint;
  if (has_control(text)) return "must not hold control characters";
  for (std::size_t start = 0; start <= text.size();) {
    const std::size_t end = std::min(text.find('/', start), text.size());
    const std::string level = text.substr(start, end - start);
    if (level.find_first_of("+#") != std::string::npos && (level.size() > 1 || (level == "#" && end != text.size()))) {
      return "holds " + in_quotes(text) + ", which is no topic filter: + must be a whole level, # the whole last one";
    }
    start = end + 1;
  }
  return std::nullopt;
}

Complaint check_mqtt_uri(const std::string& text) {
  std::string_view rest = text;
  const bool known = rest.starts_with("mqtt://") || rest.starts_with("mqtts://");
  if (known) rest.remove_prefix(rest.find("//") + 2);
  if (known && rest.find('@') != std::string_view::npos) {
    return "must not hold a user or password: put them into mqtt.username and mqtt.password_file";
  }
  if (known && split_host_port(rest)) return std::nullopt;
  return "must be mqtt://host:port or mqtts://host:port (TLS), in lower case and with nothing after the port "
         "(usually 1883, with TLS 8883)";
}

Complaint check_listen(const std::string& text) {
  const auto address = split_host_port(text);
  if (address && is_ip_address(address->host)) return std::nullopt;
  return "must be address:port with an address of this machine, as 0.0.0.0:8480, 192.168.1.10:8480 or [::]:8480, not " +
         in_quotes(text);
}

Complaint check_public_url(const std::string& text) {
  constexpr std::string_view kScheme = "http://";
  const bool http = text.size() >= kScheme.size() && strncasecmp(text.data(), kScheme.data(), kScheme.size()) == 0;
  const auto address = http ? split_host_port(std::string_view(text).substr(kScheme.size())) : std::nullopt;
  if (!address) {
    return "must be http://host:port as the modules reach this machine: plain http, an explicit port, nothing after it "
           "(no slash, path, query, quote or space)";
  }
  if (is_wildcard(address->host)) {
    return "must name an address that modules can reach: " + address->host + " is only for listening";
  }
  if (text.size() > kMaxPublicUrlBytes) {
    return "is " + std::to_string(text.size()) + " bytes long: at most " + std::to_string(kMaxPublicUrlBytes) +
           " leave room for the name of a file in the 255 that AT+QFOTADL takes";
  }
  return std::nullopt;
}

Complaint check_ftp_url(const std::string& text) {
  const auto parsed = parse_ftp_directory(text);
  if (const auto* fault = std::get_if<std::string>(&parsed)) return *fault;
  return std::nullopt;
}

Complaint check_host(const std::string& text) {
  if (host_name(text) || is_ip_address(text)) return std::nullopt;
  return "must hold host names or addresses without scheme, port or brackets, not " + in_quotes(text);
}

Complaint check_url_host(const std::string& text) {
  // A port that is put behind it makes it complete, unless it has one.
  if (split_host_port(text) || split_host_port(text + ":1")) return std::nullopt;
  return "must hold hosts as they stand in a URL, as rack.example.com, rack.example.com:8443 or [fd00::1], without "
         "scheme, path or wildcard, not " +
         in_quotes(text);
}

Complaint check_module_port(const std::string& text) {
  if (has_control(text)) return "must not hold control characters";
  if (text.starts_with("tcp://")) {
    if (split_host_port(std::string_view(text).substr(6))) return std::nullopt;
    return "must be tcp://host:port with nothing after the port, not " + in_quotes(text);
  }
  if (text.size() > 1 && text.front() == '/' && text.back() != '/') return too_long(text, kMaxPathBytes);
  return "must be the absolute path of a port (best a stable one below /dev/serial/by-path) or tcp://host:port, not " +
         in_quotes(text);
}

Complaint check_port_glob(const std::string& text) {
  if (has_control(text)) return "must not hold control characters";
  if (text.size() > 1 && text.front() == '/' && text.back() != '/') return too_long(text, kMaxPathBytes);
  return "must hold absolute paths of ports, best \"/dev/serial/by-path/*\", not " + in_quotes(text);
}

Complaint check_usb_id(const std::string& text) {
  if (parse_usb_id(text)) return std::nullopt;
  return "must hold vid:pid as lsusb shows them, like \"2c7c:0125\", not " + in_quotes(text);
}

Complaint check_imei(const std::string& text) {
  if (text.size() != 15 || !std::ranges::all_of(text, digit)) {
    return "must be the 15 digits of the module's IMEI (AT+GSN), not " + in_quotes(text);
  }
  if (!luhn_right(text)) {
    return "is not an IMEI: the check digit of " + in_quotes(text) + " is wrong, compare it with AT+GSN";
  }
  return std::nullopt;
}

Complaint check_tag(const std::string& text) {
  if (!text.empty() && text.size() <= kMaxTagBytes && !has_control(text)) return std::nullopt;
  return "must hold tags of 1 to 64 bytes without control characters, not " + in_quotes(text);
}

Complaint check_minisign_key(const std::string& text) {
  constexpr std::size_t kChars = 56;  // of 42 bytes, so that there is no padding
  const auto base64 = [](char c) { return alphanumeric(c) || c == '+' || c == '/'; };
  // "Ed" are the first 16 bits; two bits of the third character are the key's.
  const bool right = text.size() == kChars && std::ranges::all_of(text, base64) && text.starts_with("RW") &&
                     text[2] >= 'Q' && text[2] <= 'T';
  if (right) return std::nullopt;
  // Not quoted: it may be the secret key by mistake.
  return "must be a public key of minisign, the line of 56 characters beginning with RW that is in its .pub file";
}

Complaint check_path(const std::string& text) {
  if (text.empty()) return "must not be empty: write a path";
  if (has_control(text)) return "must not hold control characters";
  return too_long(text, kMaxPathBytes);
}

Complaint check_file(const std::string& path) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (!std::filesystem::exists(status)) {
    return "names " + in_quotes(path) + ", which does not exist: make it or correct the path";
  }
  if (std::filesystem::is_directory(status)) return "names " + in_quotes(path) + ", which is a directory: name a file";
  if (access(path.c_str(), R_OK) != 0) {
    return "names " + in_quotes(path) + ", which cannot be read: " + std::strerror(errno);
  }
  return std::nullopt;
}

Complaint check_quotable(const std::string& text) {
  if (const Complaint complaint = too_long(text, kMaxQuotableBytes)) return complaint;
  const bool right = std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7f && c != '"'; });
  if (right) return std::nullopt;
  return "must be printable ASCII without quotes: it is sent within the quotes of an AT command";
}

Complaint check_plain(const std::string& text) {
  if (has_control(text)) return "must not hold control characters";
  return too_long(text, kMaxPathBytes);
}

}  // namespace dfota
