#include "gateway/ctl/option_module.hpp"

#include <CLI/CLI.hpp>

#include "gateway/ctl/option_checks.hpp"

namespace dfota::ctl {
namespace {
constexpr std::uint64_t kMostBytes = 4294967296;  // as the gateway takes it

CLI::Option* add_module(CLI::App& verb, ModuleLine& line, const char* name, const char* help) {
  return verb.add_option(name, line.module, help)->check(rule(check_module, "ID"));
}
}  // namespace

void add_module_verbs(CLI::App& app, ModuleLine& line) {
  line.ping = app.add_subcommand("ping", "ask whether the gateway is there: commands get to it, and answers back");
  line.scan = app.add_subcommand(
      "scan",
      "ask a module, or each that is idle: version, IMEI, SIM, registration, signal, and whether it could download");
  add_module(*line.scan, line, "module", "id of the module; left out: all");
  line.scan->add_flag("--force", line.force, "speak to a lost module again; somebody has looked at it");
  line.scan->add_flag("--accept", line.accept,
                      "take the module at that port for this one, although its IMEI is another");
  line.install =
      app.add_subcommand("install", "update a module to the newest version that can be reached, and watch it");
  add_module(*line.install, line, "module", "id of the module")->required();
  line.install->add_option("--target", line.target, "to this version instead");
  line.install->add_flag("--no-wait", line.no_wait, "end when the gateway has accepted it");
  line.rehearse = app.add_subcommand("rehearse",
                                     "let a module fetch a small file from the gateway, as it would a delta, and "
                                     "tell how fast that was; nothing is updated");
  add_module(*line.rehearse, line, "module", "id of the module")->required();
  line.rehearse->add_option("--size", line.size, "tell how long a delta of so many bytes would take")
      ->check(CLI::Range(std::uint64_t{1}, kMostBytes));
  for (const auto& [name, help] :
       {std::pair{"release",
                  "let go of a module's port, for a terminal of your own; nothing is written to it, and jobs "
                  "for it wait, until claim"},
        {"claim", "take the port of a released module back"}}) {
    line.hand_over.push_back(app.add_subcommand(name, help));
    add_module(*line.hand_over.back(), line, "module", "id of the module")->required();
  }
  line.transcript = app.add_subcommand(
      "transcript", "tell what was said on a module's port in its newest update, line by line, and what came of it");
  add_module(*line.transcript, line, "module", "id of the module")->required();
  line.transcript->add_option("--job", line.job, "of the update by this job")->check(rule(check_job, "JOB"));
  line.transcript->add_option("-o,--output", line.file, "write it to this file, as --json has it")->type_name("FILE");
  line.doctor = app.add_subcommand(
      "doctor",
      "prove the way from here to a module step by step (broker, rights, gateway, file server, module, SIM, "
      "network, PDP context), and say what to mend; exit code 0 only when nothing is wrong");
  add_module(*line.doctor, line, "--module", "id of the module; without it the way ends at the file server");
}

std::optional<AnyCall> module_call(const ModuleLine& line) {
  if (line.ping->parsed()) return PingCall{};
  if (line.scan->parsed()) {
    for (const auto& [option, given] : {std::pair{"--force", line.force}, {"--accept", line.accept}}) {
      if (given && !line.module) throw CLI::ValidationError(option, "needs a module");
    }
    return ScanCall{line.module, line.force, line.accept};
  }
  if (line.install->parsed()) return InstallCall{line.module.value_or(""), line.target, !line.no_wait};
  if (line.rehearse->parsed()) return RehearseCall{line.module.value_or(""), line.size};
  if (line.transcript->parsed()) return TranscriptCall{line.module.value_or(""), line.job, line.file};
  for (const CLI::App* verb : line.hand_over) {
    if (verb->parsed()) return ControlCall{verb->get_name(), {std::nullopt, line.module}};
  }
  if (line.doctor->parsed()) return DoctorCall{line.module};
  return std::nullopt;
}

}  // namespace dfota::ctl
