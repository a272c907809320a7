#include "modem/simulator/http_message.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>

namespace dfota::sim {
namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](unsigned char c) { return std::tolower(c); });
  return out;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r')) text.remove_suffix(1);
  return text;
}

template <class Number>
std::optional<Number> whole_number(std::string_view text) {
  Number value{};
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || failure != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

Error invalid(const std::string& message) {
  return {Errc::invalid, message};
}

/// "bytes 0-99/1000"
bool take_content_range(std::string_view value, ResponseHead& head) {
  const auto dash = value.find('-');
  const auto slash = value.find('/');
  if (value.substr(0, 6) != "bytes " || dash == std::string_view::npos || slash == std::string_view::npos) return false;
  head.range_begin = whole_number<uint64_t>(value.substr(6, dash - 6));
  head.range_total = whole_number<uint64_t>(value.substr(slash + 1));
  return head.range_begin && head.range_total;
}

bool take_field(std::string_view line, ResponseHead& head) {
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return false;
  const auto name = lower(line.substr(0, colon));
  const auto value = trimmed(line.substr(colon + 1));
  if (name == "content-length") {
    head.content_length = whole_number<uint64_t>(value);
    return head.content_length.has_value();
  }
  if (name == "content-range" && head.status == 206) return take_content_range(value, head);
  if (name == "transfer-encoding") head.chunked = lower(value).find("chunked") != std::string::npos;
  if (name == "connection") head.keep_alive = lower(value) == "keep-alive";
  return true;
}

}  // namespace

Result<Url> parse_url(std::string_view url) {
  constexpr std::string_view kScheme = "http://";
  if (url.size() > kMaxUrlBytes) return invalid("the URL is longer than 255 bytes");
  if (lower(url.substr(0, kScheme.size())) != kScheme) return invalid("not an http:// URL");
  url.remove_prefix(kScheme.size());
  const auto slash = url.find('/');
  if (slash == std::string_view::npos || slash + 1 == url.size()) return invalid("the URL has no path");
  const auto authority = url.substr(0, slash);
  const auto colon = authority.rfind(':');
  if (colon == std::string_view::npos) return invalid("the URL has no explicit port");
  const auto port = whole_number<uint16_t>(authority.substr(colon + 1));
  if (!port || *port == 0) return invalid("the URL's port is no number from 1 to 65535");
  auto host = authority.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  if (host.empty()) return invalid("the URL has no host");
  const auto path = url.substr(slash);
  const auto forbidden = [](unsigned char c) { return c <= ' ' || c == '"' || c >= 0x7f; };
  if (std::any_of(host.begin(), host.end(), forbidden) || std::any_of(path.begin(), path.end(), forbidden)) {
    return invalid("the URL has a blank, a quote or a control character");
  }
  return Url{std::string(host), *port, std::string(path)};
}

std::optional<size_t> response_head_size(std::string_view bytes) {
  for (auto at = bytes.find('\n'); at != std::string_view::npos; at = bytes.find('\n', at + 1)) {
    if (bytes.substr(at + 1, 1) == "\n") return at + 2;
    if (bytes.substr(at + 1, 2) == "\r\n") return at + 3;
  }
  return std::nullopt;
}

Result<ResponseHead> parse_response_head(std::string_view head) {
  auto end = head.find('\n');
  if (end == std::string_view::npos) return invalid("the status line has no end");
  const auto status_line = trimmed(head.substr(0, end));
  const bool known = status_line.substr(0, 9) == "HTTP/1.1 " || status_line.substr(0, 9) == "HTTP/1.0 ";
  const auto status = whole_number<int>(status_line.substr(std::min<size_t>(9, status_line.size()), 3));
  if (!known || !status || *status < 100) return invalid("not an HTTP/1.x status line");
  ResponseHead response;
  response.status = *status;
  response.keep_alive = status_line[7] == '1';
  for (head.remove_prefix(end + 1); !head.empty(); head.remove_prefix(end + 1)) {
    end = head.find('\n');
    if (end == std::string_view::npos) return invalid("a header line has no end");
    const auto line = trimmed(head.substr(0, end));
    if (line.empty()) return response;
    if (!take_field(line, response)) return invalid("bad header line: " + std::string(line));
  }
  return invalid("the head has no blank line");
}

std::optional<uint64_t> literal_content_length(std::string_view bytes) {
  constexpr std::string_view kField = "Content-Length: ";
  const auto at = bytes.find(kField);
  if (at == std::string_view::npos) return std::nullopt;
  const auto digits = bytes.substr(at + kField.size());
  uint64_t value = 0;
  const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (failure != std::errc() || end == digits.data()) return std::nullopt;
  return value;
}

}  // namespace dfota::sim
