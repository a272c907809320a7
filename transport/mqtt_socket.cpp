#include "transport/mqtt_socket.hpp"

#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>

namespace dfota {
namespace {
struct Endpoint {
  std::string address;  // numeric, an IPv4 one in IPv6 as IPv4
  std::uint16_t port = 0;
};

std::optional<Endpoint> endpoint_of(const sockaddr_storage& from) {
  char text[INET6_ADDRSTRLEN] = {};
  if (from.ss_family == AF_INET) {
    sockaddr_in in{};
    std::memcpy(&in, &from, sizeof in);
    inet_ntop(AF_INET, &in.sin_addr, text, sizeof text);
    return Endpoint{text, ntohs(in.sin_port)};
  }
  if (from.ss_family == AF_INET6) {
    sockaddr_in6 in{};
    std::memcpy(&in, &from, sizeof in);
    if (IN6_IS_ADDR_V4MAPPED(&in.sin6_addr)) {
      inet_ntop(AF_INET, &in.sin6_addr.s6_addr[12], text, sizeof text);
    } else {
      inet_ntop(AF_INET6, &in.sin6_addr, text, sizeof text);
    }
    return Endpoint{text, ntohs(in.sin6_port)};
  }
  return std::nullopt;
}

bool is_address(const std::string& host) {
  unsigned char bytes[sizeof(in6_addr)];
  return inet_pton(AF_INET, host.c_str(), bytes) == 1 || inet_pton(AF_INET6, host.c_str(), bytes) == 1;
}

void for_each_socket_to(const std::string& host, std::uint16_t port,
                        const std::function<void(int fd, std::uint16_t local_port)>& visit) {
  const std::unique_ptr<DIR, int (*)(DIR*)> dir(::opendir("/proc/self/fd"), &::closedir);
  if (!dir) return;
  const bool compare_address = is_address(host);
  while (const dirent* entry = ::readdir(dir.get())) {
    if (entry->d_name[0] == '.') continue;
    const int fd = std::atoi(entry->d_name);
    sockaddr_storage peer{}, self{};
    socklen_t peer_size = sizeof peer, self_size = sizeof self;
    if (::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &peer_size) != 0) continue;
    if (::getsockname(fd, reinterpret_cast<sockaddr*>(&self), &self_size) != 0) continue;
    const auto remote = endpoint_of(peer), local = endpoint_of(self);
    if (!remote || !local || remote->port != port) continue;
    if (compare_address && remote->address != host) continue;
    visit(fd, local->port);
  }
}
}  // namespace

std::set<std::uint16_t> local_ports_to(const std::string& host, std::uint16_t port) {
  std::set<std::uint16_t> ports;
  for_each_socket_to(host, port, [&](int, std::uint16_t local_port) { ports.insert(local_port); });
  return ports;
}

void send_at_once_to(const std::string& host, std::uint16_t port, const std::set<std::uint16_t>& local_ports) {
  for_each_socket_to(host, port, [&](int fd, std::uint16_t local_port) {
    const int on = 1;
    if (local_ports.contains(local_port)) ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  });
}

void shut_down_sockets_to(const std::string& host, std::uint16_t port, const std::set<std::uint16_t>& local_ports) {
  for_each_socket_to(host, port, [&](int fd, std::uint16_t local_port) {
    if (local_ports.contains(local_port)) ::shutdown(fd, SHUT_RDWR);
  });
}

}  // namespace dfota
