// Pseudo-terminals, loopback connections and a loop for the tests of Link and its openers.
#pragma once

#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>
#include <array>
#include <asio/co_spawn.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/write.hpp>
#include <filesystem>
#include <optional>
#include <vector>

#include "tests/support/temp_dir.hpp"
#include "transport/link.hpp"

namespace dfota::test {

using namespace std::chrono_literals;
using asio::ip::tcp;

/// The master side of a pseudo-terminal; the slave is left as a fresh one is: cooked, with echo.
struct Pty {
  Pty() {
    int slave = -1;
    char path[64];
    REQUIRE(::openpty(&master, &slave, path, nullptr, nullptr) == 0);
    ::fcntl(master, F_SETFL, O_NONBLOCK);
    name = path;
    // Kept open by the test only as long as it takes to name it: the link is to be the one that has it open.
    ::close(slave);
  }
  ~Pty() { hang_up(); }
  void hang_up() {
    if (master >= 0) ::close(master);
    master = -1;
  }
  void send(std::string_view bytes) const {
    REQUIRE(::write(master, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
  }
  /// What has arrived at the master by now.
  [[nodiscard]] std::string received() const {
    std::array<char, 4096> buffer{};
    std::string all;
    for (ssize_t size = 0; (size = ::read(master, buffer.data(), buffer.size())) > 0;) {
      all.append(buffer.data(), static_cast<std::size_t>(size));
    }
    return all;
  }
  int master = -1;
  std::string name;
};

struct Directory {
  TempDir made;
  std::filesystem::path path = made.path();
};

template <class T>
inline Awaitable<> keep(Awaitable<T> operation, std::optional<T>& outcome) {
  outcome = co_await std::move(operation);
}

template <class T>
inline void start(asio::io_context& loop, Awaitable<T> operation, std::optional<T>& outcome) {
  asio::co_spawn(loop, keep(std::move(operation), outcome), [](const std::exception_ptr& thrown) {
    if (thrown) std::rethrow_exception(thrown);
  });
}

template <class T>
inline T finish(asio::io_context& loop, std::optional<T>& outcome) {
  loop.restart();
  while (!outcome) REQUIRE(loop.run_one() > 0);
  return std::move(*outcome);
}

template <class T>
inline T run(asio::io_context& loop, Awaitable<T> operation) {
  std::optional<T> outcome;
  start(loop, std::move(operation), outcome);
  return finish(loop, outcome);
}

inline std::unique_ptr<Link> must_open(asio::io_context& loop, const std::string& port) {
  auto link = run(loop, open_link(loop, port, LinkOptions()));
  if (!link) FAIL(link.error().message);
  return std::move(*link);
}

inline Errc open_code(asio::io_context& loop, const std::string& port) {
  auto link = run(loop, open_link(loop, port, LinkOptions()));
  REQUIRE_FALSE(link.ok());
  CHECK(link.error().message.find(port) != std::string::npos);
  return link.error().code;
}

inline std::string must_read(asio::io_context& loop, Link& link) {
  std::array<char, 256> buffer{};
  auto size = run(loop, link.read(buffer));
  if (!size) FAIL(size.error().message);
  return {buffer.data(), *size};
}

inline std::string must_read(asio::io_context& loop, Link& link, std::size_t size) {
  std::string all;
  while (all.size() < size) all += must_read(loop, link);
  return all;
}

/// A link to a peer that takes nothing. Not a pseudo-terminal: the kernel makes room in a full one a moment later.
struct DeafPeer {
  explicit DeafPeer(asio::io_context& loop) {
    int ends[2] = {-1, -1};
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    link = std::make_unique<Link>(loop, ends[0]);
    peer = ends[1];
  }
  ~DeafPeer() { ::close(peer); }
  DeafPeer(const DeafPeer&) = delete;
  DeafPeer& operator=(const DeafPeer&) = delete;
  std::unique_ptr<Link> link;
  int peer = -1;
};

inline void fill(asio::io_context& loop, Link& link) {
  const std::string much(1 << 20, 'x');
  SteppedClock clock;
  std::optional<Result<void>> outcome;
  start(loop, link.write(much, Clock::now() + 5s), outcome);
  loop.restart();
  loop.poll();
  CHECK_FALSE(outcome.has_value());
  clock.advance(6s);
  loop.restart();
  loop.poll();
  REQUIRE(outcome.has_value());
  REQUIRE_FALSE(outcome->ok());
  CHECK(outcome->error().code == Errc::timeout);
}

}  // namespace dfota::test
