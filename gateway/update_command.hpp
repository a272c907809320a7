// cmd/update as a value: every fault of the command itself is found here, before anything happens. Pure; any thread.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "gateway/command_fields.hpp"
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
  std::string url, sha256;  ///< of the artifact: http, ftp and upload
  std::optional<std::uint64_t> size;
  std::string module_url;  ///< of delivery url, as the module is told it
  std::string file;        ///< of delivery file: "UFS:delta.bin"
  std::string from, to;
  std::optional<unsigned> attempts;
  Rollout rollout;
  std::string body;  ///< canonical, without transaction: what "the same command" means
};

/// Whether the gateway itself brings the delta: the artifact is fetched for it.
bool wants_artifact(Delivery delivery);

/// Keys and values whose capability is not built yet are refused as `unsupported`.
std::variant<UpdateCommand, CommandFault> parse_update_command(const nlohmann::json& document);

/// The `transaction` of any command, whatever else is wrong with it; empty when there is none of up to 128 bytes.
std::string transaction_of(const nlohmann::json& document);

}  // namespace dfota
