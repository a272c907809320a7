#include "modem/simulator/chardev_port.hpp"

#include <sys/un.h>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/local/stream_protocol.hpp>

#include "transport/base/signal.hpp"

namespace dfota::sim {
namespace {

constexpr auto kConnectAgain = std::chrono::milliseconds(200);
/// QEMU takes what there is at once, unless its device's buffer is full because nobody in the guest reads.
constexpr auto kNobodyReads = std::chrono::seconds(2);
/// For the guest to fetch the last bytes over its USB: it may be an emulated machine on a busy host.
constexpr auto kFetchTime = std::chrono::milliseconds(300);

}  // namespace

struct ChardevPort::State {
  State(asio::io_context& loop, std::string path, std::shared_ptr<Events> events)
      : loop(loop), path(std::move(path)), events(std::move(events)), closing(loop) {}
  asio::io_context& loop;
  std::string path;
  std::shared_ptr<Events> events;
  std::shared_ptr<StreamLine> line;
  Signal closing;
  Clock::time_point taken_at;  ///< when QEMU was last seen to have taken everything
  Clock::time_point written_at;
  bool closed = false;
};

ChardevPort::ChardevPort(asio::io_context& loop, std::string path) : loop_(loop), path_(std::move(path)) {}

ChardevPort::~ChardevPort() {
  tell_nobody();
  close();
}

Result<void> ChardevPort::open() {
  close();
  if (path_.size() >= sizeof(sockaddr_un::sun_path)) {
    return Error(Errc::invalid, path_ + " is too long for a unix socket; choose a directory with a shorter name");
  }
  state_ = std::make_shared<State>(loop_, path_, events());
  asio::co_spawn(loop_, stay_connected(state_), asio::detached);
  return {};
}

void ChardevPort::close() {
  if (!state_) return;
  const auto state = std::move(state_);
  state_ = nullptr;
  state->closed = true;
  if (state->line) state->line->end();
  state->closing.notify();
}

bool ChardevPort::write(std::string_view bytes) {
  if (!state_ || !state_->line) return false;
  const auto now = Clock::now();
  if (!state_->line->has_unread()) state_->taken_at = now;
  if (now - state_->taken_at > kNobodyReads) return false;
  if (!state_->line->write(bytes)) return false;
  state_->written_at = now;
  return true;
}

bool ChardevPort::has_unread() const {
  if (!state_ || !state_->line) return false;
  return state_->line->has_unread() || Clock::now() - state_->written_at < kFetchTime;
}

Awaitable<> ChardevPort::stay_connected(std::shared_ptr<State> state) {
  const asio::local::stream_protocol::endpoint address(state->path);
  while (!state->closed) {
    asio::local::stream_protocol::socket socket(state->loop);
    auto [failure] = co_await socket.async_connect(address, kNoThrow);
    if (state->closed) co_return;
    // A full queue of connections looks like success to asio.
    if (!failure) socket.remote_endpoint(failure);
    if (!failure) {
      state->line = std::make_shared<StreamLine>(std::move(socket), state->events);
      co_await StreamLine::read(state->line);
      state->line = nullptr;
    }
    const auto again_at = Clock::now() + kConnectAgain;
    if (!state->closed) co_await state->closing.wait_until(again_at);
  }
}

}  // namespace dfota::sim
