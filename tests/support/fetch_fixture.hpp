// A small HTTP server on loopback that answers as the test says, and a Fetch that asks it.
#pragma once

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <asio/co_spawn.hpp>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <future>
#include <mutex>
#include <thread>

#include "tests/support/temp_dir.hpp"
#include "transport/base/clock.hpp"
#include "transport/blake2b.hpp"
#include "transport/fetch.hpp"
#include "transport/sha256.hpp"

namespace dfota::test {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

inline bool send_all(int socket, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto size = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (size <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(size));
  }
  return true;
}

inline void wait_for_end(int socket) {
  char byte = 0;
  while (::recv(socket, &byte, 1, 0) > 0) {
  }
}

inline std::string answer(const std::string& body) {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

inline std::string redirect(const std::string& to) {
  return "HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " + to + "\r\n\r\n";
}

/// What a request asks to begin with; 0 without Range.
inline std::size_t range_of(const std::string& head) {
  const std::string field = "\r\nRange: bytes=";
  const auto found = head.find(field);
  return found == std::string::npos ? 0 : std::stoul(head.substr(found + field.size()));
}

inline std::string partial(const std::string& body, std::size_t from) {
  return "HTTP/1.1 206 Partial Content\r\nContent-Length: " + std::to_string(body.size() - from) +
         "\r\nContent-Range: bytes " + std::to_string(from) + "-" + std::to_string(body.size() - 1) + "/" +
         std::to_string(body.size()) + "\r\n\r\n" + body.substr(from);
}

/// Sends `answer` without its last `missing` bytes.
inline void send_cut(int socket, const std::string& answer, std::size_t missing) {
  send_all(socket, std::string_view(answer).substr(0, answer.size() - missing));
}

/// An HTTP server on loopback that does with each connection what the test says, one after the other.
class ScriptedOrigin {
 public:
  using Play = std::function<void(int socket, const std::string& head)>;

  explicit ScriptedOrigin(Play play) : play_(std::move(play)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    REQUIRE(::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) == 0);
    REQUIRE(::listen(listener_, 16) == 0);
    REQUIRE(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  explicit ScriptedOrigin(std::string reply)
      : ScriptedOrigin([reply](int socket, const std::string&) { send_all(socket, reply); }) {}
  ~ScriptedOrigin() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }
  [[nodiscard]] std::string url(const std::string& host = "127.0.0.1") const {
    return "http://" + host + ":" + std::to_string(port_) + "/delta.bin";
  }
  [[nodiscard]] int requests() const { return requests_; }
  /// What was asked, head by head.
  [[nodiscard]] std::vector<std::string> heads() const {
    const std::lock_guard lock(mutex_);
    return heads_;
  }

 private:
  void serve() {
    for (int socket = 0; (socket = ::accept(listener_, nullptr, nullptr)) >= 0;) {
      std::string head;
      char byte = 0;
      while (!head.ends_with("\r\n\r\n") && ::recv(socket, &byte, 1, 0) > 0) head += byte;
      {
        const std::lock_guard lock(mutex_);
        heads_.push_back(head);
      }
      ++requests_;
      play_(socket, head);
      ::shutdown(socket, SHUT_WR);
      wait_for_end(socket);
      ::close(socket);
    }
  }

  Play play_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<int> requests_{0};
  mutable std::mutex mutex_;
  std::vector<std::string> heads_;
  std::thread thread_;
};

inline std::string hash_of(const std::string& bytes) {
  Sha256 hash;
  hash.update(bytes);
  return hash.hex();
}

inline Blake2b::Hash blake2b_of(const std::string& bytes) {
  Blake2b hash;
  hash.update(bytes);
  return hash.hash();
}

/// A variable of the environment, as long as this lives.
class Environment {
 public:
  Environment(std::string name, const std::string& value) : name_(std::move(name)) {
    if (const char* before = std::getenv(name_.c_str())) before_ = before;
    ::setenv(name_.c_str(), value.c_str(), 1);
  }
  ~Environment() {
    if (before_) {
      ::setenv(name_.c_str(), before_->c_str(), 1);
    } else {
      ::unsetenv(name_.c_str());
    }
  }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

 private:
  std::string name_;
  std::optional<std::string> before_;
};

using Outcome = Result<Artifact>;

inline Awaitable<> keep(Fetch& fetch, FetchRequest request, std::optional<Outcome>& outcome) {
  outcome = co_await fetch.fetch(request);
}

template <class T>
Awaitable<> keep(Awaitable<Result<T>> work, std::optional<Result<T>>& outcome) {
  outcome = co_await std::move(work);
}

struct FetchBench {
  FetchBench() {
    options.directory = root / "cache" / "artifacts";
    options.allow_hosts = {"127.0.0.1"};
    options.resume_pause = 0ms;
  }
  ~FetchBench() { fetch.reset(); }

  Fetch& open() {
    if (!fetch) fetch = std::make_unique<Fetch>(loop, options);
    return *fetch;
  }
  /// What one of its functions ends with.
  template <class T>
  Result<T> result(Awaitable<Result<T>> work) {
    std::optional<Result<T>> outcome;
    asio::co_spawn(loop, keep(std::move(work), outcome), [](const std::exception_ptr& thrown) {
      if (thrown) std::rethrow_exception(thrown);
    });
    run_until([&] { return outcome.has_value(); });
    return *outcome;
  }
  void start(const std::string& url, const std::string& sha256, std::optional<Outcome>& outcome,
             std::optional<std::uint64_t> size = std::nullopt) {
    open();
    FetchRequest request;
    request.url = url;
    request.sha256 = sha256;
    request.size = size;
    asio::co_spawn(loop, keep(*fetch, request, outcome), [](const std::exception_ptr& thrown) {
      if (thrown) std::rethrow_exception(thrown);
    });
  }
  /// Until something happened that makes it true.
  void run_until(const std::function<bool()>& done) {
    const auto watchdog = std::chrono::steady_clock::now() + 30s;
    while (!done()) {
      REQUIRE(std::chrono::steady_clock::now() < watchdog);
      loop.restart();
      loop.run_one_for(10ms);
    }
  }
  /// Until all that was asked before has been looked for.
  void settle() {
    std::optional<Outcome> last;
    start("", hash_of("a file that nobody has"), last);
    CHECK(finish(last).error().code == Errc::absent);
  }
  Outcome finish(std::optional<Outcome>& outcome) {
    loop.restart();
    while (!outcome) REQUIRE(loop.run_one() > 0);
    return *outcome;
  }
  Outcome get(const std::string& url, const std::string& sha256, std::optional<std::uint64_t> size = std::nullopt) {
    std::optional<Outcome> outcome;
    start(url, sha256, outcome, size);
    return finish(outcome);
  }
  /// The error, after which nothing must be left in the directory.
  Error failure(const std::string& url, const std::string& sha256, std::optional<std::uint64_t> size = std::nullopt) {
    auto outcome = get(url, sha256, size);
    REQUIRE_FALSE(outcome.ok());
    INFO(outcome.error().message);
    CHECK(files() == 0);
    return outcome.error();
  }
  [[nodiscard]] fs::path whole(const std::string& body) const { return options.directory / hash_of(body); }
  [[nodiscard]] fs::path part(const std::string& body) const { return options.directory / (".part-" + hash_of(body)); }
  [[nodiscard]] int files() const {
    return fs::exists(options.directory)
               ? static_cast<int>(std::distance(fs::directory_iterator(options.directory), fs::directory_iterator()))
               : 0;
  }

  asio::io_context loop;
  TempDir made;
  fs::path root = made.path();
  FetchOptions options;
  std::unique_ptr<Fetch> fetch;
};

inline std::string content(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

const std::string kBody(300000, 'd');

}  // namespace dfota::test
