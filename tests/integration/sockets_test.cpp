// 500 silent or dripping sockets on the file server, and a job runs as without them.
#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <stdexcept>
#include <thread>

#include "tests/support/rig.hpp"

using namespace dfota::test;

namespace {

/// Sockets to the file server. Of each two the second one drips a head that never ends; one that the server closes is
/// opened anew. On a thread of its own until the end.
class Nuisance {
 public:
  Nuisance(std::uint16_t port, std::size_t count) : port_(port), sockets_(count, -1) {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
    for (std::size_t i = 0; i < count; ++i) open(i);
    thread_ = std::thread([this] { drip(); });
  }
  ~Nuisance() {
    {
      const std::lock_guard lock(mutex_);
      stop_ = true;
    }
    stopped_.notify_all();
    thread_.join();
    for (const int fd : sockets_) ::close(fd);
  }
  Nuisance(const Nuisance&) = delete;
  Nuisance& operator=(const Nuisance&) = delete;

  [[nodiscard]] long drops() const { return drops_; }

 private:
  void open(std::size_t i) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port_);
    if (fd < 0 || ::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
      throw std::runtime_error("no connection to the file server");
    }
    ::fcntl(fd, F_SETFL, O_NONBLOCK);
    sockets_[i] = fd;
  }
  bool stopped_within(std::chrono::milliseconds pace) {
    std::unique_lock lock(mutex_);
    return stopped_.wait_for(lock, pace, [this] { return stop_; });
  }
  void drip() {
    static constexpr std::string_view kHead = "GET /a/0123456789abcdef0123456789abcdef/delta.bin HTTP/1.1\r\nX: ";
    for (std::size_t round = 0; !stopped_within(std::chrono::milliseconds(50)); ++round) {
      for (std::size_t i = 0; i < sockets_.size(); ++i) {
        char byte = round < kHead.size() ? kHead[round] : 'x';
        const bool closed = ::recv(sockets_[i], &byte, 1, MSG_PEEK) == 0 || (errno != EAGAIN && errno != EINTR);
        if (!closed && i % 2 == 1 && ::send(sockets_[i], &byte, 1, MSG_NOSIGNAL) == 1) ++drops_;
        if (!closed) continue;
        ::close(sockets_[i]);
        try {
          open(i);
        } catch (const std::runtime_error&) {
          sockets_[i] = -1;
        }
      }
    }
  }

  std::uint16_t port_;
  std::vector<int> sockets_;
  std::mutex mutex_;
  std::condition_variable stopped_;
  bool stop_ = false;
  std::atomic<long> drops_{0};
  std::thread thread_;
};

}  // namespace

TEST_CASE("500 silent or dripping sockets on the file server do not keep a job of 4 from its end") {
  RigOptions options;
  options.rack.modules = 4;
  options.rack.faults = {"m1:client=chunks", "m2:client=barelf", "m3:client=head"};
  Rig rig(options);
  Nuisance nuisance(rig.http_port(), 500);
  rig.accept(rig.job("busy"));
  const auto last = rig.finish("busy");
  CHECK(last["state"] == "succeeded");
  CHECK(nuisance.drops() > 0);
  rig.rack.stop();
  for (int i = 0; i < 4; ++i) CHECK(rig.rack.qfotadl(Rig::m(i)) == 1);
}
