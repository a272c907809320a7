// ping and scan: whether gateways answer, and what their modules say of themselves. On the loop.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "gateway/ctl/connection.hpp"

namespace dfota::ctl {

/// All outlive the call. Null: options.call is none of them.
std::unique_ptr<Call> make_module_check(const Options& options, Connection& connection, Output& output);

/// One module as `scan` tells it: text that is missing is empty, and not yet fit for a terminal.
struct ScannedModule {
  std::string module, problem, model, version, imei, sim;
  bool online = false;
  std::optional<bool> registered;
  std::optional<std::int64_t> signal_dbm;
  struct Finding {
    std::string code, message, hint;
  };
  std::optional<Finding> network;  ///< what would stop a download now
  Json document;
};
std::vector<ScannedModule> scanned_modules(const Json& data);

/// What a gateway says of itself, as one line.
std::string ping_line(const Json& data);

/// module  status  model  version  IMEI  SIM  network  signal  what is wrong
std::vector<std::string> scan_table(const std::vector<ScannedModule>& modules);

}  // namespace dfota::ctl
