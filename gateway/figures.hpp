// What the gateway counts of itself, at one moment: plain values, taken on the loop once a second, so that nobody else
// has to look at its state. The metrics are made of them, beside what they are told as it happens. Loop thread only.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "gateway/jobs.hpp"
#include "gateway/mqtt_api.hpp"
#include "transport/file_server.hpp"

namespace dfota {

struct Figures {
  static constexpr std::size_t kPhases = static_cast<std::size_t>(Phase::verifying) + 1;
  static constexpr std::size_t kJobStates = static_cast<std::size_t>(JobState::partial) + 1;

  std::array<std::size_t, kPhases> modules{};  ///< by phase, as it is published
  std::size_t online = 0, lost = 0;            ///< of them
  std::array<std::size_t, kJobStates> jobs{};  ///< by state: those that are kept
  bool held = false;
  FileServerTotals http;
  bool mqtt_connected = false;
  std::uint64_t mqtt_connections = 0;  ///< since the start
  std::size_t outbox_rows = 0;
  std::set<std::string> problems;               ///< that last
  std::map<std::string, std::uint64_t> faults;  ///< how often each was told since the start
};

/// O(modules + jobs).
Figures figures_of(const Jobs::Modules& modules, const Jobs& jobs, const FileServer& files, const MqttApi& api);

}  // namespace dfota
