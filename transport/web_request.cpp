#include "transport/web_request.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace dfota {
namespace {

constexpr std::array kServed{"GET", "HEAD", "POST", "PUT", "DELETE"};
constexpr std::array kKnown{"OPTIONS", "PATCH", "TRACE", "CONNECT"};
constexpr auto kAllowed = "GET, HEAD, POST, PUT, DELETE";

template <class List>
bool is_among(const List& list, const std::string& word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// Nothing: an incomplete %XX, or a control character.
std::optional<std::string> decoded(std::string_view text, bool plus_is_space) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      const int high = i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? hex_value(text[i + 2]) : -1;
      if (high < 0 || low < 0) return std::nullopt;
      c = static_cast<char>(high * 16 + low);
      i += 2;
    } else if (c == '+' && plus_is_space) {
      c = ' ';
    }
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return std::nullopt;
    plain += c;
  }
  return plain;
}

/// False: what is not to be decoded, or a name twice, which two readers would read in two ways.
bool read_query(std::string_view text, std::map<std::string, std::string>& query) {
  while (!text.empty()) {
    auto pair = split_off(text, '&');
    if (pair.empty()) continue;
    const auto name = decoded(split_off(pair, '='), true);
    const auto value = decoded(pair, true);
    if (!name || !value || !query.emplace(*name, *value).second) return false;
  }
  return true;
}

/// An encoded slash would make one segment of the path look like two.
bool hides_slash(std::string_view path) {
  return path.find("%2f") != std::string_view::npos || path.find("%2F") != std::string_view::npos;
}

bool is_loopback(const std::string& address) {
  return address.starts_with("127.") || address == "::1";
}

WebAnswer malformed(const std::string& message) {
  return web_refusal(400, "invalid", message);
}

/// RFC 9112, 6.3. Two lengths, or a length beside chunks, are how requests are smuggled past a proxy.
std::optional<WebAnswer> read_framing(const HttpHead& head, WebCall& call) {
  const auto lengths = head.count("content-length");
  if (head.count("transfer-encoding") > 0) {
    if (lengths > 0) return malformed("Content-Length and Transfer-Encoding in one request");
    return web_refusal(411, "invalid", "a body needs a Content-Length: chunked and other codings are not read");
  }
  if (lengths > 1) return malformed("more than one Content-Length");
  if (lengths == 1) {
    const auto text = head.value("content-length");
    std::uint64_t bytes = 0;
    const auto* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, bytes);
    if (error != std::errc() || stop != end) return malformed("Content-Length is no number");
    call.body_bytes = bytes;
  }
  if (const auto expect = head.value("expect"); !expect.empty()) {
    if (!same_word(expect, "100-continue")) return web_refusal(417, "invalid", "only Expect: 100-continue is known");
    call.expects_continue = head.is_1_1;  // RFC 9110, 10.1.1: of HTTP/1.0 it is ignored
  }
  return std::nullopt;
}

}  // namespace

std::string WebRequest::header(std::string_view name) const {
  const auto found =
      std::find_if(fields.begin(), fields.end(), [&](const auto& f) { return same_word(name, f.first); });
  return found == fields.end() ? "" : found->second;
}

WebAnswer web_refusal(int status, const std::string& code, const std::string& message) {
  WebAnswer answer;
  answer.status = status;
  answer.body = R"({"error":{"code":")" + code + R"(","message":")" + message + "\"}}\n";
  return answer;
}

std::variant<WebCall, WebAnswer> read_call(const HttpHead& head, const std::string& source) {
  if (is_among(kKnown, head.method)) {
    auto refusal = web_refusal(405, "invalid", std::string("the methods here are ") + kAllowed);
    refusal.headers.emplace_back("Allow", kAllowed);
    return refusal;
  }
  if (!is_among(kServed, head.method)) return web_refusal(501, "invalid", "this method is not known here");
  // RFC 9112, 3.2: one Host, always.
  if (head.count("host") > 1 || (head.is_1_1 && head.count("host") == 0)) return malformed("one Host is needed");

  WebCall call;
  if (auto refusal = read_framing(head, call)) return std::move(*refusal);
  // A target that names a host of its own (RFC 9112, 3.2.2) is for proxies, and would not be the one that is checked.
  if (head.target.front() != '/') return malformed("the target of a request begins with a slash");
  std::string_view target = head.target;
  const auto path = split_off(target, '?');
  const auto plain = hides_slash(path) ? std::nullopt : decoded(path, false);
  if (!plain) return malformed("the path holds an incomplete or a forbidden %XX");
  if (!read_query(target, call.request.query)) {
    return malformed("the query holds an incomplete or a forbidden %XX, or a name twice");
  }
  call.head_only = head.method == "HEAD";
  call.request.method = call.head_only ? "GET" : head.method;
  call.request.path = *plain;
  call.request.source = source;
  call.request.from_loopback = is_loopback(source);
  call.request.fields = head.fields;
  return call;
}

}  // namespace dfota
