// A module that says only what the test makes it say, on a real pseudo-terminal behind a stable name. It can hang up
// and come back. The test's thread runs the loop; waits are for conditions, bounded by a watchdog, never for time.
#pragma once

#include <asio/io_context.hpp>
#include <filesystem>
#include <functional>
#include <string>

namespace dfota::test {

class ScriptedModule {
 public:
  ScriptedModule(asio::io_context& loop, std::filesystem::path directory);
  ~ScriptedModule();
  ScriptedModule(const ScriptedModule&) = delete;
  ScriptedModule& operator=(const ScriptedModule&) = delete;

  [[nodiscard]] std::string port() const { return (directory_ / "m0").string(); }
  void plug();    ///< a new pseudo-terminal behind the name
  void unplug();  ///< the name goes, the host sees a hang-up

  /// The next command that the gateway writes (without its CR); fails the test when none comes.
  std::string next_command();
  /// Checks the command, echoes nothing, and answers.
  void expect(const std::string& command, const std::string& answer);
  /// What the gateway writes as data: waits for `at_least` bytes, takes all that come until it pauses. Fails the test
  /// when fewer come.
  std::string take_data(std::size_t at_least);
  /// Bytes as they are; use \r\n yourself. Returns when the gateway has read them.
  void say(const std::string& bytes);
  /// As say, byte by byte: the gateway has read each before the next is written.
  void drip(const std::string& bytes);
  /// As say, but reads nothing of what the gateway writes meanwhile.
  void say_deaf(const std::string& bytes);
  /// Runs the loop until `done`; false when the watchdog bites.
  bool run_until(const std::function<bool()>& done);
  /// Runs the loop until nothing is ready any more.
  void settle();
  /// Runs the loop until nothing is ready any more, and reads nothing of what the gateway writes.
  void settle_deaf();
  /// All that was received and not consumed by next_command(): "" is silence.
  [[nodiscard]] std::string unread();

 private:
  void receive(int wait_ms);
  void put(const std::string& bytes);  ///< into the line; the gateway has not read them yet
  [[nodiscard]] int waiting_in_slave() const;

  asio::io_context& loop_;
  std::filesystem::path directory_;
  int master_ = -1;
  int slave_ = -1;  ///< ours, to see what waits there
  std::string received_;
};

}  // namespace dfota::test
