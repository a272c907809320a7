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

}  // namespace

std::string_view to_word(JobState state) {
  return kStates[static_cast<std::size_t>(state)];
}

bool Job::all_parts_ended() const {
  return std::all_of(parts.begin(), parts.end(), [](const auto& part) { return part->result.has_value(); });
}

JobState verdict(const Job& job) {
  const auto count = [&](auto... outcomes) {
    return static_cast<std::size_t>(std::count_if(job.parts.begin(), job.parts.end(), [&](const auto& part) {
      return part->result && ((part->result->outcome == outcomes) || ...);
    }));
  };
  const auto all = job.parts.size();
  const auto good = count(Outcome::succeeded, Outcome::skipped);
  if (good == all) return JobState::succeeded;
  if (count(Outcome::canceled) > 0 && good + count(Outcome::canceled) == all) return JobState::canceled;
  if (count(Outcome::rejected) == all) return JobState::rejected;
  return good == 0 ? JobState::failed : JobState::partial;
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
              {"state", to_word(job.state)},
              {"final_seq", job.final_seq}};
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
  if (part.begun_at) out["begun_at_ms"] = to_ms(*part.begun_at);
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
  job.run = from.at("run");
  job.accepted_at = from_ms(from.at("accepted_at_ms"));
  job.state = state_from_word(from.at("state"));
  job.final_seq = from.at("final_seq");
  for (const auto& module : from.at("modules")) {
    job.parts.push_back(std::make_unique<Part>());
    job.parts.back()->module = module;
  }
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
  if (from.contains("begun_at_ms")) part.begun_at = from_ms(from.at("begun_at_ms"));
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
