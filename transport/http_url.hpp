// What a URL says, as libcurl reads it: it must be read the same way by who checks it and by who goes there. Pure
// functions; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "transport/base/result.hpp"

namespace dfota {

/// `scheme://host:port/path` without user, password and query, for messages. Errors: invalid, refused (not http(s)).
Result<std::string> origin_of(const std::string& url);

/// The host as it is written, IPv4 addresses in four numbers, IPv6 without brackets; empty when there is none.
std::string host_of(const std::string& url);

struct HostPort {
  std::string host;
  std::string port;
};

/// `scheme://host:port`, in lower case: whose transfers share a limit.
std::string server_of(const std::string& url);

/// Where a value of http_proxy and the like leads to.
std::optional<HostPort> proxy_in(const std::string& text);

}  // namespace dfota
