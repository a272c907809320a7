// A program with a terminal as its stdout: a pseudo-terminal of so many columns and rows, and what a person would see
// on it. A thread of its own reads; the test calls the rest.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/process.hpp"
#include "tests/support/virtual_screen.hpp"

namespace dfota::test {

class Terminal {
 public:
  Terminal(const std::vector<std::string>& argv, unsigned short width, unsigned short height);
  ~Terminal();
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  Process& process() { return *process_; }
  void resize(unsigned short width, unsigned short height);

  using Predicate = std::function<bool(const VirtualScreen& screen)>;
  bool wait_for(const Predicate& done, std::chrono::milliseconds limit = kWatchdog);
  /// Some row that is seen, or was, begins so.
  bool wait_for_row(const std::string& begin);
  [[nodiscard]] VirtualScreen screen() const;

 private:
  void read_output();

  int master_ = -1, slave_ = -1;  ///< the slave is kept open, so that reading goes on over the program's end
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  VirtualScreen screen_;
  std::unique_ptr<Process> process_;
  int stop_[2] = {-1, -1};
  std::thread reader_;
};

}  // namespace dfota::test
