#include "transport/http_head.hpp"

#include <algorithm>

namespace dfota {
namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool parse_request_line(std::string_view line, HttpHead& head) {
  head.method = split_off(line, ' ');
  head.target = split_off(line, ' ');
  head.is_1_1 = line == "HTTP/1.1";
  return !head.method.empty() && !head.target.empty() && (head.is_1_1 || line == "HTTP/1.0");
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

std::size_t HttpHead::count(std::string_view lower_case_name) const {
  return static_cast<std::size_t>(
      std::count_if(fields.begin(), fields.end(), [&](const auto& field) { return field.first == lower_case_name; }));
}

std::string HttpHead::value(std::string_view lower_case_name) const {
  for (const auto& [name, value] : fields) {
    if (name == lower_case_name) return value;
  }
  return {};
}

std::optional<HttpHead> parse_http_head(std::string_view text) {
  HttpHead head;
  if (!parse_request_line(split_off(text, '\n'), head)) return std::nullopt;
  while (!text.empty()) {
    auto value = split_off(text, '\n');
    if (value.find(':') == std::string_view::npos) return std::nullopt;
    std::string name(split_off(value, ':'));
    // A folded line, or a space before the colon, could hide a field from us (RFC 9112, 5.1 and 5.2).
    if (name.empty() || name.find_first_of(" \t") != std::string::npos) return std::nullopt;
    std::transform(name.begin(), name.end(), name.begin(), lower);
    head.fields.emplace_back(std::move(name), trimmed(value));
  }
  return head;
}

bool same_word(std::string_view text, std::string_view lower_case) {
  return std::equal(text.begin(), text.end(), lower_case.begin(), lower_case.end(),
                    [](char a, char b) { return lower(a) == b; });
}

bool lists_word(std::string_view value, std::string_view lower_case) {
  while (!value.empty()) {
    if (same_word(trimmed(split_off(value, ',')), lower_case)) return true;
  }
  return false;
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::string_view split_off(std::string_view& text, char separator) {
  const auto at = text.find(separator);
  const auto part = text.substr(0, at);
  text.remove_prefix(at == std::string_view::npos ? text.size() : at + 1);
  return part;
}

}  // namespace dfota
