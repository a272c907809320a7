#include "tests/support/scripted_module.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <chrono>
#include <utility>

namespace dfota::test {
namespace {
constexpr int kWatchdogTurns = 5000;  // of 1 ms each
}

ScriptedModule::ScriptedModule(asio::io_context& loop, std::filesystem::path directory)
    : loop_(loop), directory_(std::move(directory)) {
  plug();
}

ScriptedModule::~ScriptedModule() {
  unplug();
}

void ScriptedModule::plug() {
  termios raw{};
  cfmakeraw(&raw);
  REQUIRE(openpty(&master_, &slave_, nullptr, &raw, nullptr) == 0);
  fcntl(master_, F_SETFL, O_NONBLOCK);
  fcntl(master_, F_SETFD, FD_CLOEXEC);
  char name[64];
  REQUIRE(ttyname_r(slave_, name, sizeof name) == 0);
  std::filesystem::remove(port());
  std::filesystem::create_symlink(name, port());
  fcntl(slave_, F_SETFD, FD_CLOEXEC);
}

void ScriptedModule::unplug() {
  std::filesystem::remove(port());
  if (master_ >= 0) ::close(master_);
  if (slave_ >= 0) ::close(slave_);
  master_ = slave_ = -1;
  received_.clear();
}

void ScriptedModule::receive(int wait_ms) {
  if (master_ < 0) return;
  pollfd ready{master_, POLLIN, 0};
  if (::poll(&ready, 1, wait_ms) <= 0 || (ready.revents & POLLIN) == 0) return;
  char bytes[4096];
  const auto got = ::read(master_, bytes, sizeof bytes);
  if (got > 0) received_.append(bytes, static_cast<std::size_t>(got));
}

bool ScriptedModule::run_until(const std::function<bool()>& done) {
  for (int turn = 0; turn < kWatchdogTurns; ++turn) {
    loop_.restart();
    loop_.poll();
    if (done()) return true;
    receive(1);
  }
  return false;
}

void ScriptedModule::settle() {
  std::size_t ran = 1;
  for (int quiet = 0; quiet < 5; quiet = ran == 0 ? quiet + 1 : 0) {
    loop_.restart();
    ran = loop_.poll();
    receive(1);
  }
}

std::string ScriptedModule::next_command() {
  const auto has_line = [&] { return received_.find('\r') != std::string::npos; };
  REQUIRE_MESSAGE(run_until(has_line), "no command came; received so far: " << received_);
  const auto end = received_.find('\r');
  auto command = received_.substr(0, end);
  received_.erase(0, end + 1);
  return command;
}

void ScriptedModule::settle_deaf() {
  std::size_t ran = 1;
  for (int quiet = 0; quiet < 5; quiet = ran == 0 ? quiet + 1 : 0) {
    loop_.restart();
    ran = loop_.poll();
    ::poll(nullptr, 0, 1);
  }
}

std::string ScriptedModule::take_data(std::size_t at_least) {
  REQUIRE_MESSAGE(run_until([&] { return received_.size() >= at_least; }),
                  "of " << at_least << " bytes came " << received_.size());
  settle();
  return std::exchange(received_, {});
}

void ScriptedModule::expect(const std::string& command, const std::string& answer) {
  const auto came = next_command();
  REQUIRE(came == command);
  say(answer);
}

void ScriptedModule::say(const std::string& bytes) {
  put(bytes);
  settle();
}

void ScriptedModule::drip(const std::string& bytes) {
  // Without a pause: a millisecond for each byte would be seconds for each transcript.
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::milliseconds(kWatchdogTurns);
  for (const char byte : bytes) {
    REQUIRE(::write(master_, &byte, 1) == 1);
    while (waiting_in_slave() == 0 && std::chrono::steady_clock::now() < give_up) ::sched_yield();
    while (waiting_in_slave() > 0 && std::chrono::steady_clock::now() < give_up) {
      loop_.restart();
      loop_.poll();
    }
  }
  REQUIRE_MESSAGE(std::chrono::steady_clock::now() < give_up, "the gateway did not read all of it");
  settle();
}

void ScriptedModule::say_deaf(const std::string& bytes) {
  put(bytes);
  settle_deaf();
}

void ScriptedModule::put(const std::string& bytes) {
  // The kernel hands bytes over to the slave in its own time: wait for that, then until the gateway has read them.
  const auto before = waiting_in_slave();
  REQUIRE(::write(master_, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
  for (int turn = 0; turn < kWatchdogTurns && waiting_in_slave() < before + static_cast<int>(bytes.size()); ++turn) {
    ::poll(nullptr, 0, 1);
  }
}

int ScriptedModule::waiting_in_slave() const {
  int bytes = 0;
  REQUIRE(::ioctl(slave_, FIONREAD, &bytes) == 0);
  return bytes;
}

std::string ScriptedModule::unread() {
  settle();
  return received_;
}

}  // namespace dfota::test
