// A running dfota-rack and its log, which is the evidence in the integration tests: what the modules were told, asked
// for and heard, in their own words. The test's thread calls everything.
#pragma once

#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/process.hpp"
#include "tests/support/temp_dir.hpp"

namespace dfota::test {

/// A recording that tests/transcripts keeps, by its name.
std::string kept_transcript(const std::string& name);
/// Where the build has put the program. Throws when it is not there.
std::string program(const std::string& name);

class Rack {
 public:
  using Json = nlohmann::json;
  using Predicate = std::function<bool(const Json& event)>;

  struct Options {
    int modules = 1;
    double speed = 20;
    int baud = 0;                     ///< of the ports; 0: as fast as they are
    bool tcp = false;                 ///< ports over TCP, as ser2net offers them
    std::vector<std::string> faults;  ///< as --fault takes them
    std::string version;              ///< empty: the family's own
    std::string model;                ///< empty: the rack's own
    std::string profiles_dir;         ///< empty: the built-in families only
    std::string efs;                  ///< a package for AT+QFOTADL=1; empty: none
    /// Transcripts that are played, each as one more module behind the simulated ones (of which there may be none).
    std::vector<std::string> replays;
    double replay_speed = 20;
    [[nodiscard]] int all() const { return modules + static_cast<int>(replays.size()); }
    /// Called with the rack's directory before the rack starts: what its modules have in their file systems.
    std::function<void(const std::filesystem::path& dir)> prepare;
  };

  /// Returns when every port stands.
  explicit Rack(const Options& options);

  [[nodiscard]] const std::filesystem::path& dir() const { return dir_.path(); }
  /// What the gateway opens.
  [[nodiscard]] std::string port(int module) const { return ports_.at(static_cast<std::size_t>(module)); }
  /// All of the log so far.
  const std::vector<Json>& events();
  std::vector<Json> events(const std::string& module, const std::string& event);
  /// The first event that fits, of those that were or will be; nothing when the watchdog bites.
  std::optional<Json> wait_for(const Predicate& fits, std::chrono::milliseconds limit = kWatchdog);
  std::optional<Json> wait_for(const std::string& module, const std::string& event);
  bool wait_for_urc(const std::string& module, const std::string& text);

  /// Ends the rack: from then on its log is whole, with a summary for each module.
  void stop();
  /// From the summaries; after stop().
  int qfotadl(const std::string& module);
  std::string version(const std::string& module);
  /// What the host wrote while the module flashed; after stop().
  std::vector<std::string> written_while_flashing(const std::string& module);

 private:
  void parse(const std::string& text);
  Json summary(const std::string& module);

  TempDir dir_;
  std::unique_ptr<Process> process_;
  std::vector<std::string> ports_;
  std::vector<Json> events_;
  std::size_t parsed_bytes_ = 0;
};

}  // namespace dfota::test
