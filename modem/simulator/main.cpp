// dfota-rack: simulated Quectel modules for tests, benchmarks and demonstrations.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <asio/signal_set.hpp>
#include <csignal>
#include <iostream>

#include "config/profile.hpp"
#include "modem/simulator/rack.hpp"

namespace {

using namespace dfota;

struct DeltaOptions {
  std::string file;
  sim::DeltaHeader header;
};

int fail(const Error& error) {
  std::cerr << "dfota-rack: " << error.message << '\n';
  return 1;
}

/// The operator's families before the built-in ones. Every fault of theirs goes to stderr.
std::optional<Profiles> take_profiles(const std::string& dir) {
  if (dir.empty()) return builtin_profiles();
  auto loaded = load_profiles(dir);
  if (auto* profiles = std::get_if<Profiles>(&loaded)) return std::move(*profiles);
  for (const auto& fault : std::get<ConfigFaults>(loaded)) std::cerr << fault.text() << '\n';
  return std::nullopt;
}

int write_delta(const DeltaOptions& options) {
  const auto& header = options.header;
  const auto sha256 = sim::write_delta(options.file, header);
  if (!sha256) return fail(sha256.error());
  sim::write_json_line(STDOUT_FILENO, {{"file", options.file},
                                       {"sha256", *sha256},
                                       {"size", header.size},
                                       {"from", header.from},
                                       {"to", header.to},
                                       {"model", header.model}});
  return 0;
}

int run_rack(const sim::RackOptions& options, const std::string& log_file) {
  std::signal(SIGPIPE, SIG_IGN);
  asio::io_context loop(1);
  sim::EventLog log(STDOUT_FILENO);
  sim::EventLog out(STDOUT_FILENO);
  log.hold();
  sim::Rack rack(loop, log);
  if (!log_file.empty()) {
    const auto redirected = log.redirect(log_file);
    if (!redirected) return fail(redirected.error());
  }
  const auto started = rack.start(options);
  if (!started) {
    rack.finish();
    return fail(started.error());
  }
  const sim::Json fields = {{"count", options.modules()}, {"dir", options.dir}};
  out.write("", "rack_ready", fields);
  if (!log_file.empty()) log.write("", "rack_ready", fields);
  log.release();
  asio::signal_set stop(loop, SIGINT, SIGTERM);
  stop.async_wait([&loop](asio::error_code, int) { loop.stop(); });
  loop.run();
  rack.finish();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("dfota-rack: a rack of simulated Quectel modules on pseudo-terminals, TCP ports or in a QEMU guest");
  sim::RackOptions options;
  DeltaOptions delta;
  std::string log_file, profiles_dir;
  std::vector<std::string> faults;
  delta.header.size = 262144;
  auto* dir =
      app.add_option("--dir", options.dir, "where the ports stand, DIR/m0, DIR/m1, ..., and what the modules keep");
  auto* count = app.add_option("--count", options.count, "number of modules; with --replay none when left out")
                    ->check(CLI::Range(1, 4000));
  app.add_option("--model", options.module.model, "model of the modules, or of the delta");
  app.add_option("--profiles-dir", profiles_dir, "families of modules beside the built-in ones, *.toml");
  app.add_option("--efs", options.module.efs_package, "the package that AT+QFOTADL=1 of a BG96 takes")
      ->check(CLI::ExistingFile);
  app.add_option("--version", options.module.version,
                 "version of a module's very first boot; its family's when left out");
  app.add_option("--speed", options.module.pace.speed, "divides every duration of the modules' own")
      ->check(CLI::Range(0.01, 100000.0));
  auto* baud = app.add_option("--baud", options.baud,
                              "makes the pseudo-terminals as slow as a serial line (8N1); 0: as fast as they are")
                   ->check(CLI::Range(0, 10000000));
  auto* tcp = app.add_option("--tcp", options.tcp,
                             "HOST:PORT instead of pseudo-terminals: module n listens on PORT + n, raw, for one host; "
                             "with port 0 on any that is free, which `ready` tells");
  auto* chardev =
      app.add_option(
             "--chardev", options.chardev,
             "DIR instead of pseudo-terminals: module n connects to DIR/m<n>.sock, QEMU's end of a usb-serial device")
          ->check(CLI::ExistingDirectory);
  tcp->excludes(chardev)->excludes(baud);
  chardev->excludes(baud);
  app.add_option("--fault", faults, "[WHICH:]NAME[=VALUE][,NAME[=VALUE]...], may be repeated; see below")->take_all();
  auto* replay =
      app.add_option("--replay", options.replays,
                     "a transcript (of `dfota transcript -o`), played as one more module behind the simulated "
                     "ones; may be repeated")
          ->take_all();
  app.add_option("--replay-speed", options.replay_speed, "divides every recorded delay")
      ->needs(replay)
      ->check(CLI::Range(0.01, 100000.0));
  app.add_option("--log", log_file, "events go to this file instead of stdout");
  app.add_option("--link-prefix", options.link_prefix, "name of the ports before their number");
  auto* make_delta = app.add_option("--make-delta", delta.file, "writes a delta package, prints its facts and ends");
  app.add_option("--from", delta.header.from, "base version of the delta")->needs(make_delta);
  app.add_option("--to", delta.header.to, "target version of the delta")->needs(make_delta);
  app.add_option("--size", delta.header.size, "bytes of the delta")->needs(make_delta);
  dir->excludes(make_delta);
  app.footer("WHICH is m3, m2-m5 or all (all when left out). Names:\n" + sim::fault_help());
  CLI11_PARSE(app, argc, argv);
  if (!options.replays.empty() && count->count() == 0) options.count = 0;

  if (!delta.file.empty()) {
    delta.header.model = options.module.model;
    return write_delta(delta);
  }
  if (options.dir.empty()) return fail(Error(Errc::invalid, "--dir is missing; --help tells the rest"));
  const auto profiles = take_profiles(profiles_dir);
  if (!profiles) return 1;
  options.module.profiles = &*profiles;
  for (const auto& spec : faults) {
    auto fault = sim::Fault::parse(spec);
    if (!fault) return fail(fault.error());
    options.module.faults.push_back(*fault);
  }
  return run_rack(options, log_file);
}
