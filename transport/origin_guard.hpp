// Keeps origins off this machine: what a job's URL names, or a redirect, must not lead to services that trust loopback
// or the link. Asked for each connection, so for each redirect too. Under Download, on its thread.
#pragma once

#include <sys/socket.h>

#include <optional>
#include <string>
#include <vector>

namespace dfota {

class OriginGuard {
 public:
  /// `allow_hosts`: names or addresses that may be asked although they are local. It must outlive this.
  explicit OriginGuard(const std::vector<std::string>& allow_hosts) : allow_hosts_(allow_hosts) {}

  /// What is local and not allowed, of a connection to `address` that is made for `url`: its address, unless that is
  /// the proxy's of the environment, or its host, also where a proxy would resolve it.
  [[nodiscard]] std::optional<std::string> refusal(const sockaddr* address, const std::string& url) const;

 private:
  [[nodiscard]] bool is_allowed(std::string host) const;

  const std::vector<std::string>& allow_hosts_;
};

}  // namespace dfota
