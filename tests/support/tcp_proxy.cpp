#include "tests/support/tcp_proxy.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <deque>
#include <stdexcept>
#include <vector>

namespace dfota::test {
namespace {
using Clock = std::chrono::steady_clock;

/// Of bytes that wait for their delay, or for a reader: beyond it the sender has to wait, too.
constexpr std::size_t kMaxWaiting = 256;

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

int new_socket() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) throw std::runtime_error(std::string("socket: ") + std::strerror(errno));
  return fd;
}

/// With no delay of the kernel's own: small messages leave at once.
void set_up(int fd) {
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
}

void close_with_reset(int fd) {
  const linger at_once{1, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  ::close(fd);
}

bool would_block() {
  return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

/// One direction of a connection.
struct Flow {
  struct Chunk {
    Clock::time_point due;
    std::string bytes;
  };
  int from = -1, to = -1;
  std::deque<Chunk> chunks{};
  bool read_all = false, over = false;

  [[nodiscard]] bool may_read() const { return !read_all && chunks.size() < kMaxWaiting; }
  [[nodiscard]] bool may_write(Clock::time_point now) const { return !chunks.empty() && chunks.front().due <= now; }

  /// False: the connection is broken.
  bool read(std::chrono::milliseconds delay) {
    std::array<char, 16384> buffer;
    while (may_read()) {
      const auto size = ::recv(from, buffer.data(), buffer.size(), 0);
      if (size < 0) return would_block();
      if (size == 0) read_all = true;
      if (size > 0) chunks.push_back({Clock::now() + delay, std::string(buffer.data(), size)});
    }
    return true;
  }

  bool write(Clock::time_point now) {
    while (may_write(now)) {
      auto& bytes = chunks.front().bytes;
      const auto size = ::send(to, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (size < 0) return would_block();
      bytes.erase(0, static_cast<std::size_t>(size));
      if (!bytes.empty()) return true;
      chunks.pop_front();
    }
    if (read_all && chunks.empty() && !over) {
      over = true;
      ::shutdown(to, SHUT_WR);
    }
    return true;
  }
};
}  // namespace

struct TcpProxy::Connection {
  Connection(int client, int server) : client(client), server(server) {
    flows[0].from = flows[1].to = client;
    flows[0].to = flows[1].from = server;
  }

  int client, server;
  std::array<Flow, 2> flows{};
  bool silent = false;
};

TcpProxy::TcpProxy(std::uint16_t to) : port_(free_port()), to_(to) {
  if (::pipe2(wake_, O_CLOEXEC | O_NONBLOCK) != 0) throw std::runtime_error("pipe2");
  listen();
  thread_ = std::thread([this] { run(); });
}

TcpProxy::~TcpProxy() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake();
  thread_.join();
  reset();
  if (listener_ >= 0) ::close(listener_);
  for (const int fd : wake_) ::close(fd);
}

void TcpProxy::listen() {
  listener_ = new_socket();
  const int on = 1;
  ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const auto address = loopback(port_);
  if (::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(listener_, 16) != 0) {
    throw std::runtime_error("no port for the proxy: " + std::string(std::strerror(errno)));
  }
  set_up(listener_);
}

void TcpProxy::wake() const {
  const char byte = 0;
  if (::write(wake_[1], &byte, 1) < 0 && !would_block()) throw std::runtime_error("the proxy cannot be woken");
}

void TcpProxy::enter(Mode mode) {
  {
    const std::lock_guard lock(mutex_);
    mode_ = mode;
    if (mode == Mode::refuse && listener_ >= 0) {
      ::close(listener_);
      listener_ = -1;
    }
    if (mode != Mode::refuse && listener_ < 0) listen();
    if (mode == Mode::silent) {
      for (auto& connection : connections_) connection.silent = true;
    }
  }
  wake();
}

void TcpProxy::pass(std::chrono::milliseconds delay) {
  {
    const std::lock_guard lock(mutex_);
    delay_ = delay;
  }
  enter(Mode::pass);
}

void TcpProxy::silence() {
  enter(Mode::silent);
}

void TcpProxy::refuse() {
  enter(Mode::refuse);
}

void TcpProxy::reset() {
  {
    const std::lock_guard lock(mutex_);
    for (const auto& connection : connections_) {
      close_with_reset(connection.client);
      close_with_reset(connection.server);
    }
    connections_.clear();
  }
  wake();
}

void TcpProxy::lead_to(std::uint16_t to) {
  const std::lock_guard lock(mutex_);
  to_ = to;
}

std::size_t TcpProxy::connections() const {
  const std::lock_guard lock(mutex_);
  return accepted_;
}

bool TcpProxy::wait_for_connections(std::size_t count, std::chrono::milliseconds limit) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, limit, [&] { return accepted_ >= count; });
}

void TcpProxy::accept_one() {
  if (listener_ < 0) return;
  const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
  if (client < 0) return;
  const int server = new_socket();
  const auto address = loopback(to_);
  // On loopback this is answered at once, one way or the other.
  if (::connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    close_with_reset(client);
    ::close(server);
    return;
  }
  for (const int fd : {client, server}) set_up(fd);
  connections_.emplace_back(client, server).silent = mode_ == Mode::silent;
  ++accepted_;
  changed_.notify_all();
}

void TcpProxy::move_bytes() {
  const auto now = Clock::now();
  for (auto next = connections_.begin(); next != connections_.end();) {
    const auto current = next++;
    if (current->silent) continue;
    bool whole = true;
    for (auto& flow : current->flows) whole = whole && flow.read(delay_) && flow.write(now);
    if (whole && !(current->flows[0].over && current->flows[1].over)) continue;
    for (const int fd : {current->client, current->server}) whole ? (void)::close(fd) : close_with_reset(fd);
    connections_.erase(current);
  }
}

void TcpProxy::run() {
  for (;;) {
    std::vector<pollfd> fds = {{wake_[0], POLLIN, 0}};
    auto wait = std::chrono::milliseconds(-1);
    {
      const std::lock_guard lock(mutex_);
      if (stop_) return;
      if (listener_ >= 0) fds.push_back({listener_, POLLIN, 0});
      const auto now = Clock::now();
      for (const auto& connection : connections_) {
        for (const auto& flow : connection.flows) {
          if (connection.silent) continue;
          if (flow.may_read()) fds.push_back({flow.from, POLLIN, 0});
          if (flow.chunks.empty()) continue;
          const auto left = std::chrono::ceil<std::chrono::milliseconds>(flow.chunks.front().due - now);
          if (left.count() <= 0)
            fds.push_back({flow.to, POLLOUT, 0});
          else
            wait = wait.count() < 0 ? left : std::min(wait, left);
        }
      }
    }
    ::poll(fds.data(), fds.size(), static_cast<int>(wait.count()));
    char drained[64];
    while (::read(wake_[0], drained, sizeof drained) > 0) {
    }
    const std::lock_guard lock(mutex_);
    accept_one();
    move_bytes();
  }
}

}  // namespace dfota::test
