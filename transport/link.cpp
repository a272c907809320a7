#include "transport/link.hpp"

#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <asio/buffer.hpp>
#include <asio/posix/stream_descriptor.hpp>

namespace dfota {

struct Link::State {
  explicit State(asio::io_context& loop) : descriptor(loop), room(loop) {}

  asio::posix::stream_descriptor descriptor;
  Timer room;               ///< the writer sleeps on it; cancelled when there is room for more
  bool room_asked = false;  ///< one question at a time, also after a write that timed out
};

namespace {

Error lost(const std::error_code& error) {
  return Error(Errc::link_lost, "the link was lost: " + error.message());
}

}  // namespace

Link::Link(asio::io_context& loop, int descriptor) : state_(std::make_shared<State>(loop)) {
  asio::error_code error;
  state_->descriptor.assign(descriptor, error);
  if (error) {
    ::close(descriptor);
    return;
  }
  state_->descriptor.non_blocking(true, error);
}

Link::~Link() {
  close();
}

bool Link::is_open() const {
  return state_->descriptor.is_open();
}

Awaitable<Result<std::size_t>> Link::read(std::span<char> into) {
  if (into.empty()) co_return Error(Errc::invalid, "a read into no room");
  const auto state = state_;
  auto [error, size] = co_await state->descriptor.async_read_some(asio::buffer(into.data(), into.size()), kNoThrow);
  if (error) co_return lost(error);
  co_return size;
}

Awaitable<Result<void>> Link::write(std::string_view bytes, Clock::time_point deadline) {
  const auto state = state_;
  while (!bytes.empty()) {
    asio::error_code error;
    const auto size = state->descriptor.write_some(asio::buffer(bytes.data(), bytes.size()), error);
    bytes.remove_prefix(size);
    if (!error) continue;
    if (error != asio::error::would_block) co_return lost(error);
    if (Clock::now() >= deadline) {
      co_return Error(Errc::timeout, "the port took no more: " + std::to_string(bytes.size()) + " bytes are unsent");
    }
    state->room.expires_at(deadline);
    if (!state->room_asked) {
      state->room_asked = true;
      state->descriptor.async_wait(asio::posix::descriptor_base::wait_write, [state](const asio::error_code&) {
        state->room_asked = false;
        state->room.cancel();
      });
    }
    co_await state->room.async_wait(kNoThrow);
  }
  co_return Result<void>();
}

void Link::close() {
  if (!is_open()) return;
  // On a serial port whose other side takes nothing, the last close waits up to 30 s for the output to drain.
  int unsent = 0;
  const int descriptor = state_->descriptor.native_handle();
  if (::isatty(descriptor) == 1 && ::ioctl(descriptor, TIOCOUTQ, &unsent) == 0 && unsent > 0) {
    ::tcflush(descriptor, TCOFLUSH);
  }
  asio::error_code ignored;
  state_->descriptor.close(ignored);
}

}  // namespace dfota
