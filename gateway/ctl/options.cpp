#include "gateway/ctl/options.hpp"

#include <CLI/CLI.hpp>
#include <iostream>

#include "gateway/ctl/option_artifact.hpp"
#include "gateway/ctl/option_broker.hpp"
#include "gateway/ctl/option_checks.hpp"
#include "gateway/ctl/option_control.hpp"
#include "gateway/ctl/option_explain.hpp"
#include "gateway/ctl/option_module.hpp"
#include "gateway/ctl/option_update.hpp"

namespace dfota::ctl {
namespace {
constexpr double kDefaultTimeout = 10, kLongestTimeout = 3600;
constexpr std::chrono::hours kPatience{1};

const char* const kFooter =
    "Exit code: 0 done, and of update, install, retry and watch: every module ended in succeeded or skipped; 1 not "
    "so, or refused; 2 usage; 3 no answer from the gateway, or from one of all.\n"
    "\n"
    "  dfota --gateway rack-1 update --modules uc20-a,uc20-b --url http://files.lan/r3.bin --sha256 9f86... \\\n"
    "        --from UC20GQBR03A11E1G --to UC20GQBR03A12E1G\n"
    "  dfota --gateway rack-1 watch uc20-r3\n"
    "  dfota --gateway rack-1 cancel uc20-r3\n"
    "  dfota --gateway all update --target UC20GQBR03A14E1G --modules all\n"
    "  dfota --gateway rack-1 doctor --module uc20-a";

/// What the command line says before it is turned into Options.
struct Line {
  Options options;
  BrokerLine broker;
  CLI::Option* timeout = nullptr;
  double timeout_s = kDefaultTimeout;
  UpdateLine update;
  ControlLine control;
  ArtifactLine artifact;
  ExplainLine explain;
  ModuleLine module;
};

void add_global_options(CLI::App& app, Line& line) {
  Options& options = line.options;
  add_broker(app, line.broker, options);
  app.add_option("--root", options.root, "topic root of the gateways")
      ->check(rule(check_root, "TOPIC"))
      ->capture_default_str();
  app.add_option("--gateway", options.gateway, "id of the gateway; all: every gateway below --root")
      ->envname("DFOTA_GATEWAY")
      ->check(rule(check_gateway, "ID"));
  app.add_flag(
      "--json", options.json,
      "one line of JSON for each message received; jobs, modules: for each of them; transcript: as it was recorded");
  line.timeout = app.add_option("--timeout", line.timeout_s,
                                "seconds that the broker and the gateway have to answer; where it is not given, the "
                                "answer to artifact add, scan or rehearse is waited for an hour")
                     ->check(CLI::Range(0.1, kLongestTimeout))
                     ->capture_default_str();
}

/// A control verb that names what only one gateway has.
bool is_of_one(const std::string& verb) {
  return verb == "forget" || verb == "release" || verb == "claim";
}

/// What is about one job's run, one host or one module is not for all. Throws CLI::ValidationError.
void check_fleet(const Options& options) {
  const auto& call = options.call;
  const auto* control = std::get_if<ControlCall>(&call);
  const bool for_all = std::holds_alternative<UpdateCall>(call) || std::holds_alternative<WatchCall>(call) ||
                       std::holds_alternative<ListCall>(call) || std::holds_alternative<PingCall>(call) ||
                       std::holds_alternative<ScanCall>(call) || (control != nullptr && !is_of_one(control->verb));
  if (!options.is_fleet() || for_all) return;
  throw CLI::ValidationError("--gateway",
                             "all is for update, watch, jobs, modules, cancel, pause, resume, ping and scan");
}

/// Throws CLI::ValidationError.
Options finished(Line& line) {
  Options& options = line.options;
  options.timeout = std::chrono::milliseconds(static_cast<std::int64_t>(line.timeout_s * 1000));
  options.patience = line.timeout->count() > 0 ? options.timeout : kPatience;
  if (auto call = module_call(line.module)) {
    options.call = *std::move(call);
  } else if (line.update.verb->parsed()) {
    options.call = update_call(line.update);
  } else if (line.artifact.verb->parsed()) {
    options.call = artifact_call(line.artifact);
  } else {
    options.call = control_call(line.control);
  }
  check_fleet(options);
  return options;
}
constexpr const char* kWhat = "Updates Quectel modules over the air, through a dfota-gateway.";

void declare(CLI::App& app, Line& line) {
  line.options.broker = "mqtt://127.0.0.1:1883";
  line.options.root = "dfota/v1";
  app.set_version_flag("--version", "dfota " DFOTA_VERSION);
  app.footer(kFooter);
  app.require_subcommand(1);
  app.fallthrough();
  add_global_options(app, line);
  add_update(app, line.update);
  add_control(app, line.control);
  add_artifact(app, line.artifact);
  add_module_verbs(app, line.module);
  add_explain(app, line.explain);
}
}  // namespace

std::variant<Options, int> parse_options(int argc, const char* const* argv) {
  Line line;
  CLI::App app(kWhat, "dfota");
  declare(app, line);
  try {
    app.parse(argc, argv);
    if (line.explain.verb->parsed()) {
      line.options.call = ExplainCall{line.explain.code};
      return line.options;
    }
    if (!find_broker(app, line.broker, line.options)) return kExitUsage;
    return finished(line);
  } catch (const CLI::ParseError& e) {
    return app.exit(e, std::cout, std::cerr) == 0 ? kExitWell : kExitUsage;
  }
}

void with_command_line(const std::function<void(const CLI::App&)>& reader) {
  Line line;
  CLI::App app(kWhat, "dfota");
  declare(app, line);
  reader(app);
}

}  // namespace dfota::ctl
