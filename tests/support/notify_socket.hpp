// Stands in systemd's place: the datagram socket that NOTIFY_SOCKET names. Test's thread.
#pragma once

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/support/process.hpp"
#include "tests/support/temp_dir.hpp"

namespace dfota::test {

class NotifySocket {
 public:
  NotifySocket() : path_(dir_ / "notify"), socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path_.c_str(), sizeof address.sun_path - 1);
    if (::bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
      throw std::runtime_error("no socket at " + path_);
  }
  ~NotifySocket() { ::close(socket_); }
  NotifySocket(const NotifySocket&) = delete;
  NotifySocket& operator=(const NotifySocket&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }

  /// Each line that was said so far, in order.
  const std::vector<std::string>& said() {
    while (take(std::chrono::milliseconds(0))) {
    }
    return lines_;
  }
  long count(const std::string& line) { return std::count(said().begin(), said().end(), line); }

  /// Until this line has been said so many times; false: never was.
  bool wait_for(const std::string& line, long times = 1, std::chrono::milliseconds limit = kWatchdog) {
    const auto deadline = std::chrono::steady_clock::now() + limit;
    for (;;) {
      if (count(line) >= times) return true;
      const auto left = deadline - std::chrono::steady_clock::now();
      if (left <= left.zero() || !take(std::chrono::duration_cast<std::chrono::milliseconds>(left))) return false;
    }
  }

 private:
  bool take(std::chrono::milliseconds limit) {
    pollfd waiting{socket_, POLLIN, 0};
    if (::poll(&waiting, 1, static_cast<int>(limit.count())) <= 0) return false;
    char text[4096];
    const auto size = ::recv(socket_, text, sizeof text, 0);
    if (size < 0) return false;
    std::istringstream message(std::string(text, static_cast<std::size_t>(size)));
    for (std::string line; std::getline(message, line);) lines_.push_back(line);
    return true;
  }

  TempDir dir_;
  std::string path_;
  int socket_;
  std::vector<std::string> lines_;
};

}  // namespace dfota::test
