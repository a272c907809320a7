#include "modem/simulator/stream_line.hpp"

#include <linux/sockios.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <asio/buffer.hpp>

namespace dfota::sim {

StreamLine::StreamLine(Socket socket, std::shared_ptr<Port::Events> events)
    : socket_(std::move(socket)), events_(std::move(events)) {}

Awaitable<> StreamLine::read(std::shared_ptr<StreamLine> line) {
  const auto room = asio::buffer(line->buffer_);
  if (!line->open_) co_return;
  line->told_ = true;
  line->events_->listener(true);
  while (line->open_) {
    const auto [failure, size] = co_await line->socket_.async_read_some(room, kNoThrow);
    if (!line->open_) co_return;
    if (failure) {
      line->end();
      co_return;
    }
    line->events_->received(std::string_view(line->buffer_.data(), size));
  }
}

void StreamLine::end() {
  if (!open_) return;
  open_ = false;
  asio::error_code ignored;
  socket_.close(ignored);
  if (told_) events_->listener(false);
}

bool StreamLine::write(std::string_view bytes) {
  if (!open_) return false;
  const auto sent = ::send(socket_.native_handle(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  return sent == static_cast<ssize_t>(bytes.size());
}

bool StreamLine::has_unread() const {
  if (!open_) return false;
  int unread = 0;
  return ::ioctl(socket_.native_handle(), SIOCOUTQ, &unread) == 0 && unread > 0;
}

bool StreamLine::hung_up() const {
  if (!open_) return true;
  pollfd probe{socket_.native_handle(), POLLRDHUP, 0};
  return ::poll(&probe, 1, 0) >= 0 && (probe.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

}  // namespace dfota::sim
