#include "transport/file_server_head.hpp"

#include <algorithm>
#include <limits>

namespace dfota {
namespace {

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool equals(std::string_view text, std::string_view lower_case) {
  return std::equal(text.begin(), text.end(), lower_case.begin(), lower_case.end(),
                    [](char a, char b) { return lower(a) == b; });
}

/// Splits off what stands before the separator; all of it when there is none.
std::string_view cut(std::string_view& text, char separator) {
  const auto at = text.find(separator);
  const auto part = text.substr(0, at);
  text.remove_prefix(at == std::string_view::npos ? text.size() : at + 1);
  return part;
}

bool lists(std::string_view value, std::string_view option) {
  while (!value.empty()) {
    if (equals(trim(cut(value, ',')), option)) return true;
  }
  return false;
}

bool all_digits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

/// 10^23 is a number, too: the largest that there is.
std::uint64_t saturated(std::string_view digits) {
  constexpr auto kMax = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t value = 0;
  for (const char c : digits) {
    const auto digit = static_cast<std::uint64_t>(c - '0');
    if (value > (kMax - digit) / 10) return kMax;
    value = value * 10 + digit;
  }
  return value;
}

bool parse_request_line(std::string_view line, RequestHead& head) {
  const auto method = cut(line, ' ');
  const auto target = cut(line, ' ');
  if (method.empty() || target.empty()) return false;
  if (line != "HTTP/1.0" && line != "HTTP/1.1") return false;
  if (method == "GET") head.method = RequestHead::Method::get;
  if (method == "HEAD") head.method = RequestHead::Method::head;
  head.target = target;
  head.keep_alive = line == "HTTP/1.1";
  return true;
}

}  // namespace

std::size_t HeadReader::feed(std::string_view bytes) {
  std::size_t used = 0;
  while (used < bytes.size() && state_ == State::reading) take(bytes[used++]);
  return used;
}

void HeadReader::take(char c) {
  if (++taken_ > kMaxHeadBytes) {
    state_ = State::bad;
  } else if (c == '\n') {
    after_cr_ = false;
    if (text_.size() == line_begin_) {
      // Empty lines before a request are skipped (RFC 9112, 2.2): the third LF of the request before.
      if (!text_.empty()) state_ = State::whole;
      return;
    }
    text_ += '\n';
    line_begin_ = text_.size();
  } else if (after_cr_) {
    state_ = State::bad;
  } else if (c == '\r') {
    after_cr_ = true;
  } else if ((static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f) {
    state_ = State::bad;
  } else {
    text_ += c;
  }
}

std::optional<RequestHead> parse_head(std::string_view text) {
  RequestHead head;
  if (!parse_request_line(cut(text, '\n'), head)) return std::nullopt;
  unsigned ranges = 0;
  while (!text.empty()) {
    auto value = cut(text, '\n');
    if (value.find(':') == std::string_view::npos) return std::nullopt;
    const auto name = cut(value, ':');
    // A folded line, or a space before the colon, could hide a field from us (RFC 9112, 5.1 and 5.2).
    if (name.empty() || name.find_first_of(" \t") != std::string_view::npos) return std::nullopt;
    value = trim(value);
    if (equals(name, "connection") && lists(value, "close")) head.keep_alive = false;
    if (equals(name, "transfer-encoding")) head.announces_body = true;
    if (equals(name, "content-length") && value.find_first_not_of('0') != std::string_view::npos) {
      head.announces_body = true;
    }
    if (equals(name, "if-range")) head.has_if_range = true;
    if (equals(name, "range")) {
      ++ranges;
      head.range = value;
    }
  }
  if (ranges > 1) head.range.clear();
  return head;
}

// RFC 9110, 14.2: a server may ignore Range, must ignore it for methods other than GET and for units that it does not
// know, and may ignore a specifier that is malformed (5-2, abc) or asks for many ranges. Ignored means 200 and the
// whole file once, so 50 ranges get no more than one. 14.1.1: well formed but wholly outside (first >= size, the suffix
// -0) is 416; a last position beyond the end, or a suffix longer than the file, is clamped. 13.1.5: If-Range matches
// only an equal strong ETag; no ETag is ever sent, so none matches, and Range is ignored.
RangeAnswer resolve_range(const RequestHead& head, std::uint64_t size) {
  using Kind = RangeAnswer::Kind;
  const RangeAnswer whole{Kind::whole, 0, size - 1};
  if (head.method != RequestHead::Method::get || head.has_if_range || head.range.empty()) return whole;

  std::string_view spec = head.range;
  if (spec.find('=') == std::string_view::npos || !equals(cut(spec, '='), "bytes")) return whole;
  spec = trim(spec);
  if (spec.find('-') == std::string_view::npos) return whole;
  const auto first_digits = cut(spec, '-');
  const auto last_digits = spec;

  if (first_digits.empty()) {
    if (!all_digits(last_digits)) return whole;
    const auto length = std::min(saturated(last_digits), size);
    if (length == 0) return {Kind::outside, 0, 0};
    return {Kind::part, size - length, size - 1};
  }
  if (!all_digits(first_digits) || !(last_digits.empty() || all_digits(last_digits))) return whole;
  const auto first = saturated(first_digits);
  const auto last = last_digits.empty() ? std::numeric_limits<std::uint64_t>::max() : saturated(last_digits);
  if (last < first) return whole;
  if (first >= size) return {Kind::outside, 0, 0};
  return {Kind::part, first, std::min(last, size - 1)};
}

}  // namespace dfota
