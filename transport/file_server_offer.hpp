// One file offered under one token, and what its requests have got of it. The Gate is the border of law 2: the threads
// that answer ask it whether the last byte may leave. All else of Offer belongs to the loop. Used by file_server and
// file_server_answer.
#pragma once

#include <pthread.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "transport/base/clock.hpp"
#include "transport/descriptor.hpp"
#include "transport/file_server_head.hpp"

namespace dfota {

/// held -> released | revoked, released -> revoked; one atomic decides the race of release() and revoke(). Any thread.
class Gate {
 public:
  explicit Gate(Descriptor event) : event_(std::move(event)) {}

  void release();
  /// True when it was held until now: then may_pass() was never true and will never be.
  bool revoke();
  [[nodiscard]] bool may_pass() const { return state_ == State::released; }
  [[nodiscard]] bool revoked() const { return state_ == State::revoked; }
  /// An eventfd, readable for good once the gate is no longer held.
  [[nodiscard]] int event() const { return event_.get(); }

 private:
  enum class State { held, released, revoked };
  void wake() const;

  std::atomic<State> state_{State::held};
  Descriptor event_;
};

/// Byte ranges, merged.
class RangeSet {
 public:
  /// [begin, end). Beyond kMaxRanges separate ranges a further one is not counted.
  void add(std::uint64_t begin, std::uint64_t end);
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

  static constexpr std::size_t kMaxRanges = 4096;

 private:
  std::map<std::uint64_t, std::uint64_t> ranges_;  // begin -> end
  std::uint64_t bytes_ = 0;
};

struct Offer;

/// One request in service. The loop makes and retires it; its thread answers it in between.
struct Connection {
  Descriptor socket;  // closed by the loop only, after the thread was joined
  std::string source;
  std::string rest;  // bytes that came after the head
  RequestHead head;
  RangeAnswer range;
  std::shared_ptr<Offer> offer;
  Clock::duration stall_limit{};
  std::function<void()> on_last_byte_wanted;  // called by the thread
  std::function<void()> on_end;               // the last thing that the thread calls
  pthread_t thread{};
  bool cut = false;  // loop only

  // Written by the thread, read by the loop.
  std::atomic<std::uint64_t> sent{0};  // bytes that the kernel has taken, those of the head too
  std::atomic<std::uint64_t> head_bytes{
      0};  // how many of them were the head; set before the first byte of the file is sent
  std::atomic<bool> waits_for_release{false};
  bool clean = false;  // the whole answer was acknowledged; read after the join
};

/// Bytes that the peer's TCP has not acknowledged yet.
std::uint64_t unacknowledged(int socket);

struct Offer {
  Offer(std::string name, Descriptor file, std::uint64_t size, Descriptor event, std::function<void()> on_change)
      : name(std::move(name)),
        file(std::move(file)),
        size(size),
        gate(std::move(event)),
        on_change(std::move(on_change)) {}

  const std::string name;
  const Descriptor file;
  const std::uint64_t size;
  Gate gate;

  // Loop only.
  std::function<void()> on_change;
  std::vector<Connection*> connections;  // oldest first
  RangeSet delivered;
  std::uint64_t requests = 0;
  std::string peer;

  /// Adds what this connection's peer has acknowledged so far.
  void account(const Connection& connection);
};

}  // namespace dfota
