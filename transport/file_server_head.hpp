// What the file server understands of a request, without I/O: the rules for what a head may ask, and which bytes of a
// file it gets. Above transport/http_head; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "transport/http_head.hpp"

namespace dfota {

struct RequestHead {
  enum class Method { get, head, other };
  Method method = Method::other;
  std::string target;
  bool keep_alive = false;  ///< HTTP/1.1 without Connection: close
  bool announces_body = false;
  bool has_if_range = false;
  std::string range;  ///< the value of the Range field; empty when there is none, or more than one
};

RequestHead request_head(const HttpHead& head);
/// From HeadReader::text(). Nothing: not HTTP/1.x, or a line that is no field.
std::optional<RequestHead> parse_head(std::string_view text);

struct RangeAnswer {
  enum class Kind { whole, part, outside };
  Kind kind = Kind::whole;
  std::uint64_t first = 0;
  std::uint64_t last = 0;  ///< inclusive
};

/// What of a file of `size` bytes (not 0) a GET gets: 200, 206 or 416.
RangeAnswer resolve_range(const RequestHead& head, std::uint64_t size);

}  // namespace dfota
