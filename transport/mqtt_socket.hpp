// Finds the socket that a library opened to a broker among this process's descriptors, because Paho shows it to nobody,
// makes it send at once, and shuts it down. Any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <string>

namespace dfota {

/// Local ports of our TCP sockets that are connected to `port`, at `host` when that is an address and not a name.
std::set<std::uint16_t> local_ports_to(const std::string& host, std::uint16_t port);

/// TCP_NODELAY for those of them that have one of these local ports. Without it what is sent after a PUBACK waits for
/// the broker's TCP to acknowledge that, which has nothing to say and takes its 40 ms.
void send_at_once_to(const std::string& host, std::uint16_t port, const std::set<std::uint16_t>& local_ports);

/// ::shutdown() of those of them that have one of these local ports.
void shut_down_sockets_to(const std::string& host, std::uint16_t port, const std::set<std::uint16_t>& local_ports);

}  // namespace dfota
