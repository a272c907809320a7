// A WebServer on a free port, its answers, and a raw client that waits as long as it takes. For the tests of
// transport/web_server; handlers run on the server's workers, all else on the test's thread.
#pragma once

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <asio/post.hpp>
#include <condition_variable>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "transport/web_server.hpp"

namespace dfota::web_rig {

/// A gate that handlers wait at.
class Latch {
 public:
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  void wait() {
    std::unique_lock lock(mutex_);
    ++waiting_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return open_; });
  }
  void until_waiting(int count) {
    std::unique_lock lock(mutex_);
    REQUIRE(changed_.wait_for(lock, std::chrono::seconds(20), [&] { return waiting_ >= count; }));
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
  int waiting_ = 0;
};

struct WebRig {
  explicit WebRig(WebServer::Handler handler, WebServerOptions options = {})
      : server(std::make_unique<WebServer>(std::move(options), std::move(handler))) {
    server->on_fault = [this](const std::string& line) {
      const std::lock_guard lock(mutex);
      faults.push_back(line);
    };
    REQUIRE(server->start().ok());
  }
  /// On the web thread, and waits for it.
  template <class Act>
  auto on_web_thread(Act act) {
    std::packaged_task<decltype(act())()> task(std::move(act));
    auto result = task.get_future();
    asio::post(server->loop(), [&task] { task(); });
    return result.get();
  }
  /// Asked again and again; the limit is there for a test that fails.
  bool until_streams(std::size_t count) {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (on_web_thread([this] { return server->streams(); }) != count) {
      if (std::chrono::steady_clock::now() > limit) return false;
      ::poll(nullptr, 0, 1);
    }
    return true;
  }
  void wake() {
    on_web_thread([this] {
      server->wake();
      return 0;
    });
  }

  std::mutex mutex;
  std::vector<std::string> faults;
  std::unique_ptr<WebServer> server;  // last: it ends first
};

class WebClient {
 public:
  explicit WebClient(WebRig& rig, std::string_view text = {}, int receive_buffer = 0)
      : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    REQUIRE(fd_ >= 0);
    if (receive_buffer > 0) ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    sockaddr_in place{};
    place.sin_family = AF_INET;
    place.sin_port = htons(rig.server->port());
    place.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::connect(fd_, reinterpret_cast<sockaddr*>(&place), sizeof place) == 0);
    send(text);
  }
  ~WebClient() { close(); }
  WebClient(const WebClient&) = delete;
  WebClient& operator=(const WebClient&) = delete;

  /// All of it, or as much as the server wants to have.
  void send(std::string_view text) {
    while (!text.empty()) {
      const auto sent = ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      text.remove_prefix(static_cast<std::size_t>(sent));
    }
  }
  /// Until the text has come; false when the connection ended before, or nothing comes.
  bool until(std::string_view text) {
    while (got.find(text) == std::string::npos) {
      if (!take()) return false;
    }
    return true;
  }
  bool until_end() {
    while (take()) {
    }
    return ended;
  }
  /// The server cut it, seen without reading anything.
  bool until_broken() {
    pollfd event{fd_, 0, 0};
    return ::poll(&event, 1, 20000) == 1;
  }
  [[nodiscard]] int descriptor() const { return fd_; }
  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  /// All that came, once the server has closed.
  const std::string& all() {
    CHECK(until_end());
    return got;
  }
  [[nodiscard]] std::string status() {
    all();
    return got.size() < 12 ? "" : got.substr(9, 3);
  }
  [[nodiscard]] std::string body() {
    all();
    const auto end = got.find("\r\n\r\n");
    return end == std::string::npos ? "" : got.substr(end + 4);
  }
  [[nodiscard]] bool has_line(const std::string& line) const { return got.find("\r\n" + line + "\r\n") != got.npos; }

  std::string got;
  bool ended = false;

 private:
  bool take() {
    pollfd event{fd_, POLLIN, 0};
    if (::poll(&event, 1, 20000) != 1) return false;
    std::array<char, 65536> bytes;
    const auto count = ::recv(fd_, bytes.data(), bytes.size(), 0);
    if (count > 0) got.append(bytes.data(), static_cast<std::size_t>(count));
    ended = count <= 0;
    return count > 0;
  }

  int fd_;
};

inline std::string request(const std::string& line, const std::string& fields = "", const std::string& body = "") {
  return line + " HTTP/1.1\r\nHost: here\r\n" + fields + "\r\n" + body;
}

inline std::string with_length(const std::string& line, const std::string& body, const std::string& fields = "") {
  return request(line, "Content-Length: " + std::to_string(body.size()) + "\r\n" + fields, body);
}

}  // namespace dfota::web_rig
