#include "gateway/payloads.hpp"

#include <algorithm>
#include <map>

namespace dfota {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxModulesInState = 100;

template <class T>
json or_null(const std::optional<T>& value) {
  return value ? json(*value) : json(nullptr);
}

json text_or_null(const std::string& text) {
  return text.empty() ? json(nullptr) : json(text);
}

/// From its turn to its outcome; 0 when it never began, or a clock was set back meanwhile.
double duration_s(const Part& part) {
  if (!part.begun_at || !part.ended_at) return 0;
  constexpr double kMsPerS = 1000;
  return static_cast<double>(std::max<std::int64_t>(0, to_ms(*part.ended_at) - to_ms(*part.begun_at))) / kMsPerS;
}

}  // namespace

std::string Topics::error(const std::string& module_id, const UpdateError& error) const {
  const auto code =
      error.number ? code_class(*error.number) + "/" + std::to_string(*error.number) : "gateway/" + error.name;
  return module(module_id, "error/" + code);
}

json payload(const std::string& gateway) {
  return {{"ts", rfc3339(std::chrono::system_clock::now())}, {"gateway", gateway}};
}

Phase phase_of(const Module& module, const std::string& job) {
  const auto phase = module.state().phase;
  return !job.empty() && phase == Phase::idle ? Phase::queued : phase;
}

json module_state_payload(const std::string& gateway, const Module& module, const std::string& job,
                          const std::string& last_result, const json& last_error) {
  const auto& state = module.state();
  auto out = payload(gateway);
  out["module"] = module.config().id;
  out["port"] = text_or_null(state.port);
  out["imei"] = text_or_null(state.identity.imei);
  out["model"] = text_or_null(state.identity.model);
  out["profile"] = text_or_null(state.profile);
  out["version"] = text_or_null(state.identity.version);
  out["phase"] = to_word(phase_of(module, job));
  out["job"] = text_or_null(job);
  out["tags"] = module.config().tags;
  out["registered"] = or_null(state.registered);
  out["signal_dbm"] = or_null(state.signal_dbm);
  out["problem"] = text_or_null(state.problem);
  out["last_result"] = text_or_null(last_result);
  out["last_error"] = last_error;
  return out;
}

json scan_row(const Module& module, const std::string& problem, const std::optional<NetworkState>& network) {
  const auto& state = module.state();
  json out = {{"module", module.config().id},
              {"online", state.online},
              {"problem", text_or_null(problem)},
              {"imei", text_or_null(state.identity.imei)},
              {"model", text_or_null(state.identity.model)},
              {"version", text_or_null(state.identity.version)},
              {"registered", or_null(state.registered)},
              {"signal_dbm", or_null(state.signal_dbm)},
              {"sim", network ? text_or_null(network->sim) : json(nullptr)},
              {"network", nullptr}};
  if (network && network->problem) {
    const auto& text = explain(network->problem->finding);
    out["network"] = {
        {"code", text.word}, {"meaning", text.meaning}, {"message", network->problem->message}, {"hint", text.hint}};
  }
  return out;
}

json progress_payload(const std::string& gateway, const Job& job, const Part& part, const UpdateProgress& progress,
                      const DownloadRate::Reading& reading) {
  auto out = payload(gateway);
  out["job"] = job.id();
  out["run"] = job.run;
  out["module"] = part.module;
  out["attempt"] = progress.attempt;
  out["phase"] = to_word(progress.phase);
  out["percent"] = or_null(progress.percent);
  out["overall_percent"] = progress.overall_percent;
  out["bytes"] = or_null(reading.bytes);
  out["total_bytes"] = or_null(reading.total_bytes);
  out["bytes_per_second"] = or_null(reading.bytes_per_second);
  out["eta_s"] = or_null(reading.eta_s);
  out["hop"] = part.way.size() + 1;
  out["hops"] = std::max<std::size_t>(part.hops, part.way.size() + 1);
  return out;
}

json result_payload(const std::string& gateway, std::uint64_t seq, const Job& job, const Part& part) {
  const auto& result = *part.result;
  auto out = payload(gateway);
  out["seq"] = seq;
  out["job"] = job.id();
  out["run"] = job.run;
  out["module"] = part.module;
  out["outcome"] = to_word(result.outcome);
  const bool planned = job.command.planned();
  out["from"] = text_or_null(planned ? part.from : job.command.delta.from);
  out["to"] = text_or_null(planned ? part.target : job.command.delta.to);
  out["version"] = text_or_null(result.version);
  out["attempts"] = result.attempts;
  out["hops"] = part.hops;
  auto& way = out["way"] = json::array();
  for (const auto& hop : part.way) way.push_back(to_json(hop));
  out["duration_s"] = duration_s(part);
  out["warnings"] = result.warnings;
  out["error"] = result.error ? to_json(*result.error) : json(nullptr);
  return out;
}

json error_payload(const std::string& gateway, std::uint64_t seq, const Job& job, const std::string& module,
                   unsigned attempt, const UpdateError& error, std::optional<WallTime> next_attempt_at) {
  auto out = payload(gateway);
  out.update(to_json(error));
  out["seq"] = seq;
  out["job"] = job.id();
  out["run"] = job.run;
  out["module"] = module;
  out["attempt"] = attempt;
  out["next_attempt_at"] = next_attempt_at ? json(rfc3339(*next_attempt_at)) : json(nullptr);
  return out;
}

std::string_view part_word(const Part& part) {
  if (part.result) return to_word(part.result->outcome);
  return part.begun ? "running" : "queued";
}

json counts_of(const Job& job) {
  json counts = {{"queued", job.parts.size() - job.tally.running - job.tally.ended}, {"running", job.tally.running}};
  for (const auto outcome :
       {Outcome::succeeded, Outcome::skipped, Outcome::rejected, Outcome::failed, Outcome::canceled, Outcome::lost}) {
    counts[std::string(to_word(outcome))] = job.tally.of(outcome);
  }
  return counts;
}

json job_state_payload(const std::string& gateway, std::uint64_t seq, const Job& job) {
  auto out = payload(gateway);
  if (seq != 0) out["seq"] = seq;
  out["job"] = job.id();
  out["run"] = job.run;
  out["state"] = to_word(job.state());
  out["counts"] = counts_of(job);
  if (seq != 0 && job.parts.size() <= kMaxModulesInState) {
    auto& modules = out["modules"] = json::object();
    for (const auto& part : job.parts) modules[part->module] = part_word(*part);
  }
  return out;
}

}  // namespace dfota
