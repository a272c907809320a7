// What the head of a request to WebServer asks, without I/O: the method, the decoded path and query, the announced
// body; or why it is refused before any handler sees it. Part of transport/web_server; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "transport/http_head.hpp"
#include "transport/web_message.hpp"

namespace dfota {

struct WebCall {
  WebRequest request;
  bool head_only = false;         ///< HEAD: the answer without its body
  bool expects_continue = false;  ///< the body comes when it is asked for
  std::optional<std::uint64_t> body_bytes;
};

std::variant<WebCall, WebAnswer> read_call(const HttpHead& head, const std::string& source);

/// The server's own refusals: {"error":{"code":...,"message":...}}. Neither may need escaping in JSON.
WebAnswer web_refusal(int status, const std::string& code, const std::string& message);

}  // namespace dfota
