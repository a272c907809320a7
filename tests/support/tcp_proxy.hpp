// A loopback TCP proxy that a test puts between two programs, to do to their connections what networks do. It listens
// on one port for as long as it lives, and leads to one other port of this machine. A thread of its own moves the
// bytes; a test's thread calls the rest.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <list>
#include <mutex>
#include <string>
#include <thread>

#include "tests/support/process.hpp"

namespace dfota::test {

class TcpProxy {
 public:
  explicit TcpProxy(std::uint16_t to);
  ~TcpProxy();
  TcpProxy(const TcpProxy&) = delete;
  TcpProxy& operator=(const TcpProxy&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }

  /// New connections pass bytes, each `delay` later and in order. The normal state.
  void pass(std::chrono::milliseconds delay = {});
  /// The connections that stand, and new ones, stay open, and nothing passes any more in either direction: for them for
  /// good, as when the state of a NAT was lost. Neither end is told; an end that closes is not heard by the other.
  void silence();
  /// RST to both ends of every connection that stands; new ones are as before.
  void reset();
  /// New connections are refused; those that stand stay.
  void refuse();
  /// Where new connections lead to.
  void lead_to(std::uint16_t to);

  /// Accepted so far.
  [[nodiscard]] std::size_t connections() const;
  bool wait_for_connections(std::size_t count, std::chrono::milliseconds limit = kWatchdog);

 private:
  enum class Mode { pass, silent, refuse };
  struct Connection;

  void enter(Mode mode);
  void wake() const;
  void run();
  void move_bytes();
  void accept_one();
  void listen();

  std::uint16_t port_;
  int wake_[2] = {-1, -1};
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::uint16_t to_;
  int listener_ = -1;
  Mode mode_ = Mode::pass;
  std::chrono::milliseconds delay_{};
  bool stop_ = false;
  std::size_t accepted_ = 0;
  std::list<Connection> connections_;
  std::thread thread_;
};

}  // namespace dfota::test
