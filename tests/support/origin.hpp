// The HTTP server that a gateway fetches its deltas from: on a free loopback port, inside the test's process, on a
// thread of its own. It counts what it was asked for.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <thread>

namespace dfota::test {

class Origin {
 public:
  Origin();
  ~Origin();
  Origin(const Origin&) = delete;
  Origin& operator=(const Origin&) = delete;

  /// `path` begins with a slash. All else is answered by 404.
  void serve(const std::string& path, std::string content);
  [[nodiscard]] std::string url(const std::string& path) const;
  [[nodiscard]] int requests(const std::string& path) const;

 private:
  void run();
  void answer(int connection);

  int listener_ = -1;
  int stop_[2] = {-1, -1};
  std::uint16_t port_ = 0;
  mutable std::mutex mutex_;
  std::map<std::string, std::string> files_;
  std::map<std::string, int> requests_;
  std::thread thread_;
};

}  // namespace dfota::test
