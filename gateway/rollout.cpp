#include "gateway/rollout.hpp"

#include <algorithm>
#include <array>
#include <ctime>

#include "gateway/job.hpp"

namespace dfota {
namespace {

using nlohmann::json;
using Fault = std::optional<CommandFault>;

constexpr unsigned kMostModules = 10000;
constexpr unsigned kMinutesOfHour = 60;

Fault take_time(const json& document, const char* key, std::optional<WallTime>& into) {
  if (!document.contains(key)) return {};
  const auto& value = document.at(key);
  if (value.is_string()) into = parse_rfc3339(value.get<std::string>());
  if (!into) return invalid(std::string("/") + key, "must be a time as RFC 3339 has it: \"2026-03-01T12:00:00Z\"");
  return {};
}

/// "05:00" to minutes after midnight.
std::optional<unsigned> minutes_of(const json& text) {
  if (!text.is_string()) return std::nullopt;
  const auto value = text.get<std::string>();
  const auto digit = [&](std::size_t at) { return value[at] >= '0' && value[at] <= '9'; };
  if (value.size() != 5 || value[2] != ':' || !digit(0) || !digit(1) || !digit(3) || !digit(4)) return std::nullopt;
  const auto number = [&](std::size_t at) {
    return static_cast<unsigned>((value[at] - '0') * 10 + (value[at + 1] - '0'));
  };
  if (number(0) > 23 || number(3) > 59) return std::nullopt;
  return number(0) * kMinutesOfHour + number(3);
}

Fault take_window(const json& document, std::optional<DailyWindow>& into) {
  if (!document.contains("window")) return {};
  const auto& window = document.at("window");
  if (!window.is_object()) return invalid("/window", "must be {\"start\": \"01:00\", \"end\": \"05:00\"}");
  for (const auto& [key, value] : window.items()) {
    if (key != "start" && key != "end") {
      return unknown_key("/window", key);
    }
  }
  into.emplace();
  for (const auto& [key, field] : {std::pair{"start", &into->start}, {"end", &into->end}}) {
    const auto minutes = window.contains(key) ? minutes_of(window.at(key)) : std::nullopt;
    if (!minutes) return invalid(std::string("/window/") + key, "is required: a time of the day from 00:00 to 23:59");
    *field = *minutes;
  }
  if (into->start == into->end)
    return invalid("/window/end", "is the window's start: leave the window out for all day");
  return {};
}

constexpr std::array<std::string_view, 5> kStops = {"canceled", "expired", "canary_failed", "too_many_failures",
                                                    "module_lost_in_job"};

}  // namespace

std::string_view to_word(Stop stop) {
  return kStops[static_cast<std::size_t>(stop)];
}

std::optional<Stop> stop_from_word(std::string_view word) {
  const auto found = std::find(kStops.begin(), kStops.end(), word);
  if (found == kStops.end()) return std::nullopt;
  return static_cast<Stop>(found - kStops.begin());
}

std::optional<Finding> finding_of(Stop stop) {
  switch (stop) {
    case Stop::canceled:
      return std::nullopt;
    case Stop::expired:
      return Finding::expired;
    case Stop::canary_failed:
      return Finding::canary_failed;
    case Stop::too_many_failures:
      return Finding::too_many_failures;
    case Stop::module_lost_in_job:
      return Finding::module_lost_in_job;
  }
  return std::nullopt;
}

Fault take_rollout(const json& document, Rollout& rollout) {
  if (auto fault = take_whole_number(document, "max_parallel", 1, kMostModules, rollout.max_parallel)) return fault;
  if (auto fault = take_whole_number(document, "canary", 1, kMostModules, rollout.canary)) return fault;
  if (auto fault = take_whole_number(document, "abort_after_failures", 1, kMostModules, rollout.abort_after_failures))
    return fault;
  if (document.contains("absent")) {
    const auto& absent = document.at("absent");
    if (absent != "fail" && absent != "wait") return invalid("/absent", "must be \"fail\" or \"wait\"");
    rollout.wait_for_absent = absent == "wait";
  }
  if (auto fault = take_time(document, "not_before", rollout.not_before)) return fault;
  if (auto fault = take_time(document, "expires", rollout.expires)) return fault;
  if (rollout.not_before && rollout.expires && *rollout.expires <= *rollout.not_before) {
    return invalid("/expires", "is not after not_before: nothing could ever begin");
  }
  return take_window(document, rollout.window);
}

bool is_open(const DailyWindow& window, WallTime at) {
  const std::time_t time = std::chrono::system_clock::to_time_t(at);
  std::tm local{};
  localtime_r(&time, &local);
  const auto now = static_cast<unsigned>(local.tm_hour) * kMinutesOfHour + static_cast<unsigned>(local.tm_min);
  if (window.start < window.end) return window.start <= now && now < window.end;
  return window.start <= now || now < window.end;
}

bool clock_allows(const Rollout& rollout, std::optional<WallTime> now) {
  if (!rollout.has_clock()) return true;
  if (!now) return false;
  return (!rollout.not_before || *rollout.not_before <= *now) && (!rollout.window || is_open(*rollout.window, *now));
}

bool may_begin_another(const Job& job) {
  const auto& rollout = job.command.rollout;
  const auto running = job.tally.running, proved = job.tally.of(Outcome::succeeded);
  if (rollout.max_parallel != 0 && running >= rollout.max_parallel) return false;
  return proved >= rollout.canary || running < rollout.canary - proved;
}

std::optional<Stop> reason_to_stop(const Job& job) {
  const auto& rollout = job.command.rollout;
  const auto lost = job.tally.of(Outcome::lost), failed = job.tally.of(Outcome::failed) + lost;
  if (lost > 0) return Stop::module_lost_in_job;
  if (failed > 0 && job.tally.of(Outcome::succeeded) < rollout.canary) return Stop::canary_failed;
  if (rollout.abort_after_failures != 0 && failed >= rollout.abort_after_failures) return Stop::too_many_failures;
  return std::nullopt;
}

}  // namespace dfota
