// The command line of dfota: which verb, with what. No I/O but help, version and what is wrong with the line.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <variant>

#include "gateway/ctl/artifact_file.hpp"
#include "gateway/ctl/requests.hpp"

namespace CLI {
class App;
}

namespace dfota::ctl {

struct UpdateCall {
  UpdateRequest request;
  bool wait = true;
};

struct WatchCall {
  std::optional<std::string> job;
};

struct RetryCall {
  std::string job;
  std::optional<std::int64_t> run;  ///< nullopt: the newest
  bool wait = true;
};

/// cancel, pause, resume, forget, release, claim
struct ControlCall {
  std::string verb;
  Subject subject;
};

struct ListCall {
  enum class Of { jobs, modules } of = Of::jobs;
};

struct ReplayCall {
  std::int64_t after = 0;  ///< a seq
};

/// artifact list
struct ArtifactListCall {};

/// artifact remove
struct ArtifactRemoveCall {
  std::string name;
};

struct InstallCall {
  std::string module;
  std::optional<std::string> target;  ///< nullopt: the newest that can be reached
  bool wait = true;
};

struct PingCall {};

struct ScanCall {
  std::optional<std::string> module;  ///< nullopt: all
  bool force = false, accept = false;
};

struct RehearseCall {
  std::string module;
  std::optional<std::uint64_t> size;  ///< of a delta whose time is wanted, in bytes
};

struct TranscriptCall {
  std::string module;
  std::optional<std::string> job;  ///< nullopt: of the newest update
  std::string file;                ///< that it goes to; empty: stdout
};

struct DoctorCall {
  std::optional<std::string> module;
};

/// Needs no broker; nullopt: all codes.
struct ExplainCall {
  std::optional<std::string> code;
};

using AnyCall = std::variant<UpdateCall, WatchCall, RetryCall, ControlCall, ListCall, ReplayCall, ArtifactAddCall,
                             ArtifactListCall, ArtifactRemoveCall, InstallCall, PingCall, ScanCall, RehearseCall,
                             TranscriptCall, DoctorCall, ExplainCall>;

struct Options {
  std::string broker, username, password, ca_file, cert_file, key_file;
  int mqtt_version = 5;       ///< or 3 for 3.1.1
  std::string root, gateway;  ///< gateway "all": every one below the root
  bool json = false;
  std::chrono::milliseconds timeout{};   ///< for the broker and the gateway to answer; not for the update
  std::chrono::milliseconds patience{};  ///< for an answer that may take the gateway long: an hour, or --timeout
  AnyCall call;

  [[nodiscard]] bool is_fleet() const { return gateway == "all"; }
  /// What stands before the names of that gateway's modules and jobs.
  [[nodiscard]] std::string prefix(const std::string& of) const { return is_fleet() ? of + "/" : ""; }
  /// Where commands go to, and where what is published comes from: a filter, of a fleet.
  [[nodiscard]] std::string base() const { return root + "/" + gateway; }
  [[nodiscard]] std::string heard_base() const { return root + "/" + (is_fleet() ? "+" : gateway); }
};

/// What to do, or the exit code when there is nothing (more) to do: help and version were printed, or what is wrong
/// with the line was.
std::variant<Options, int> parse_options(int argc, const char* const* argv);

/// Shows the command line, fully declared, to who writes of it.
void with_command_line(const std::function<void(const CLI::App&)>& reader);

inline constexpr int kExitWell = 0;     ///< done; of a job that is followed: every module ended in succeeded or skipped
inline constexpr int kExitNotWell = 1;  ///< refused, or some module did not
inline constexpr int kExitUsage = 2;    ///< of the command line, or of dfota.toml
inline constexpr int kExitNoAnswer = 3;  ///< no broker, one that does not let us in, or no gateway

}  // namespace dfota::ctl
