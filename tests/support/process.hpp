// A program that a test starts: its stdout and stderr are collected as they come, and it is ended by its pid, at the
// latest with this object. A thread of its own reads the output; everything here may be called from any thread.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace dfota::test {

/// How long a test waits for something that must happen: long enough for a loaded machine under sanitizers.
inline constexpr std::chrono::seconds kWatchdog{60};

class Process {
 public:
  using Environment = std::vector<std::pair<std::string, std::string>>;  ///< added to ours

  /// argv[0] is looked up in PATH (and /usr/sbin). Throws when it cannot be started.
  explicit Process(std::vector<std::string> argv, const Environment& environment = {});
  ~Process();  ///< terminate()
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  [[nodiscard]] pid_t pid() const { return pid_; }
  void signal(int number) const;

  /// Exit code, or 128 + the signal that ended it; nothing when it still runs at the deadline.
  std::optional<int> wait(std::chrono::milliseconds limit = kWatchdog);

  /// SIGTERM, and SIGKILL when that is not heeded within `patience`. What wait() says.
  int terminate(std::chrono::milliseconds patience = std::chrono::seconds(15));
  int kill();

  [[nodiscard]] std::string out() const;  ///< stdout so far
  [[nodiscard]] std::string err() const;
  bool wait_for_out(const std::string& text, std::chrono::milliseconds limit = kWatchdog);
  bool wait_for_err(const std::string& text, std::chrono::milliseconds limit = kWatchdog);
  /// Until `done` is true of all that was written so far; it is asked again when more has come. False: never was.
  using Predicate = std::function<bool(const std::string&)>;
  bool wait_for_out(const Predicate& done, std::chrono::milliseconds limit = kWatchdog);
  bool wait_for_err(const Predicate& done, std::chrono::milliseconds limit = kWatchdog);

 private:
  void read_output(int out, int err);
  bool wait_for(const std::string& stream, const Predicate& done, std::chrono::milliseconds limit);

  pid_t pid_ = -1;
  int pidfd_ = -1;
  std::optional<int> exit_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::string out_, err_;
  bool open_ = true;
  std::thread reader_;
  int stop_[2] = {-1, -1};
};

/// A TCP port on loopback that was free a moment ago, for a program that cannot be told 0. It lies below those that the
/// kernel gives to connections, so that it stays free while its program is being restarted.
std::uint16_t free_port();

}  // namespace dfota::test
