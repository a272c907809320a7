#include "tests/support/terminal.hpp"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <stdexcept>

namespace dfota::test {
namespace {
void set_size(int master, unsigned short width, unsigned short height) {
  winsize size{};
  size.ws_col = width;
  size.ws_row = height;
  ::ioctl(master, TIOCSWINSZ, &size);
}
}  // namespace

Terminal::Terminal(const std::vector<std::string>& argv, unsigned short width, unsigned short height)
    : screen_(width, height) {
  master_ = ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (master_ < 0 || ::grantpt(master_) != 0 || ::unlockpt(master_) != 0 || ::pipe2(stop_, O_CLOEXEC) != 0) {
    throw std::runtime_error("no pseudo-terminal");
  }
  set_size(master_, width, height);
  const std::string name = ::ptsname(master_);
  slave_ = ::open(name.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC);
  // It is not the program's controlling terminal: the signal of a resize comes from resize().
  std::vector<std::string> command = {"/bin/sh", "-c", "exec \"$@\" >" + name, "sh"};
  command.insert(command.end(), argv.begin(), argv.end());
  process_ = std::make_unique<Process>(command, Process::Environment{{"TERM", "xterm"}});
  reader_ = std::thread([this] { read_output(); });
}

Terminal::~Terminal() {
  process_.reset();
  ::close(stop_[1]);
  reader_.join();
  ::close(stop_[0]);
  ::close(slave_);
  ::close(master_);
}

void Terminal::read_output() {
  for (;;) {
    std::array<pollfd, 2> fds{{{master_, POLLIN, 0}, {stop_[0], POLLIN, 0}}};
    if (::poll(fds.data(), fds.size(), -1) < 0) continue;
    if (fds[0].revents == 0) return;
    char buffer[65536];
    const auto size = ::read(master_, buffer, sizeof buffer);
    if (size <= 0) continue;
    const std::lock_guard lock(mutex_);
    screen_.write(std::string(buffer, static_cast<std::size_t>(size)));
    changed_.notify_all();
  }
}

void Terminal::resize(unsigned short width, unsigned short height) {
  {
    const std::lock_guard lock(mutex_);
    screen_.resize(width, height);
    set_size(master_, width, height);
  }
  process_->signal(SIGWINCH);
}

bool Terminal::wait_for(const Predicate& done, std::chrono::milliseconds limit) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, limit, [&] { return done(screen_); });
}

bool Terminal::wait_for_row(const std::string& begin) {
  return wait_for([&](const VirtualScreen& screen) {
    auto rows = screen.history();
    const auto seen = screen.seen();
    rows.insert(rows.end(), seen.begin(), seen.end());
    return std::any_of(rows.begin(), rows.end(), [&](const auto& row) { return row.starts_with(begin); });
  });
}

VirtualScreen Terminal::screen() const {
  const std::lock_guard lock(mutex_);
  return screen_;
}

}  // namespace dfota::test
