#include "modem/simulator/pty_port.hpp"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <asio/buffer.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <cerrno>
#include <cstring>

#include "modem/simulator/line_pace.hpp"
#include "transport/base/signal.hpp"

namespace dfota::sim {
namespace {

constexpr size_t kReadBytes = 1024;
constexpr size_t kMaxUnsentBytes = 16384;
/// Only when inotify refused the watch: how often a closed port is asked whether somebody opened it.
constexpr auto kProbeEvery = std::chrono::milliseconds(100);
constexpr auto kSleepBound = std::chrono::hours(24);

bool has_listener(int master) {
  pollfd probe{master, POLLOUT, 0};
  return ::poll(&probe, 1, 0) >= 0 && (probe.revents & POLLHUP) == 0;
}

Error system_error(const std::string& what) {
  return Error(Errc::io, what + ": " + std::strerror(errno));
}

bool write_now(int master, std::string_view bytes) {
  return has_listener(master) && ::write(master, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size());
}

/// Opening and closing the slave once also puts the master into the state "nobody listens".
bool make_slave_raw(const char* pts) {
  const int slave = ::open(pts, O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (slave < 0) return false;
  termios settings{};
  const bool known = ::tcgetattr(slave, &settings) == 0;
  ::cfmakeraw(&settings);
  const bool raw = known && ::tcsetattr(slave, TCSANOW, &settings) == 0;
  ::close(slave);
  return raw;
}

/// What the last listener did not read must not reach the next one.
void drop_unread(const std::string& pts) {
  const int slave = ::open(pts.c_str(), O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
  if (slave < 0) return;
  ::tcflush(slave, TCIFLUSH);
  ::close(slave);
}

}  // namespace

Result<std::unique_ptr<OpenWatch>> OpenWatch::create(asio::io_context& loop) {
  const int descriptor = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (descriptor < 0) return system_error("inotify_init1 failed");
  std::unique_ptr<OpenWatch> watch(new OpenWatch(loop, descriptor));
  asio::co_spawn(loop, watch->run(), asio::detached);
  return watch;
}

OpenWatch::OpenWatch(asio::io_context& loop, int descriptor) : events_(loop, descriptor) {}

int OpenWatch::add(const std::string& path, std::function<void()> opened) {
  const int watch = ::inotify_add_watch(events_.native_handle(), path.c_str(), IN_OPEN);
  if (watch >= 0) watchers_[watch] = std::move(opened);
  return watch;
}

void OpenWatch::remove(int watch) {
  if (watchers_.erase(watch) > 0) ::inotify_rm_watch(events_.native_handle(), watch);
}

Awaitable<> OpenWatch::run() {
  for (;;) {
    const auto [failure, size] = co_await events_.async_read_some(asio::buffer(buffer_), kNoThrow);
    if (failure) co_return;
    dispatch(std::string_view(buffer_.data(), size));
  }
}

void OpenWatch::dispatch(std::string_view events) {
  inotify_event event;
  while (events.size() >= sizeof event) {
    std::memcpy(&event, events.data(), sizeof event);
    events.remove_prefix(std::min(events.size(), sizeof event + event.len));
    const auto found = watchers_.find(event.wd);
    if (found == watchers_.end()) continue;
    const auto opened = found->second;
    opened();
  }
}

struct PtyPort::State {
  State(asio::io_context& loop, int master, std::shared_ptr<Events> events, int baud)
      : loop(loop), master(loop, master), woken(loop), events(std::move(events)), in(baud), out(baud) {}
  asio::io_context& loop;
  asio::posix::stream_descriptor master;
  Signal woken;
  std::shared_ptr<Events> events;
  std::string pts;
  std::array<char, kReadBytes> buffer;
  LinePace in;
  LinePace out;
  std::string unsent;
  bool sending = false;
  int watch = -1;
  bool listening = false;
  bool closed = false;
};

PtyPort::PtyPort(asio::io_context& loop, OpenWatch& watch, std::string link, int baud)
    : loop_(loop), watch_(watch), link_(std::move(link)), baud_(baud) {}

PtyPort::~PtyPort() {
  tell_nobody();
  close();
}

Result<void> PtyPort::open() {
  close();
  const int master = ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
  if (master < 0) return system_error("no pseudo-terminal for " + link_);
  char pts[64];
  if (::grantpt(master) != 0 || ::unlockpt(master) != 0 || ::ptsname_r(master, pts, sizeof pts) != 0 ||
      !make_slave_raw(pts)) {
    const auto error = system_error("cannot set up the pseudo-terminal for " + link_);
    ::close(master);
    return error;
  }
  auto state = std::make_shared<State>(loop_, master, events(), baud_);
  state->pts = pts;
  state->watch = watch_.add(pts, [state = std::weak_ptr<State>(state)] {
    if (const auto alive = state.lock()) alive->woken.notify();
  });
  state_ = state;
  pts_ = pts;
  auto linked = link_to(pts);
  if (!linked) {
    close();
    return linked;
  }
  asio::co_spawn(loop_, read(state), asio::detached);
  return {};
}

Result<void> PtyPort::link_to(const std::string& pts) {
  const auto fresh = link_ + ".new";
  ::unlink(fresh.c_str());
  if (::symlink(pts.c_str(), fresh.c_str()) == 0 && ::rename(fresh.c_str(), link_.c_str()) == 0) return {};
  return system_error("cannot put " + pts + " behind " + link_);
}

void PtyPort::close() {
  if (!state_) return;
  ::unlink(link_.c_str());
  const auto state = std::move(state_);
  state_ = nullptr;
  state->closed = true;
  watch_.remove(state->watch);
  if (!state->unsent.empty()) write_now(state->master.native_handle(), state->unsent);
  asio::error_code ignored;
  state->master.close(ignored);
  state->woken.notify();
  if (state->listening) state->events->listener(false);
}

bool PtyPort::write(std::string_view bytes) {
  if (!state_) return false;
  const int master = state_->master.native_handle();
  if (!state_->out.limited()) return write_now(master, bytes);
  if (!has_listener(master) || state_->unsent.size() + bytes.size() > kMaxUnsentBytes) return false;
  state_->unsent += bytes;
  if (!state_->sending && !bytes.empty()) {
    state_->sending = true;
    asio::co_spawn(loop_, send_paced(state_), asio::detached);
  }
  return true;
}

bool PtyPort::has_unread() const {
  if (!state_) return false;
  if (!state_->unsent.empty()) return true;
  const int slave = ::open(pts_.c_str(), O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
  if (slave < 0) return false;
  int unread = 0;
  const bool known = ::ioctl(slave, FIONREAD, &unread) == 0;
  ::close(slave);
  return known && unread > 0;
}

Awaitable<> PtyPort::send_paced(std::shared_ptr<State> state) {
  bool waiting = false;
  while (!state->closed && !state->unsent.empty()) {
    const auto size = std::min(state->unsent.size(), state->out.piece_bytes());
    const auto sent_at = state->out.pass(size, waiting, Clock::now());
    const auto pause = sent_at - Clock::now();
    co_await sleep_for(state->loop, pause);
    if (state->closed) break;
    write_now(state->master.native_handle(), std::string_view(state->unsent).substr(0, size));
    state->unsent.erase(0, size);
    waiting = true;
  }
  state->sending = false;
}

Awaitable<> PtyPort::read(std::shared_ptr<State> state) {
  auto& buffer = state->buffer;
  const auto nap = state->watch >= 0 ? Clock::duration(kSleepBound) : Clock::duration(kProbeEvery);
  while (!state->closed) {
    if (!has_listener(state->master.native_handle())) {
      // Bytes of a host that wrote and closed at once are still there.
      const auto size = ::read(state->master.native_handle(), buffer.data(), buffer.size());
      if (size > 0) {
        state->events->received(std::string_view(buffer.data(), static_cast<size_t>(size)));
        continue;
      }
      if (state->listening) {
        state->listening = false;
        drop_unread(state->pts);
        state->events->listener(false);
        continue;
      }
      const auto until = Clock::now() + nap;
      co_await state->woken.wait_until(until);
      continue;
    }
    if (!state->listening) {
      state->listening = true;
      state->events->listener(true);
      continue;
    }
    const auto room = asio::buffer(buffer, state->in.piece_bytes());
    if (state->in.limited()) {
      // Bytes that stand ready now, right behind the last ones, have kept the line busy.
      auto got = ::read(state->master.native_handle(), room.data(), room.size());
      const bool waiting = got > 0;
      if (!waiting) {
        co_await state->master.async_wait(asio::posix::stream_descriptor::wait_read, kNoThrow);
        if (state->closed) co_return;
        got = ::read(state->master.native_handle(), room.data(), room.size());
      }
      if (got <= 0) continue;
      const auto passed_at = state->in.pass(static_cast<size_t>(got), waiting, Clock::now());
      const auto pause = passed_at - Clock::now();
      co_await sleep_for(state->loop, pause);
      if (state->closed) co_return;
      state->events->received(std::string_view(buffer.data(), static_cast<size_t>(got)));
      continue;
    }
    const auto [failure, size] = co_await state->master.async_read_some(room, kNoThrow);
    if (state->closed) co_return;
    if (!failure && size > 0) state->events->received(std::string_view(buffer.data(), size));
  }
}

}  // namespace dfota::sim
