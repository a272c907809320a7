#include "tests/support/process.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <random>
#include <stdexcept>

extern char** environ;

namespace dfota::test {
namespace {
std::string program_path(const std::string& name) {
  if (name.find('/') == std::string::npos && ::access(("/usr/sbin/" + name).c_str(), X_OK) == 0)
    return "/usr/sbin/" + name;
  return name;
}

std::vector<std::string> merged_environment(const Process::Environment& added) {
  std::vector<std::string> all;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    const auto overridden = [&](const auto& pair) { return text.starts_with(pair.first + "="); };
    if (std::find_if(added.begin(), added.end(), overridden) == added.end()) all.push_back(text);
  }
  for (const auto& [name, value] : added) all.push_back(name + "=" + value);
  return all;
}

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> result;
  for (auto& text : strings) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}
}  // namespace

Process::Process(std::vector<std::string> argv, const Environment& environment) {
  std::array<int, 2> out{}, err{};
  if (::pipe2(out.data(), O_CLOEXEC) != 0 || ::pipe2(err.data(), O_CLOEXEC) != 0 || ::pipe2(stop_, O_CLOEXEC) != 0) {
    throw std::runtime_error("pipe2");
  }
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, err[1], STDERR_FILENO);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t defaults;
  sigemptyset(&defaults);
  sigaddset(&defaults, SIGPIPE);
  posix_spawnattr_setsigdefault(&attributes, &defaults);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);

  auto all = merged_environment(environment);
  const std::string path = program_path(argv.at(0));
  const int failed =
      ::posix_spawnp(&pid_, path.c_str(), &actions, &attributes, pointers(argv).data(), pointers(all).data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  ::close(out[1]);
  ::close(err[1]);
  if (failed == 0) pidfd_ = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0));
  if (failed != 0 || pidfd_ < 0) {
    for (const int fd : {out[0], err[0], stop_[0], stop_[1]}) ::close(fd);
    throw std::runtime_error("cannot start " + path + ": " + std::strerror(failed != 0 ? failed : errno));
  }
  reader_ = std::thread([this, from_out = out[0], from_err = err[0]] { read_output(from_out, from_err); });
}

Process::~Process() {
  terminate();
  ::close(stop_[1]);
  reader_.join();
  ::close(stop_[0]);
  ::close(pidfd_);
}

void Process::read_output(int out, int err) {
  std::array<pollfd, 3> fds{{{out, POLLIN, 0}, {err, POLLIN, 0}, {stop_[0], POLLIN, 0}}};
  while (fds[0].fd >= 0 || fds[1].fd >= 0) {
    if (::poll(fds.data(), fds.size(), -1) < 0) continue;
    bool read_some = false;
    for (const int i : {0, 1}) {
      if (fds[i].fd < 0 || fds[i].revents == 0) continue;
      char buffer[16384];
      const auto size = ::read(fds[i].fd, buffer, sizeof buffer);
      read_some = true;
      const std::lock_guard lock(mutex_);
      if (size > 0) (i == 0 ? out_ : err_).append(buffer, static_cast<std::size_t>(size));
      if (size <= 0) fds[i].fd = -1;
      changed_.notify_all();
    }
    if (!read_some && fds[2].revents != 0) break;  // a grandchild may hold the pipe open for ever
  }
  ::close(out);
  ::close(err);
  const std::lock_guard lock(mutex_);
  open_ = false;
  changed_.notify_all();
}

void Process::signal(int number) const {
  if (!exit_) ::kill(pid_, number);
}

std::optional<int> Process::wait(std::chrono::milliseconds limit) {
  if (exit_) return exit_;
  const auto deadline = std::chrono::steady_clock::now() + limit;
  for (;;) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    pollfd fd{pidfd_, POLLIN, 0};
    const int ready = ::poll(&fd, 1, static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
    if (ready == 0) return std::nullopt;
    if (ready > 0) break;
  }
  int status = 0;
  if (::waitpid(pid_, &status, 0) != pid_) return std::nullopt;
  exit_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  // What it wrote last is still on its way through the pipe.
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, std::chrono::seconds(2), [this] { return !open_; });
  return exit_;
}

int Process::terminate(std::chrono::milliseconds patience) {
  signal(SIGCONT);
  signal(SIGTERM);
  const auto code = wait(patience);
  return code ? *code : kill();
}

int Process::kill() {
  signal(SIGKILL);
  return wait().value_or(-1);
}

std::string Process::out() const {
  const std::lock_guard lock(mutex_);
  return out_;
}

std::string Process::err() const {
  const std::lock_guard lock(mutex_);
  return err_;
}

bool Process::wait_for(const std::string& stream, const Predicate& done, std::chrono::milliseconds limit) {
  std::unique_lock lock(mutex_);
  bool found = false;
  changed_.wait_for(lock, limit, [&] { return (found = done(stream)) || !open_; });
  return found;
}

bool Process::wait_for_out(const Predicate& done, std::chrono::milliseconds limit) {
  return wait_for(out_, done, limit);
}
bool Process::wait_for_err(const Predicate& done, std::chrono::milliseconds limit) {
  return wait_for(err_, done, limit);
}
bool Process::wait_for_out(const std::string& text, std::chrono::milliseconds limit) {
  return wait_for(
      out_, [&](const std::string& all) { return all.find(text) != std::string::npos; }, limit);
}
bool Process::wait_for_err(const std::string& text, std::chrono::milliseconds limit) {
  return wait_for(
      err_, [&](const std::string& all) { return all.find(text) != std::string::npos; }, limit);
}

std::uint16_t free_port() {
  static std::minstd_rand chance(std::random_device{}());
  constexpr unsigned kFirst = 10000, kCount = 20000, kTries = 1000;
  for (unsigned tries = 0; tries < kTries; ++tries) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<std::uint16_t>(kFirst + chance() % kCount));
    const bool ok = ::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    ::close(fd);
    if (ok) return ntohs(address.sin_port);
  }
  throw std::runtime_error("no free port");
}

}  // namespace dfota::test
