// cmd/update as a value: every fault of the command itself is found here, before anything happens. Pure; any thread.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "gateway/command_fields.hpp"
#include "gateway/manifest.hpp"
#include "gateway/rollout.hpp"
#include "modem/update_types.hpp"

namespace dfota {

/// Which modules: ids, all, or those that fit every given part.
struct ModuleSelection {
  bool all = false;
  std::vector<std::string> ids;
  std::optional<std::string> model, version, tag;
};

struct UpdateCommand {
  std::string job;  ///< empty: the gateway makes one
  std::string transaction;
  ModuleSelection modules;
  Delivery delivery = Delivery::http;
  /// With its versions; of http, ftp and upload what the job says of it: its name, or its url, sha256 and size.
  Manifest delta;
  std::string target;            ///< the gateway plans the way to this version
  bool rollback = false;         ///< and this one: to the version before the module's last succeeded job
  bool allow_downgrade = false;  ///< also where the direction is not known
  bool dry_run = false;          ///< plans, and does nothing
  std::string module_url;        ///< of delivery url, as the module is told it
  std::string file;              ///< of delivery file: "UFS:delta.bin"
  std::optional<unsigned> attempts;
  Rollout rollout;
  std::string body;  ///< canonical, without transaction: what "the same command" means

  /// The deltas are the gateway's choice, for each module by the version that it reports.
  [[nodiscard]] bool planned() const { return rollback || !target.empty(); }
};

/// Whether the gateway itself brings the delta: the artifact is fetched for it.
bool wants_artifact(Delivery delivery);

/// Keys and values whose capability is not built yet are refused as `unsupported`.
std::variant<UpdateCommand, CommandFault> parse_update_command(const nlohmann::json& document);

/// The `transaction` of any command, whatever else is wrong with it; empty when there is none of up to 128 bytes.
std::string transaction_of(const nlohmann::json& document);

}  // namespace dfota
