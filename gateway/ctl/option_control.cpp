#include "gateway/ctl/option_control.hpp"

#include <CLI/CLI.hpp>
#include <limits>

#include "gateway/ctl/option_checks.hpp"

namespace dfota::ctl {
namespace {
constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();

CLI::Option* add_job(CLI::App& verb, ControlLine& line) {
  return verb.add_option("job", line.job, "id of the job")->check(rule(check_job, "JOB"));
}

void add_jobs_verb(CLI::App& app, ControlLine& line, const char* name, const char* help) {
  CLI::App* verb = app.add_subcommand(name, help);
  add_job(*verb, line);
  line.subject_verbs.push_back(verb);
}

/// Of a job, or instead of a module.
void add_job_or_module_verb(CLI::App& app, ControlLine& line, const char* name, const char* help,
                            const char* module_help) {
  CLI::App* verb = app.add_subcommand(name, help);
  verb->add_option("--module", line.module, module_help)
      ->check(rule(check_module, "ID"))
      ->excludes(add_job(*verb, line));
  line.subject_verbs.push_back(verb);
}
}  // namespace

void add_control(CLI::App& app, ControlLine& line) {
  line.watch = app.add_subcommand("watch", "follow a job to its end, or all jobs until interrupted");
  add_job(*line.watch, line);
  line.jobs = app.add_subcommand("jobs", "list the jobs that the gateway knows");
  line.modules = app.add_subcommand("modules", "list the modules of the gateway");
  add_job_or_module_verb(app, line, "cancel",
                         "stop a job, or all that is to be done to a module; what was commanded and cannot be cut ends "
                         "by itself",
                         "instead of a job: a module, in every job");
  line.retry = app.add_subcommand("retry", "run the modules of a job that ended badly once more, and watch it");
  add_job(*line.retry, line)->required();
  line.retry->add_option("--run", line.run, "refuse unless this is the newest run; left out: whichever is")
      ->check(CLI::Range(std::int64_t{1}, kMost));
  line.retry->add_flag("--no-wait", line.no_wait, "end when the gateway has accepted it");
  add_jobs_verb(app, line, "pause", "let a job, or every job, begin nothing new; what was commanded goes on");
  add_jobs_verb(app, line, "resume", "let a paused job, or every job, go on");
  add_job_or_module_verb(app, line, "forget",
                         "remove what is retained of a job that has ended; it leaves the list, its id stays taken",
                         "instead of a job: a module that is not configured any more");
  line.replay = app.add_subcommand("replay", "have the gateway publish results and errors once more");
  line.replay->add_option("--after", line.after, "those with a higher seq")
      ->check(CLI::Range(std::int64_t{0}, kMost))
      ->required();
}

AnyCall control_call(const ControlLine& line) {
  if (line.jobs->parsed()) return ListCall{ListCall::Of::jobs};
  if (line.modules->parsed()) return ListCall{ListCall::Of::modules};
  if (line.replay->parsed()) return ReplayCall{line.after};
  if (line.retry->parsed()) return RetryCall{line.job.value_or(""), line.run, !line.no_wait};
  for (const CLI::App* verb : line.subject_verbs) {
    if (!verb->parsed()) continue;
    const std::string& name = verb->get_name();
    if ((name == "cancel" || name == "forget") && !line.job && !line.module) {
      throw CLI::ValidationError(name, "a job or --module is needed");
    }
    return ControlCall{name, {line.job, line.module}};
  }
  return WatchCall{line.job};
}

}  // namespace dfota::ctl
