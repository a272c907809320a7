#include "transport/origin_guard.hpp"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <strings.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "transport/http_url.hpp"

namespace dfota {
namespace {

bool is_local_v4(std::uint32_t address) {
  const auto first = address >> 24U;
  return first == 127 || first == 0 || (address >> 16U) == 0xa9feU;
}

bool is_local_v6(const in6_addr& v6) {
  if (IN6_IS_ADDR_V4MAPPED(&v6)) {
    std::uint32_t v4 = 0;
    std::memcpy(&v4, v6.s6_addr + 12, sizeof v4);
    return is_local_v4(ntohl(v4));
  }
  return IN6_IS_ADDR_LOOPBACK(&v6) || IN6_IS_ADDR_UNSPECIFIED(&v6) || IN6_IS_ADDR_LINKLOCAL(&v6);
}

/// Loopback, link-local or unspecified: an origin on this very machine or on its cable.
bool is_local(const sockaddr* address) {
  if (address->sa_family == AF_INET) {
    return is_local_v4(ntohl(reinterpret_cast<const sockaddr_in*>(address)->sin_addr.s_addr));
  }
  if (address->sa_family != AF_INET6) return true;
  return is_local_v6(reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr);
}

std::string text_of(const sockaddr* address) {
  char text[INET6_ADDRSTRLEN] = "";
  const void* bytes = &reinterpret_cast<const sockaddr_in*>(address)->sin_addr;
  if (address->sa_family == AF_INET6) bytes = &reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr;
  return inet_ntop(address->sa_family, bytes, text, sizeof text) != nullptr ? text : "";
}

std::string bare(std::string host) {
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  if (!host.empty() && host.back() == '.') host.pop_back();
  return host;
}

/// A name that means this machine wherever it is resolved (RFC 6761), or a local address in any of its spellings.
bool is_local_name(const std::string& written) {
  const std::string host = bare(written);
  constexpr std::string_view kLocalhost = "localhost";
  if (host.size() >= kLocalhost.size()) {
    const auto tail = host.size() - kLocalhost.size();
    if (strcasecmp(host.c_str() + tail, kLocalhost.data()) == 0 && (tail == 0 || host[tail - 1] == '.')) return true;
  }
  in_addr v4{};
  if (inet_aton(host.c_str(), &v4) != 0) return is_local_v4(ntohl(v4.s_addr));
  in6_addr v6{};
  return inet_pton(AF_INET6, host.substr(0, host.find('%')).c_str(), &v6) == 1 && is_local_v6(v6);
}

bool same_endpoint(const sockaddr* a, const sockaddr* b) {
  if (a->sa_family != b->sa_family) return false;
  if (a->sa_family == AF_INET) {
    const auto& left = *reinterpret_cast<const sockaddr_in*>(a);
    const auto& right = *reinterpret_cast<const sockaddr_in*>(b);
    return left.sin_port == right.sin_port && left.sin_addr.s_addr == right.sin_addr.s_addr;
  }
  const auto& left = *reinterpret_cast<const sockaddr_in6*>(a);
  const auto& right = *reinterpret_cast<const sockaddr_in6*>(b);
  return left.sin6_port == right.sin6_port && std::memcmp(&left.sin6_addr, &right.sin6_addr, sizeof(in6_addr)) == 0;
}

/// libcurl does not say whether it connects to the origin or to a proxy. The operator's proxies are where the
/// environment says; that port is theirs, whoever is asked for.
bool is_proxy(const sockaddr* address) {
  for (const char* name : {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"}) {
    const char* value = std::getenv(name);
    const auto proxy = value != nullptr ? proxy_in(value) : std::nullopt;
    if (!proxy) continue;
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (::getaddrinfo(proxy->host.c_str(), proxy->port.c_str(), &hints, &found) != 0) continue;
    const std::unique_ptr<addrinfo, void (*)(addrinfo*)> list(found, ::freeaddrinfo);
    for (const addrinfo* entry = list.get(); entry != nullptr; entry = entry->ai_next) {
      if (same_endpoint(entry->ai_addr, address)) return true;
    }
  }
  return false;
}

}  // namespace

bool OriginGuard::is_allowed(std::string host) const {
  host = bare(std::move(host));
  return std::any_of(allow_hosts_.begin(), allow_hosts_.end(), [&](const std::string& allowed) {
    return !host.empty() && strcasecmp(bare(allowed).c_str(), host.c_str()) == 0;
  });
}

std::optional<std::string> OriginGuard::refusal(const sockaddr* address, const std::string& url) const {
  const std::string host = host_of(url);
  if (is_allowed(host)) return std::nullopt;
  if (is_local(address) && !is_proxy(address)) {
    const std::string text = text_of(address);
    if (is_allowed(text)) return std::nullopt;
    return text;
  }
  if (is_local_name(host)) return host;
  return std::nullopt;
}

}  // namespace dfota
