// What the gateway publishes, as plain structs (contract.md, "Topics"). Pure.
// Whoever may publish on the broker may have written what is read here: fields are bounded, wrong ones are left out,
// and the text is not yet fit for a terminal.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace dfota::ctl {

struct GatewayStatus {
  bool online = false;
};

struct Progress {
  std::string job, module, phase;
  std::int64_t run = 1, attempt = 1, hop = 1, hops = 1;
  std::optional<double> percent, overall_percent, bytes, total_bytes, bytes_per_second, eta_s;
};

struct ModuleResult {
  std::string job, module, outcome, from, to, version, error;
  std::int64_t run = 1, attempts = 0;
  std::optional<double> duration_s;
  std::optional<std::int64_t> seq;
  std::vector<std::string> warnings;
};

struct ModuleError {
  std::string job, module, code, error_class, source, name, meaning, message, phase, hint, next_attempt_at;
  std::int64_t run = 1, attempt = 1;
  std::optional<std::int64_t> seq;
};

struct JobState {
  std::string job, state;
  std::int64_t run = 1;
  std::map<std::string, std::int64_t> counts;
  std::map<std::string, std::string> modules;  ///< outcomes; only in the last one
};

using Message = std::variant<std::monostate, GatewayStatus, Progress, ModuleResult, ModuleError, JobState>;

/// `base` is <topic_root>/<gateway>. monostate: not for us, or not what the contract says.
Message parse_message(const std::string& base, const std::string& topic, const std::string& payload);

/// One line of printable ASCII: {"topic":...,"retained":...,"payload":...}; the payload as text where it is no JSON.
std::string json_line(const std::string& topic, const std::string& payload, bool retained);

}  // namespace dfota::ctl
