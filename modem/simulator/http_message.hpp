// The module's own idea of HTTP: URLs as AT+QFOTADL takes them, and the heads of responses. Written apart from the
// gateway's server on purpose. No I/O.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "transport/base/result.hpp"

namespace dfota::sim {

inline constexpr size_t kMaxUrlBytes = 255;  // the guide, <httpurl>
inline constexpr size_t kMaxResponseHeadBytes = 8192;

struct Url {
  std::string host;
  uint16_t port = 0;
  std::string path;  ///< begins with '/'
};

/// "http://host:port/path", the scheme in any case; the port must be named. Errc::invalid says what is missing.
Result<Url> parse_url(std::string_view url);

struct ResponseHead {
  int status = 0;
  bool keep_alive = false;
  bool chunked = false;
  std::optional<uint64_t> content_length;
  std::optional<uint64_t> range_begin;  ///< of Content-Range
  std::optional<uint64_t> range_total;  ///< of Content-Range
};

/// Bytes of the head at the front of `bytes`, the blank line included; nothing while it is not whole.
std::optional<size_t> response_head_size(std::string_view bytes);
/// Errc::invalid when it is no HTTP/1.x response.
Result<ResponseHead> parse_response_head(std::string_view head);
/// What a careless client makes of it: the number behind the literal "Content-Length: ", wherever it stands.
std::optional<uint64_t> literal_content_length(std::string_view bytes);

}  // namespace dfota::sim
