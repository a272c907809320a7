#include "gateway/job.hpp"

#include <algorithm>
#include <array>

#include "gateway/json_guard.hpp"

namespace dfota {
namespace {

using nlohmann::json;

constexpr std::array<std::string_view, 8> kStates = {"queued",   "running",  "paused", "succeeded",
                                                     "canceled", "rejected", "failed", "partial"};
JobState state_from_word(const std::string& word) {
  const auto found = std::find(kStates.begin(), kStates.end(), word);
  if (found == kStates.end()) throw std::invalid_argument(word);
  return static_cast<JobState>(found - kStates.begin());
}

UpdateError error_from_json(const json& from) {
  UpdateError error;
  if (from.at("code").is_number()) error.number = from.at("code").get<int>();
  error.source = from.at("source");
  error.name = from.at("name");
  error.meaning = from.at("meaning");
  error.hint = from.at("hint");
  error.message = from.at("message");
  error.phase = phase_from_word(from.at("phase").get<std::string>()).value();
  error.retryable = from.at("retryable");
  return error;
}

std::optional<ServiceTime::Instant> instant(const json& from, const char* key) {
  if (!from.contains(key)) return std::nullopt;
  return ServiceTime::Instant(from.at(key).get<std::int64_t>());
}

void take_way(const json& from, Part& part) {
  part.target = from.value("target", "");
  part.from = from.value("from", "");
  for (const auto& hop : from.value("way", json::array())) {
    part.way.push_back({hop.at("artifact"), hop.at("from"), hop.at("to"), hop.at("attempts"), hop.at("duration_s")});
  }
  part.warnings = from.value("warnings", std::vector<std::string>());
  part.hops = from.value("hops", 1u);
  part.hop_begun_at = instant(from, "hop_begun_at");
  if (from.contains("hop")) part.hop = std::get<Manifest>(parse_manifest(from.at("hop"), true));
}

}  // namespace

std::string_view to_word(JobState state) {
  return kStates[static_cast<std::size_t>(state)];
}

JobState Job::state() const {
  if (verdict) return *verdict;
  if (paused) return JobState::paused;
  return tally.begun || tally.ended > 0 ? JobState::running : JobState::queued;
}

Part* Job::part_of(const std::string& module) const {
  const auto found = std::find_if(parts.begin(), parts.end(), [&](const auto& part) { return part->module == module; });
  return found == parts.end() ? nullptr : found->get();
}

const Manifest* Job::delta_of(const Part& part) const {
  if (!command.planned()) return &command.delta;
  return part.hop ? &*part.hop : nullptr;
}

unsigned Part::attempts_before() const {
  unsigned sum = 0;
  for (const auto& hop : way) sum += hop.attempts;
  return sum;
}

void Job::add_part(const std::string& module) {
  parts.push_back(std::make_unique<Part>());
  parts.back()->module = module;
}

void Job::begin(Part& part) {
  part.begun = tally.begun = true;
  ++tally.running;
}

void Job::end(Part& part, UpdateResult result) {
  if (part.begun) --tally.running;
  ++tally.ended;
  ++tally.outcomes[static_cast<std::size_t>(result.outcome)];
  part.result = std::move(result);
}

void Job::count_again() {
  tally = Tally();
  for (const auto& part : parts) {
    tally.begun = tally.begun || part->begun || part->begun_at;
    if (part->result) {
      ++tally.ended;
      ++tally.outcomes[static_cast<std::size_t>(part->result->outcome)];
    } else if (part->begun) {
      ++tally.running;
    }
  }
}

JobState verdict_of(const Job& job) {
  const auto& tally = job.tally;
  const auto all = job.parts.size();
  const auto good = tally.of(Outcome::succeeded) + tally.of(Outcome::skipped), canceled = tally.of(Outcome::canceled);
  if (good == all) return JobState::succeeded;
  if (canceled > 0 && good + canceled == all) return JobState::canceled;
  if (tally.of(Outcome::rejected) == all) return JobState::rejected;
  return good == 0 ? JobState::failed : JobState::partial;
}

json to_json(const Hop& hop) {
  return {{"artifact", hop.artifact},
          {"from", hop.from},
          {"to", hop.to},
          {"attempts", hop.attempts},
          {"duration_s", hop.duration_s}};
}

json to_json(const UpdateError& error) {
  json out;
  if (error.number) {
    out["code"] = *error.number;
    out["class"] = code_class(*error.number);
  } else {
    out["code"] = error.name;
    out["class"] = "gateway";
  }
  out["source"] = error.source;
  out["name"] = error.name;
  out["meaning"] = error.meaning;
  out["hint"] = error.hint;
  out["message"] = error.message;
  out["phase"] = to_word(error.phase);
  out["retryable"] = error.retryable;
  return out;
}

std::string to_document(const Job& job) {
  json out = {{"id", job.id()},
              {"run", job.run},
              {"body", job.command.body},
              {"accepted_at_ms", to_ms(job.accepted_at)},
              {"final_seq", job.final_seq}};
  // What the manifest said when the job was accepted; what the job itself says is in its body.
  if (!job.command.delta.model.empty() && job.command.delta.size) out["delta"] = to_json(job.command.delta);
  if (job.expires_at) out["expires_at"] = job.expires_at->count();
  if (job.paused) out["paused"] = true;
  if (job.verdict) out["state"] = to_word(*job.verdict);
  if (job.ended_at) out["ended_at_ms"] = to_ms(*job.ended_at);
  auto& modules = out["modules"] = json::array();
  for (const auto& part : job.parts) modules.push_back(part->module);
  return dump(out);
}

std::string to_document(const Part& part) {
  json out = {{"module", part.module},
              {"step", to_word(part.checkpoint.step)},
              {"attempt", part.checkpoint.attempt},
              {"token", part.checkpoint.token},
              {"profile", part.checkpoint.profile}};
  if (part.checkpoint.uploading) out["uploading"] = true;
  if (!part.target.empty()) out["target"] = part.target;
  if (!part.from.empty()) out["from"] = part.from;
  for (const auto& hop : part.way) out["way"].push_back(to_json(hop));
  if (!part.warnings.empty()) out["warnings"] = part.warnings;
  if (part.hop) out["hop"] = to_json(*part.hop);
  if (part.hop_begun_at) out["hop_begun_at"] = part.hop_begun_at->count();
  if (part.hops != 1) out["hops"] = part.hops;
  if (part.begun_at) out["begun_at_ms"] = to_ms(*part.begun_at);
  if (part.ended_at) out["ended_at_ms"] = to_ms(*part.ended_at);
  if (part.step_at) out["step_at"] = part.step_at->count();
  if (part.next_attempt_at) out["next_attempt_at"] = part.next_attempt_at->count();
  if (part.stop) out["stop"] = to_word(*part.stop);
  if (part.result) {
    const auto& result = *part.result;
    auto& into = out["result"];
    into = {{"outcome", to_word(result.outcome)},
            {"version", result.version},
            {"attempts", result.attempts},
            {"warnings", result.warnings}};
    if (result.error) into["error"] = to_json(*result.error);
  }
  return dump(out);
}

std::optional<Job> job_from_document(const std::string& document) try {
  const auto from = json::parse(document);
  auto parsed = parse_update_command(json::parse(from.at("body").get<std::string>()));
  if (!std::holds_alternative<UpdateCommand>(parsed)) return std::nullopt;
  Job job;
  job.command = std::move(std::get<UpdateCommand>(parsed));
  job.command.job = from.at("id");
  if (from.contains("delta")) {
    auto delta = parse_manifest(from.at("delta"), true);
    if (auto* manifest = std::get_if<Manifest>(&delta)) job.command.delta = std::move(*manifest);
  }
  job.run = from.at("run");
  job.accepted_at = from_ms(from.at("accepted_at_ms"));
  job.final_seq = from.at("final_seq");
  job.expires_at = instant(from, "expires_at");
  job.paused = from.value("paused", false);
  if (job.final_seq != 0) job.verdict = state_from_word(from.at("state"));
  if (from.contains("ended_at_ms")) job.ended_at = from_ms(from.at("ended_at_ms"));
  for (const auto& module : from.at("modules")) job.add_part(module);
  return job;
} catch (const std::exception&) {
  return std::nullopt;
}

std::optional<Part> part_from_document(const std::string& document) try {
  const auto from = json::parse(document);
  Part part;
  part.module = from.at("module");
  part.checkpoint.step = step_from_word(from.at("step").get<std::string>()).value();
  part.checkpoint.attempt = from.at("attempt");
  part.checkpoint.token = from.at("token");
  part.checkpoint.profile = from.value("profile", "");
  part.checkpoint.uploading = from.value("uploading", false);
  take_way(from, part);
  if (from.contains("begun_at_ms")) part.begun_at = from_ms(from.at("begun_at_ms"));
  if (from.contains("ended_at_ms")) part.ended_at = from_ms(from.at("ended_at_ms"));
  part.step_at = instant(from, "step_at");
  part.next_attempt_at = instant(from, "next_attempt_at");
  if (from.contains("stop")) part.stop = stop_from_word(from.at("stop").get<std::string>()).value();
  if (from.contains("result")) {
    const auto& in = from.at("result");
    UpdateResult result;
    result.outcome = outcome_from_word(in.at("outcome").get<std::string>()).value();
    result.version = in.at("version");
    result.attempts = in.at("attempts");
    result.warnings = in.at("warnings").get<std::vector<std::string>>();
    if (in.contains("error")) result.error = error_from_json(in.at("error"));
    part.result = std::move(result);
  }
  return part;
} catch (const std::exception&) {
  return std::nullopt;
}

}  // namespace dfota
