// A file server on a free port with one file offered, the loop that the test runs itself while it waits, and a raw
// client. For the tests of transport/file_server*; everything on the test's thread.
#pragma once

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/temp_dir.hpp"
#include "transport/file_server.hpp"

namespace dfota::file_server_rig {

class TempFile {
 public:
  explicit TempFile(std::size_t size) {
    for (std::size_t i = 0; i < size; ++i) content += static_cast<char>('a' + (i * 7 + i / 251) % 26);
    std::ofstream(path, std::ios::binary) << content;
  }
  test::TempDir dir;
  std::filesystem::path path = dir / "file";
  std::string content;
};

/// A server on a free port, and the loop that the test runs itself while it waits for something.
struct FileServerRig {
  explicit FileServerRig(std::size_t size = 1000, FileServerOptions options = {}) : file(size), server(make(options)) {
    REQUIRE(server->start().ok());
    server->on_fault = [this](const std::string& line) { faults.push_back(line); };
    REQUIRE(server->offer(token, "delta.bin", file.path, [this] { changed(); }).ok());
  }
  std::unique_ptr<FileServer> make(const FileServerOptions& options) {
    return std::make_unique<FileServer>(loop, options);
  }
  void changed() {
    ++changes;
    CHECK(std::this_thread::get_id() == thread);
    if (on_change) on_change();
  }
  void turn() {
    loop.restart();
    loop.run_one_for(std::chrono::milliseconds(2));
  }
  /// Runs the loop until the condition holds; the limit is there for a test that fails.
  bool until(const std::function<bool()>& condition) {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!condition()) {
      if (std::chrono::steady_clock::now() > limit) return false;
      turn();
    }
    return true;
  }
  Transfer look() const { return server->look(token); }
  std::string path() const { return "/a/" + token + "/delta.bin"; }
  std::string get(const std::string& fields = "", const std::string& version = "1.1") const {
    return "GET " + path() + " HTTP/" + version + "\r\nHost: here\r\n" + fields + "\r\n";
  }

  asio::io_context loop;
  TempFile file;
  const std::string token = FileServer::make_token();
  const std::thread::id thread = std::this_thread::get_id();
  std::function<void()> on_change;
  int changes = 0;
  std::vector<std::string> faults;
  std::unique_ptr<FileServer> server;  // last: it ends first
};

class Client {
 public:
  explicit Client(FileServerRig& rig) : rig_(rig), fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    REQUIRE(fd_ >= 0);
  }
  Client(FileServerRig& rig, const std::string& text) : Client(rig) {
    connect();
    send(text);
  }
  ~Client() { close(); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void connect() {
    sockaddr_in place{};
    place.sin_family = AF_INET;
    place.sin_port = htons(rig_.server->port());
    place.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::connect(fd_, reinterpret_cast<sockaddr*>(&place), sizeof place) == 0);
    REQUIRE(::fcntl(fd_, F_SETFL, O_NONBLOCK) == 0);
  }
  /// All of it, or as much as the server wants to have.
  void send(std::string_view text) {
    rig_.until([&] {
      const auto sent = ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
      if (sent > 0) text.remove_prefix(static_cast<std::size_t>(sent));
      return text.empty() || (sent < 0 && errno != EAGAIN);
    });
  }
  void take() {
    std::array<char, 65536> bytes;
    const auto count = ::recv(fd_, bytes.data(), bytes.size(), 0);
    if (count > 0) got.append(bytes.data(), static_cast<std::size_t>(count));
    if (count == 0 || (count < 0 && errno != EAGAIN)) ended = true;
  }
  bool until_end() {
    return rig_.until([&] {
      take();
      return ended;
    });
  }
  /// One whole response by its Content-Length, which is taken off what came.
  bool until_response(bool has_body = true) {
    return rig_.until([&] {
      take();
      return split(has_body) || ended;
    });
  }
  bool until_body(std::size_t size) {
    return rig_.until([&] {
      take();
      const auto end = got.find("\r\n\r\n");
      return ended || (end != std::string::npos && got.size() - end - 4 >= size);
    });
  }
  [[nodiscard]] std::string body_so_far() const {
    const auto end = got.find("\r\n\r\n");
    return end == std::string::npos ? "" : got.substr(end + 4);
  }
  /// Seen without reading anything.
  bool until_reset() {
    return rig_.until([&] {
      pollfd event{fd_, 0, 0};
      return ::poll(&event, 1, 0) == 1;
    });
  }
  /// What has come, unread, grows no more.
  bool until_stuck() {
    std::size_t before = 0;
    int same = 0;
    return rig_.until([&] {
      const auto now = unread();
      same = now > 0 && now == before ? same + 1 : 0;
      before = now;
      return same > 50;
    });
  }
  [[nodiscard]] std::size_t unread() const {
    int count = 0;
    ::ioctl(fd_, FIONREAD, &count);
    return static_cast<std::size_t>(count);
  }
  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  [[nodiscard]] bool has_line(const std::string& line) const { return head.find("\r\n" + line + "\r\n") != head.npos; }
  [[nodiscard]] std::string status() const { return head.substr(0, head.find("\r\n")).substr(9, 3); }

  std::string got, head, body;
  bool ended = false;

 private:
  bool split(bool has_body) {
    const auto end = got.find("\r\n\r\n");
    const auto length = got.find("\r\nContent-Length: ");
    if (end == std::string::npos || length == std::string::npos || length > end) return false;
    const auto size = has_body ? std::stoul(got.substr(length + 18)) : 0;
    if (got.size() < end + 4 + size) return false;
    head = got.substr(0, end + 4);
    body = got.substr(end + 4, size);
    got.erase(0, end + 4 + size);
    return true;
  }

  FileServerRig& rig_;
  int fd_;
};

/// The answer to one request on a connection of its own, with the border open.
struct Answered : Client {
  Answered(FileServerRig& rig, const std::string& request, bool has_body = true) : Client(rig, request) {
    CHECK(until_response(has_body));
    REQUIRE_FALSE(head.empty());
  }
};

inline constexpr auto kEmpty404 = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

}  // namespace dfota::file_server_rig
