#include "gateway/install_command.hpp"

namespace dfota {
namespace {

using nlohmann::json;
using Fault = std::optional<CommandFault>;

/// The job that already brings the module to this version, and was not told to leave it alone.
const Job* job_to(const Jobs& jobs, const std::string& module, const std::string& target) {
  for (const auto& [id, job] : jobs.all()) {
    if (job->ended() || !job->command.planned() || job->stopped) continue;
    const auto* part = job->part_of(module);
    if (part != nullptr && !part->result && !part->stop && part->target == target) return job.get();
  }
  return nullptr;
}

/// Why this command would do nothing.
Fault in_vain(const UpdateCommand& command, const Jobs& jobs, const std::string& module) {
  const auto planned = jobs.dry_run(command, false);
  if (const auto* fault = std::get_if<CommandFault>(&planned)) return *fault;
  const auto& row = std::get<json>(planned).at("modules").at(0);
  const auto& reason = row.at("reason");
  if (!reason.is_null()) {
    return CommandFault{reason.at("code").get<std::string>(),
                        reason.at("meaning").get<std::string>() + ": " + reason.at("message").get<std::string>(),
                        "/target"};
  }
  if (!row.at("way").empty()) return {};
  return CommandFault{"up_to_date", "module \"" + module + "\" runs " + command.target + " already", "/target"};
}

}  // namespace

std::variant<UpdateCommand, CommandFault> read_install_command(const json& document, const Jobs& jobs,
                                                               const Jobs::Modules& modules,
                                                               const NewestReleaseOf& newest_of) {
  if (auto fault = check_command_keys(document, {"module", "target"})) return *fault;
  std::string id, target;
  if (!document.contains("module")) return invalid("/module", "is required: the id of one module");
  if (document.at("module").is_string()) id = document.at("module").get<std::string>();
  if (!is_topic_id(id)) return invalid("/module", "must be a module's id");
  if (auto fault = take_reported(document, "target", "", target)) return *fault;
  const auto module = modules.find(id);
  if (module == modules.end()) return jobs.unknown_module(id, "/module");
  const auto& identity = module->second->state().identity;
  if (target.empty()) {
    const auto* newest = newest_of(identity.model, identity.version);
    target = newest != nullptr ? newest->version : identity.version;
  }
  if (target.empty() || identity.version.empty() || identity.model.empty()) {
    return CommandFault{"version_unknown",
                        "module \"" + id + "\" has not said yet which version it runs; see its state for why",
                        "/module"};
  }
  if (const auto* running = job_to(jobs, id, target)) return running->command;
  auto parsed = parse_update_command({{"modules", {id}}, {"target", target}});
  if (const auto* command = std::get_if<UpdateCommand>(&parsed)) {
    if (auto fault = in_vain(*command, jobs, id)) return *fault;
  }
  return parsed;
}

}  // namespace dfota
