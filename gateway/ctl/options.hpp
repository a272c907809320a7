// The command line of dfota. Only options.cpp includes CLI11.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <variant>

#include "gateway/ctl/messages.hpp"

namespace dfota::ctl {

struct UpdateCall {
  UpdateRequest request;
  bool wait = true;
};

struct WatchCall {
  std::optional<std::string> job;
};

struct Options {
  std::string broker, username, password, ca_file;
  std::string root, gateway;
  bool json = false;
  std::chrono::milliseconds timeout{};  ///< for the broker and the gateway to answer; not for the update
  std::variant<UpdateCall, WatchCall> call;

  [[nodiscard]] std::string base() const { return root + "/" + gateway; }
};

/// What to do, or the exit code when there is nothing (more) to do: help and version were printed, or what is wrong
/// with the line was.
std::variant<Options, int> parse_options(int argc, const char* const* argv);

inline constexpr int kExitWell = 0;      ///< every module ended in succeeded or skipped
inline constexpr int kExitNotWell = 1;   ///< refused, or some module did not
inline constexpr int kExitUsage = 2;     ///< of the command line
inline constexpr int kExitNoAnswer = 3;  ///< no broker, or no gateway

}  // namespace dfota::ctl
