#include "transport/file_server_answer.hpp"

#include <httplib.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>

namespace dfota {
namespace {
using namespace std::chrono_literals;

// What a thread reads and sends at once. It lies on the thread's stack (file_server.cpp, kStackBytes).
constexpr std::size_t kChunkBytes = 16 * 1024;
// Nothing tells that the last acknowledgement came, so it is asked for: after 1 ms, and twice as long each time up to
// this.
constexpr auto kAskAtMost = 64ms;
// On loopback a full receive buffer of 128 KiB, read at 100 bytes a second, acknowledged nothing for over 200 s
// (measured); at that rate the largest segment there, 64 KiB, is read in 11 minutes.
constexpr int kClosedWindowPatience = 12;
constexpr int kMaxProbesUnanswered = 2;

int milliseconds(Clock::duration time) {
  return static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(time).count());
}

/// The peer has taken all that it had room for, and its TCP still answers our probes: its reader is slow.
bool window_is_closed(int socket) {
  tcp_info info{};
  socklen_t size = sizeof info;
  if (::getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return false;
  return info.tcpi_unacked == 0 && info.tcpi_probes <= kMaxProbesUnanswered;
}

/// The socket as cpp-httplib sees it: reads the head that we wrote, writes to the peer.
class SocketStream final : public httplib::Stream {
 public:
  SocketStream(Connection& connection, std::string head)
      : connection_(connection),
        head_(std::move(head)),
        // The socket becomes writable only when a third of its buffer is free, which a slow reader takes minutes for.
        look_every_(std::clamp<Clock::duration>(connection.stall_limit / 8, 10ms, 5s)) {}

  bool is_readable() const override { return read_ < head_.size(); }
  bool is_writable() const override { return true; }
  ssize_t read(char* to, size_t size) override {
    const auto count = head_.copy(to, size, read_);
    read_ += count;
    return static_cast<ssize_t>(count);
  }
  ssize_t write(const char* from, size_t size) override {
    return send_all(from, size) ? static_cast<ssize_t>(size) : -1;
  }
  void get_remote_ip_and_port(std::string& ip, int& port) const override {
    ip = connection_.source;
    port = 0;
  }
  void get_local_ip_and_port(std::string& ip, int& port) const override {
    ip.clear();
    port = 0;
  }
  socket_t socket() const override { return connection_.socket.get(); }

  bool wait_for_release();
  bool wait_until_taken();

 private:
  bool send_all(const char* from, size_t size);
  /// Whether the peer has taken nothing for too long.
  bool stalled();
  void moved() { last_progress_ = Clock::now(); }

  Connection& connection_;
  const std::string head_;
  std::size_t read_ = 0;
  const Clock::duration look_every_;
  Clock::time_point last_progress_ = Clock::now();
  std::uint64_t taken_ = 0;
};

bool SocketStream::stalled() {
  const auto taken = connection_.sent - std::min<std::uint64_t>(connection_.sent, unacknowledged(socket()));
  if (taken > taken_) moved();
  taken_ = std::max(taken_, taken);
  const auto silence = Clock::now() - last_progress_;
  if (silence <= connection_.stall_limit) return false;
  return silence > kClosedWindowPatience * connection_.stall_limit || !window_is_closed(socket());
}

bool SocketStream::send_all(const char* from, size_t size) {
  moved();
  while (size > 0) {
    const auto sent = ::send(socket(), from, size, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0) {
      from += sent;
      size -= static_cast<size_t>(sent);
      connection_.sent += static_cast<std::uint64_t>(sent);
      continue;
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN) return false;
    pollfd room{socket(), POLLOUT, 0};
    const int ready = ::poll(&room, 1, milliseconds(look_every_));
    if (ready > 0 && (room.revents & (POLLERR | POLLHUP)) != 0) return false;
    if (ready > 0) moved();
    if (ready == 0 && stalled()) return false;
  }
  return true;
}

bool SocketStream::wait_for_release() {
  const auto& gate = connection_.offer->gate;
  if (gate.may_pass()) return true;
  connection_.waits_for_release = true;
  connection_.on_last_byte_wanted();
  moved();
  bool peer_there = true;
  while (peer_there && !gate.may_pass() && !gate.revoked()) {
    // A peer that has closed its side is taken for gone: it is safe to keep the byte from it.
    std::array<pollfd, 2> events{pollfd{socket(), POLLRDHUP, 0}, pollfd{gate.event(), POLLIN, 0}};
    const bool all_taken = unacknowledged(socket()) == 0;
    const int ready = ::poll(events.data(), events.size(), all_taken ? -1 : milliseconds(look_every_));
    if (ready > 0 && events[0].revents != 0) peer_there = false;
    if (ready == 0 && !all_taken && stalled()) peer_there = false;
  }
  connection_.waits_for_release = false;
  return gate.may_pass();
}

bool SocketStream::wait_until_taken() {
  moved();
  auto ask_again = 1ms;
  while (unacknowledged(socket()) > 0) {
    pollfd broken{socket(), 0, 0};
    if (::poll(&broken, 1, static_cast<int>(ask_again.count())) > 0) return unacknowledged(socket()) == 0;
    if (stalled()) return false;
    ask_again = std::min(ask_again * 2, kAskAtMost);
  }
  return true;
}

/// Made for one answer, so that its handler may know the connection. It never listens.
class Answer final : private httplib::Server {
 public:
  Answer(Connection& connection, SocketStream& stream) : connection_(connection), stream_(stream) {
    svr_sock_ = 0;  // write_content stops at once on a server that does not listen; nothing else looks at it
    set_pre_routing_handler([this](const httplib::Request&, httplib::Response& response) {
      respond(response);
      return HandlerResponse::Handled;
    });
    set_post_routing_handler([](const httplib::Request&, httplib::Response& response) {
      response.headers.erase("Keep-Alive");  // its figures would not be ours
    });
    // Without it the text of an exception becomes a header (CVE-2026-28434).
    set_exception_handler(
        [](const httplib::Request&, httplib::Response& response, std::exception_ptr) { response.status = 500; });
  }

  bool run() {
    bool closed = false;
    return process_request(stream_, !connection_.head.keep_alive, closed, nullptr);
  }

 private:
  void respond(httplib::Response& response);
  bool provide(std::size_t offset, std::size_t length, httplib::DataSink& sink);

  Connection& connection_;
  SocketStream& stream_;
};

void Answer::respond(httplib::Response& response) {
  const auto size = connection_.offer->size;
  if (connection_.range.kind == RangeAnswer::Kind::outside) {
    response.status = 416;
    response.set_header("Content-Range", "bytes */" + std::to_string(size));
    return;
  }
  response.set_header("Accept-Ranges", "bytes");
  response.set_content_provider(size, "application/octet-stream",
                                [this](std::size_t offset, std::size_t length, httplib::DataSink& sink) {
                                  return provide(offset, length, sink);
                                });
}

bool Answer::provide(std::size_t offset, std::size_t length, httplib::DataSink& sink) {
  const auto& offer = *connection_.offer;
  if (offset >= offer.size || offer.gate.revoked()) return false;
  if (connection_.head_bytes == 0) connection_.head_bytes = connection_.sent.load();

  const std::size_t last = offer.size - 1;
  if (offset == last && !stream_.wait_for_release()) return false;
  auto count = std::min({length, kChunkBytes, static_cast<std::size_t>(offer.size - offset)});
  if (offset < last && offset + count > last && !offer.gate.may_pass()) count = last - offset;

  std::array<char, kChunkBytes> chunk;
  const auto got = ::pread(offer.file.get(), chunk.data(), count, static_cast<off_t>(offset));
  return got > 0 && sink.write(chunk.data(), static_cast<std::size_t>(got));
}

/// The request again, with nothing in it that we did not understand.
std::string head_for_httplib(const Connection& connection) {
  using Kind = RangeAnswer::Kind;
  std::string head = connection.head.method == RequestHead::Method::head ? "HEAD " : "GET ";
  head += "/a/" + connection.offer->name + " HTTP/1.1\r\n";
  const auto& range = connection.range;
  if (range.kind == Kind::part) {
    head += "Range: bytes=" + std::to_string(range.first) + "-" + std::to_string(range.last) + "\r\n";
  }
  return head + "\r\n";
}

}  // namespace

void answer(Connection& connection) noexcept {
  try {
    SocketStream stream(connection, head_for_httplib(connection));
    connection.clean = Answer(connection, stream).run() && stream.wait_until_taken();
  } catch (const std::exception&) {
    connection.clean = false;  // no memory: the connection is cut, and the module asks again
  }
}

}  // namespace dfota
