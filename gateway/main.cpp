// dfota-gateway: the daemon. Read on in application.cpp (what there is), then modem/update_procedure.cpp (what
// happens).
#include <CLI/CLI.hpp>
#include <iostream>
#include <variant>

#include "config/load.hpp"
#include "gateway/application.hpp"
#include "transport/base/log.hpp"
#include "transport/mqtt_environment.hpp"

int main(int argc, char** argv) {
  dfota::keep_proxies_from_mqtt();
  CLI::App cli("Updates Quectel modules over AT+QFOTADL on commands that come over MQTT.", "dfota-gateway");
  std::string file;
  bool check = false, verbose = false;
  cli.add_option("--config", file, "the configuration (TOML)")->required();
  cli.add_flag("--check", check, "read the configuration, print every fault as FILE:LINE:COL: message, and exit");
  cli.add_flag("--verbose", verbose, "log the AT dialogues");
  cli.set_version_flag("--version", "dfota-gateway " DFOTA_VERSION);
  try {
    cli.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return cli.exit(error) == 0 ? dfota::kExitOk : dfota::kExitConfiguration;
  }
  auto loaded = dfota::load_config(file);
  if (const auto* faults = std::get_if<dfota::ConfigFaults>(&loaded)) {
    for (const auto& fault : *faults) dfota::log::write_plain(dfota::log::Level::error, fault.text());
    return dfota::kExitConfiguration;
  }
  if (check) {
    std::cout << file << ": ok\n";
    return dfota::kExitOk;
  }
  if (verbose) dfota::log::set_level(dfota::log::Level::debug);
  try {
    dfota::Application application(std::move(std::get<dfota::Config>(loaded)));
    return application.run();
  } catch (const std::exception& bug) {
    dfota::log::error("ended by a bug: ", bug.what());
    return dfota::kExitBug;
  }
}
