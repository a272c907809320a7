// Stands in systemd's place: the datagram socket that NOTIFY_SOCKET names. A thread of its own reads it, as it must:
// the kernel keeps few datagrams, and who sends one more waits. The test's thread calls everything.
#pragma once

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/process.hpp"
#include "tests/support/temp_dir.hpp"

namespace dfota::test {

class NotifySocket {
 public:
  NotifySocket() : path_(dir_ / "notify") {
    address_.sun_family = AF_UNIX;
    std::strncpy(address_.sun_path, path_.c_str(), sizeof address_.sun_path - 1);
    if (::bind(socket_, reinterpret_cast<const sockaddr*>(&address_), sizeof address_) != 0)
      throw std::runtime_error("no socket at " + path_);
    reader_ = std::thread([this] { read(); });
  }
  ~NotifySocket() {
    ::eventfd_write(stop_, 1);
    reader_.join();
    ::close(stop_);
    ::close(socket_);
  }
  NotifySocket(const NotifySocket&) = delete;
  NotifySocket& operator=(const NotifySocket&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }

  /// Each line that was said so far, in order.
  std::vector<std::string> said() {
    catch_up();
    const std::lock_guard lock(mutex_);
    return lines_;
  }
  long count(const std::string& line) {
    const auto lines = said();
    return std::count(lines.begin(), lines.end(), line);
  }

  /// Until this line has been said so many times; false: never was.
  bool wait_for(const std::string& line, long times = 1, std::chrono::milliseconds limit = kWatchdog) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, limit, [&] { return std::count(lines_.begin(), lines_.end(), line) >= times; });
  }

 private:
  /// What is sent now is read behind all that was sent before.
  void catch_up() {
    const auto mark = "test=" + std::to_string(++marks_);
    const auto size = static_cast<ssize_t>(mark.size());
    const auto* to = reinterpret_cast<const sockaddr*>(&address_);
    if (::sendto(socket_, mark.data(), mark.size(), 0, to, sizeof address_) != size || !wait_for(mark))
      throw std::runtime_error("nobody reads " + path_);
  }

  void read() {
    pollfd waiting[] = {{stop_, POLLIN, 0}, {socket_, POLLIN, 0}};
    char text[4096];
    while (::poll(waiting, 2, -1) >= 0 && waiting[0].revents == 0) {
      const auto size = ::recv(socket_, text, sizeof text, 0);
      if (size < 0) return;
      std::istringstream message(std::string(text, static_cast<std::size_t>(size)));
      const std::lock_guard lock(mutex_);
      for (std::string line; std::getline(message, line);) lines_.push_back(line);
      changed_.notify_all();
    }
  }

  TempDir dir_;
  std::string path_;
  sockaddr_un address_{};
  int marks_ = 0;
  int socket_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  int stop_ = ::eventfd(0, EFD_CLOEXEC);
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> lines_;
  std::thread reader_;
};

}  // namespace dfota::test
