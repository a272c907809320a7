#include "gateway/ctl/option_update.hpp"

#include <CLI/CLI.hpp>

#include "gateway/ctl/option_checks.hpp"

namespace dfota::ctl {
namespace {
constexpr std::int64_t kMostModules = 10000;

void add_selection(CLI::App& update, UpdateRequest& request) {
  auto* modules = update.add_option("--modules", request.modules, "ids, or all")->delimiter(',');
  auto* tag = update.add_option("--tag", request.tag, "the modules with this tag");
  auto* model = update.add_option("--model", request.model, "the modules of this model");
  auto* version = update.add_option("--version", request.version, "... that report this version");
  modules->excludes(tag)->excludes(model);
  tag->excludes(model);
  version->needs(model);
}

void add_delta(CLI::App& update, UpdateRequest& request) {
  update
      .add_option("--delivery", request.delivery,
                  "http, ftp, upload: the gateway brings the delta; url, file: it does not")
      ->check(CLI::IsMember({"http", "ftp", "upload", "url", "file"}))
      ->capture_default_str();
  update.add_option("--url", request.url,
                    "of the delta; with --delivery url as the module fetches it, http:// or ftp://");
  update.add_option("--sha256", request.sha256, "of the delta");
  update.add_option("--file", request.file, "with --delivery file: the delta in the module, UFS:delta.bin");
  update.add_option("--size", request.size, "of the delta, in bytes")->check(CLI::PositiveNumber);
  update.add_option("--artifact", request.artifact,
                    "a delta in the gateway's cache, by its name (dfota artifact list)");
  update.add_option("--from", request.from, "the version that the delta starts from");
  update.add_option("--to", request.to, "the version that it leads to");
  update.add_option("--target", request.target,
                    "the gateway plans each module's way to this version, over several deltas if need be");
  update.add_flag("--rollback", request.rollback, "back to the version before each module's last succeeded job");
  update.add_flag("--allow-downgrade", request.allow_downgrade,
                  "also to an older version, or where nothing says which is newer");
  update.add_flag("--dry-run", request.dry_run, "show what would be done with each module, and do nothing");
}

/// How many at once, when, and what stops it.
void add_course(CLI::App& update, UpdateLine& line) {
  UpdateRequest& request = line.request;
  const CLI::Range count(std::int64_t{1}, kMostModules);
  update.add_option("--attempts", request.attempts, "for each module")->check(CLI::Range(1, 10));
  update.add_option("--max-parallel", request.max_parallel, "so many modules at once")->check(count);
  update
      .add_option("--canary", request.canary,
                  "the first so many modules that really run must succeed before the others begin")
      ->check(count);
  update
      .add_option("--abort-after-failures", request.abort_after_failures,
                  "the job stops when so many modules have failed")
      ->check(count);
  update.add_option("--absent", request.absent, "a module that is not there: fail (the default) or wait for it")
      ->check(CLI::IsMember({"fail", "wait"}));
  update.add_option("--not-before", request.not_before, "nothing begins earlier: 2026-03-01T22:00:00Z")
      ->check(rule(check_time, "TIME"));
  update.add_option("--expires", request.expires, "nothing is commanded later; the default is in 7 days")
      ->check(rule(check_time, "TIME"));
  update
      .add_option("--window", line.window,
                  "begin between these only, local time of the gateway, over midnight if need be")
      ->check(rule(check_window, "HH:MM-HH:MM"));
}

/// Which deltas the gateway finds out. Throws CLI::ValidationError.
void check_plan(const UpdateRequest& request) {
  const std::string form = request.rollback ? "--rollback" : "--target";
  if (request.rollback && !request.target.empty())
    throw CLI::ValidationError("--target", "has no meaning with --rollback");
  if (request.delivery == "url" || request.delivery == "file")
    throw CLI::ValidationError("--delivery", "must be http, ftp or upload with " + form);
  for (const auto& [option, value] : {std::pair{"--url", request.url},
                                      {"--sha256", request.sha256},
                                      {"--file", request.file},
                                      {"--artifact", request.artifact},
                                      {"--from", request.from},
                                      {"--to", request.to}}) {
    if (!value.empty()) throw CLI::ValidationError(option, "has no meaning with " + form);
  }
}

/// A delta in the cache says by itself what it is. Throws CLI::ValidationError.
void check_artifact(const UpdateRequest& request) {
  if (request.delivery == "url" || request.delivery == "file")
    throw CLI::ValidationError("--artifact", "has no meaning with --delivery " + request.delivery);
  for (const auto& [option, value] :
       {std::pair{"--url", request.url}, {"--sha256", request.sha256}, {"--file", request.file}}) {
    if (!value.empty()) throw CLI::ValidationError(option, "has no meaning with --artifact");
  }
}

/// Each delivery names the delta in its own way. Throws CLI::ValidationError.
void check_delivery(const UpdateRequest& request) {
  for (const auto& [option, value] : {std::pair{"--from", request.from}, {"--to", request.to}}) {
    if (value.empty()) throw CLI::ValidationError(option, "is needed, or --artifact, --target or --rollback");
  }
  struct Need {
    const char* option;
    const std::string& value;
    bool wanted;
  };
  const bool url = request.delivery == "url", file = request.delivery == "file";
  for (const auto& need : {Need{"--url", request.url, !file}, Need{"--sha256", request.sha256, !file && !url},
                           Need{"--file", request.file, file}}) {
    if (need.value.empty() != need.wanted) continue;
    throw CLI::ValidationError(need.option, std::string(need.wanted ? "is needed" : "has no meaning") +
                                                " with --delivery " + request.delivery);
  }
  if (request.size && (url || file)) {
    throw CLI::ValidationError("--size", "has no meaning with --delivery " + request.delivery);
  }
}
}  // namespace

void add_update(CLI::App& app, UpdateLine& line) {
  line.verb = app.add_subcommand("update", "update modules over the air, and watch it");
  CLI::App& update = *line.verb;
  add_selection(update, line.request);
  add_delta(update, line.request);
  update.add_option("--job", line.request.job, "id of the job; the gateway makes one otherwise")
      ->check(rule(check_job, "ID"));
  add_course(update, line);
  auto* no_wait = update.add_flag("--no-wait", line.no_wait, "end when the gateway has accepted the job");
  update.add_flag("--watch", line.watch, "follow the job to its end, which it does anyway")->excludes(no_wait);
}

UpdateCall update_call(const UpdateLine& line) {
  UpdateCall call{line.request, !line.no_wait};
  if (call.request.modules.empty() && !call.request.tag && !call.request.model) {
    throw CLI::ValidationError("update", "one of --modules, --tag and --model is needed");
  }
  if (call.request.rollback || !call.request.target.empty()) {
    check_plan(call.request);
  } else if (!call.request.artifact.empty()) {
    check_artifact(call.request);
  } else {
    check_delivery(call.request);
  }
  if (line.window) call.request.window = window_of(*line.window);
  return call;
}

}  // namespace dfota::ctl
