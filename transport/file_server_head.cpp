#include "transport/file_server_head.hpp"

#include <algorithm>
#include <limits>

namespace dfota {
namespace {

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

}  // namespace

RequestHead request_head(const HttpHead& head) {
  RequestHead request;
  if (head.method == "GET") request.method = RequestHead::Method::get;
  if (head.method == "HEAD") request.method = RequestHead::Method::head;
  request.target = head.target;
  request.keep_alive = head.is_1_1;
  unsigned ranges = 0;
  for (const auto& [name, value] : head.fields) {
    if (name == "connection" && lists_word(value, "close")) request.keep_alive = false;
    if (name == "transfer-encoding") request.announces_body = true;
    if (name == "content-length" && value.find_first_not_of('0') != std::string::npos) request.announces_body = true;
    if (name == "if-range") request.has_if_range = true;
    if (name == "range") {
      ++ranges;
      request.range = value;
    }
  }
  if (ranges > 1) request.range.clear();
  return request;
}

std::optional<RequestHead> parse_head(std::string_view text) {
  const auto head = parse_http_head(text);
  if (!head) return std::nullopt;
  return request_head(*head);
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
  if (spec.find('=') == std::string_view::npos || !same_word(split_off(spec, '='), "bytes")) return whole;
  spec = trimmed(spec);
  if (spec.find('-') == std::string_view::npos) return whole;
  const auto first_digits = split_off(spec, '-');
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
