#include "transport/web_outlet.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <vector>

namespace dfota {
namespace {

// A peer of a stream has nothing more to say.
constexpr std::size_t kMaxChatterBytes = 64 * 1024;

}  // namespace

struct WebOutlets::Outlet {
  explicit Outlet(asio::io_context& loop) : socket(loop), stall(loop) {}
  asio::posix::stream_descriptor socket;
  Timer stall;
  std::string bytes;
  std::size_t sent = 0;
  std::unique_ptr<EventSource> events;
  bool idle = false;  // a stream that waits for wake()
  bool stall_watched = false;
  std::size_t chatter = 0;
  Outlets* list = nullptr;  // null: it has left
  Outlets::iterator place;
};

WebOutlets::WebOutlets(asio::io_context& loop, Limits limits, std::function<void(Descriptor)> on_sent,
                       std::function<void(const std::string&)> on_fault)
    : loop_(loop), limits_(limits), on_sent_(std::move(on_sent)), on_fault_(std::move(on_fault)) {}

// The loop has stopped. What it still holds of an outlet is never run.
WebOutlets::~WebOutlets() {
  for (const auto* list : {&answers_, &streams_}) {
    for (const auto& outlet : *list) {
      outlet->events.reset();
      asio::error_code ignored;
      outlet->socket.close(ignored);
    }
  }
}

void WebOutlets::send(Descriptor socket, std::string response) {
  const auto outlet = std::make_shared<Outlet>(loop_);
  outlet->bytes = std::move(response);
  answer_bytes_ += outlet->bytes.size();
  open(std::move(socket), outlet, answers_);
  while (answer_bytes_ > limits_.answer_bytes && answers_.size() > 1) cut(answers_.front());
}

void WebOutlets::stream(Descriptor socket, std::string head, std::unique_ptr<EventSource> events) {
  const auto outlet = std::make_shared<Outlet>(loop_);
  outlet->bytes = std::move(head);
  outlet->events = std::move(events);
  // Also what the kernel holds of a stream must be taken in time: a peer that vanished without a word would be noticed
  // after a quarter of an hour otherwise.
  const auto limit = std::chrono::duration_cast<std::chrono::milliseconds>(limits_.stall).count();
  const auto milliseconds = static_cast<unsigned>(limit);
  ::setsockopt(socket.get(), IPPROTO_TCP, TCP_USER_TIMEOUT, &milliseconds, sizeof milliseconds);
  open(std::move(socket), outlet, streams_);
  if (outlet->list != nullptr) watch_peer(outlet);
}

void WebOutlets::open(Descriptor socket, const std::shared_ptr<Outlet>& outlet, Outlets& list) {
  outlet->list = &list;
  outlet->place = list.insert(list.end(), outlet);
  asio::error_code error;
  outlet->socket.assign(socket.get(), error);
  if (error) {
    on_fault_("admin page: a connection cannot be watched and is cut: " + error.message());
    return cut(outlet);
  }
  socket.release();
  push(outlet);
}

void WebOutlets::push(const std::shared_ptr<Outlet>& outlet) {
  // One buffer of a stream a turn: a source that always has something must not keep the web thread from the others.
  bool refilled = false;
  for (;;) {
    if (outlet->sent == outlet->bytes.size()) {
      if (refilled) return await_room(outlet);
      if (!refill(outlet)) return;
      refilled = true;
    }
    const auto count = ::send(outlet->socket.native_handle(), outlet->bytes.data() + outlet->sent,
                              outlet->bytes.size() - outlet->sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count > 0) {
      outlet->sent += static_cast<std::size_t>(count);
      outlet->stall_watched = false;
    } else if (count < 0 && errno == EAGAIN) {
      return await_room(outlet);
    } else if (count == 0 || errno != EINTR) {
      return cut(outlet);
    }
  }
}

/// True: there is something to send. An answer that is through goes.
bool WebOutlets::refill(const std::shared_ptr<Outlet>& outlet) {
  if (!outlet->events) {
    on_sent_(leave(outlet));
    return false;
  }
  outlet->sent = 0;
  try {
    outlet->bytes = outlet->events->next();
  } catch (const std::exception& error) {
    on_fault_(std::string("admin page: a stream of events is cut: ") + error.what());
    cut(outlet);
    return false;
  }
  outlet->idle = outlet->bytes.empty();
  if (outlet->idle) {
    outlet->bytes.shrink_to_fit();
    outlet->stall.cancel();
    outlet->stall_watched = false;
  }
  return !outlet->idle;
}

void WebOutlets::await_room(const std::shared_ptr<Outlet>& outlet) {
  if (!outlet->stall_watched) watch_stall(outlet);
  outlet->socket.async_wait(asio::posix::stream_descriptor::wait_write, [this, outlet](const asio::error_code& error) {
    if (!error && outlet->list != nullptr) push(outlet);
  });
}

void WebOutlets::watch_stall(const std::shared_ptr<Outlet>& outlet) {
  outlet->stall_watched = true;
  outlet->stall.expires_after(limits_.stall);
  outlet->stall.async_wait([this, outlet](const asio::error_code& canceled) {
    // It may have been started anew when it had run out already.
    if (canceled || outlet->list == nullptr || !outlet->stall_watched || outlet->stall.expiry() > Clock::now()) return;
    cut(outlet);
  });
}

/// Nothing is expected from the peer of a stream but its end.
void WebOutlets::watch_peer(const std::shared_ptr<Outlet>& outlet) {
  outlet->socket.async_wait(asio::posix::stream_descriptor::wait_read, [this, outlet](const asio::error_code& error) {
    if (error || outlet->list == nullptr) return;
    std::array<char, 4096> bytes;
    const auto count = ::recv(outlet->socket.native_handle(), bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (count > 0) outlet->chatter += static_cast<std::size_t>(count);
    const bool there = count > 0 || (count < 0 && (errno == EAGAIN || errno == EINTR));
    if (!there || outlet->chatter > kMaxChatterBytes) return cut(outlet);
    watch_peer(outlet);
  });
}

void WebOutlets::wake() {
  std::vector<std::shared_ptr<Outlet>> idle;  // each may go while it is asked
  for (const auto& outlet : streams_) {
    if (outlet->idle) idle.push_back(outlet);
  }
  for (const auto& outlet : idle) {
    if (outlet->list != nullptr && outlet->idle) push(outlet);
  }
}

Descriptor WebOutlets::leave(const std::shared_ptr<Outlet>& outlet_of_list) {
  const auto outlet = outlet_of_list;  // the list's own pointer goes with its place
  if (outlet->list == &answers_) answer_bytes_ -= outlet->bytes.size();
  outlet->list->erase(outlet->place);
  outlet->list = nullptr;
  outlet->stall.cancel();
  outlet->events.reset();
  return outlet->socket.is_open() ? Descriptor(outlet->socket.release()) : Descriptor();
}

void WebOutlets::cut(const std::shared_ptr<Outlet>& outlet) {
  const auto socket = leave(outlet);
  if (socket.valid()) discard_on_close(socket.get());
}

}  // namespace dfota
