#include "gateway/ctl/options.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <fstream>
#include <iostream>

#include "transport/mqtt_uri.hpp"

namespace dfota::ctl {
namespace {
constexpr double kDefaultTimeout = 10, kLongestTimeout = 3600;

const char* const kFooter =
    "Exit code: 0 every module ended in succeeded or skipped, 1 not so, or refused, 2 usage, 3 no answer from the "
    "gateway.\n"
    "\n"
    "  dfota --gateway rack-1 update --modules uc20-a,uc20-b --url http://files.lan/r3.bin --sha256 9f86... \\\n"
    "        --from UC20GQBR03A11E1G --to UC20GQBR03A12E1G\n"
    "  dfota --gateway rack-1 watch uc20-r3";

bool is_segment(const std::string& text, const std::string& also) {
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [&](unsigned char c) {
    return std::isalnum(c) != 0 || also.find(static_cast<char>(c)) != std::string::npos;
  });
}

std::string check_gateway(const std::string& text) {
  if (text == "all" || text == "client") return "\"" + text + "\" is no gateway";
  return is_segment(text, "_-") ? "" : "a gateway id is 1 to 64 of A-Z a-z 0-9 _ -";
}

std::string check_job(const std::string& text) {
  return is_segment(text, "._-") ? "" : "a job id is 1 to 64 of A-Z a-z 0-9 . _ -";
}

std::string check_root(const std::string& text) {
  const bool bad = text.empty() || text.size() > 256 || text.front() == '/' || text.back() == '/' ||
                   std::any_of(text.begin(), text.end(),
                               [](unsigned char c) { return c < 0x20 || c == '+' || c == '#' || c == 0x7f; });
  return bad ? "not a topic" : "";
}

std::string check_broker(const std::string& text) {
  const auto broker = parse_mqtt_uri(text);
  return broker ? "" : broker.error().message;
}

CLI::Validator rule(std::string (*check)(const std::string&), const std::string& name) {
  return CLI::Validator([check](std::string& text) { return check(text); }, name);
}

/// What the command line says before it is turned into Options.
struct Line {
  Options options;
  UpdateRequest request;
  std::string password_file, job;
  double timeout_s = kDefaultTimeout;
  bool no_wait = false;
  CLI::App* update = nullptr;
  CLI::App* watch = nullptr;
};

void add_global_options(CLI::App& app, Line& line) {
  Options& options = line.options;
  app.add_option("--broker", options.broker, "URI of the broker, mqtt:// or mqtts://")
      ->envname("DFOTA_BROKER")
      ->check(rule(check_broker, "URI"))
      ->capture_default_str();
  app.add_option("--username", options.username, "user name for the broker");
  app.add_option("--password-file", line.password_file, "file with the password for the broker")
      ->check(CLI::ExistingFile);
  app.add_option("--ca-file", options.ca_file, "certificate authority of the broker (mqtts://)")
      ->check(CLI::ExistingFile);
  app.add_option("--root", options.root, "topic root of the gateways")
      ->check(rule(check_root, "TOPIC"))
      ->capture_default_str();
  app.add_option("--gateway", options.gateway, "id of the gateway")
      ->envname("DFOTA_GATEWAY")
      ->check(rule(check_gateway, "ID"))
      ->required();
  app.add_flag("--json", options.json, "one line of JSON for each message received");
  app.add_option("--timeout", line.timeout_s, "seconds that the broker and the gateway have to answer")
      ->check(CLI::Range(0.1, kLongestTimeout))
      ->capture_default_str();
}

void add_update(CLI::App& app, Line& line) {
  UpdateRequest& request = line.request;
  CLI::App* update = line.update = app.add_subcommand("update", "update modules over the air, and watch it");
  auto* modules = update->add_option("--modules", request.modules, "ids, or all")->delimiter(',');
  auto* tag = update->add_option("--tag", request.tag, "the modules with this tag");
  auto* model = update->add_option("--model", request.model, "the modules of this model");
  auto* version = update->add_option("--version", request.version, "... that report this version");
  modules->excludes(tag)->excludes(model);
  tag->excludes(model);
  version->needs(model);
  update
      ->add_option("--delivery", request.delivery,
                   "http, ftp, upload: the gateway brings the delta; url, file: it does not")
      ->check(CLI::IsMember({"http", "ftp", "upload", "url", "file"}))
      ->capture_default_str();
  update->add_option("--url", request.url,
                     "of the delta; with --delivery url as the module fetches it, http:// or ftp://");
  update->add_option("--sha256", request.sha256, "of the delta");
  update->add_option("--file", request.file, "with --delivery file: the delta in the module, UFS:delta.bin");
  update->add_option("--size", request.size, "of the delta, in bytes")->check(CLI::PositiveNumber);
  update->add_option("--from", request.from, "the version that the delta starts from")->required();
  update->add_option("--to", request.to, "the version that it leads to")->required();
  update->add_option("--job", request.job, "id of the job; the gateway makes one otherwise")
      ->check(rule(check_job, "ID"));
  update->add_option("--attempts", request.attempts, "for each module")->check(CLI::Range(1, 10));
  update->add_flag("--no-wait", line.no_wait, "end when the gateway has accepted the job");
}

void add_watch(CLI::App& app, Line& line) {
  line.watch = app.add_subcommand("watch", "follow a job to its end, or all jobs until interrupted");
  line.watch->add_option("job", line.job, "id of the job")->check(rule(check_job, "JOB"));
}

/// Each delivery names the delta in its own way. Throws CLI::ValidationError.
void check_delivery(const UpdateRequest& request) {
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

/// Throws CLI::ValidationError.
Options finished(Line& line) {
  Options& options = line.options;
  if (!line.password_file.empty()) {
    std::ifstream file(line.password_file);
    if (!std::getline(file, options.password)) {
      throw CLI::ValidationError("--password-file", "no password can be read from " + line.password_file);
    }
    if (options.password.ends_with('\r')) options.password.pop_back();
  }
  options.timeout = std::chrono::milliseconds(static_cast<std::int64_t>(line.timeout_s * 1000));
  if (line.watch->parsed()) {
    options.call = WatchCall{line.job.empty() ? std::nullopt : std::optional(line.job)};
    return options;
  }
  const UpdateRequest& request = line.request;
  if (request.modules.empty() && !request.tag && !request.model) {
    throw CLI::ValidationError("update", "one of --modules, --tag and --model is needed");
  }
  check_delivery(request);
  options.call = UpdateCall{request, !line.no_wait};
  return options;
}
}  // namespace

std::variant<Options, int> parse_options(int argc, const char* const* argv) {
  Line line;
  line.options.broker = "mqtt://127.0.0.1:1883";
  line.options.root = "dfota/v1";
  CLI::App app("Updates Quectel modules over the air, through a dfota-gateway.", "dfota");
  app.set_version_flag("--version", "dfota " DFOTA_VERSION);
  app.footer(kFooter);
  app.require_subcommand(1);
  app.fallthrough();
  add_global_options(app, line);
  add_update(app, line);
  add_watch(app, line);
  try {
    app.parse(argc, argv);
    return finished(line);
  } catch (const CLI::ParseError& e) {
    return app.exit(e, std::cout, std::cerr) == 0 ? kExitWell : kExitUsage;
  }
}

}  // namespace dfota::ctl
