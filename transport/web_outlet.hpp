// Answers and streams of events on their way out, all written by the web thread: each as far as its peer takes it, and
// none for longer than it takes something. A stream holds at most one buffer, and is asked for the next only when that
// one has gone. Part of transport/web_server; the web thread.
#pragma once

#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <functional>
#include <list>
#include <memory>
#include <string>

#include "transport/base/clock.hpp"
#include "transport/descriptor.hpp"
#include "transport/web_message.hpp"

namespace dfota {

class WebOutlets {
 public:
  struct Limits {
    std::size_t answer_bytes;
    Clock::duration stall;
  };
  /// `on_sent` gets the socket of each answer that the kernel has taken whole.
  WebOutlets(asio::io_context& loop, Limits limits, std::function<void(Descriptor)> on_sent,
             std::function<void(const std::string&)> on_fault);
  ~WebOutlets();
  WebOutlets(const WebOutlets&) = delete;
  WebOutlets& operator=(const WebOutlets&) = delete;

  void send(Descriptor socket, std::string response);
  void stream(Descriptor socket, std::string head, std::unique_ptr<EventSource> events);
  void wake();
  [[nodiscard]] std::size_t streams() const { return streams_.size(); }

 private:
  struct Outlet;
  using Outlets = std::list<std::shared_ptr<Outlet>>;

  void open(Descriptor socket, const std::shared_ptr<Outlet>& outlet, Outlets& list);
  void push(const std::shared_ptr<Outlet>& outlet);
  bool refill(const std::shared_ptr<Outlet>& outlet);
  void await_room(const std::shared_ptr<Outlet>& outlet);
  void watch_stall(const std::shared_ptr<Outlet>& outlet);
  void watch_peer(const std::shared_ptr<Outlet>& outlet);
  Descriptor leave(const std::shared_ptr<Outlet>& outlet);
  void cut(const std::shared_ptr<Outlet>& outlet);

  asio::io_context& loop_;
  const Limits limits_;
  const std::function<void(Descriptor)> on_sent_;
  const std::function<void(const std::string&)> on_fault_;
  Outlets answers_, streams_;  // oldest first
  std::size_t answer_bytes_ = 0;
};

}  // namespace dfota
