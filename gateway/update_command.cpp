#include "gateway/update_command.hpp"

#include <algorithm>
#include <array>

#include "config/module_url.hpp"
#include "gateway/manifest.hpp"
#include "gateway/text.hpp"
#include "modem/fota_command.hpp"

namespace dfota {
namespace {

using nlohmann::json;
using Fault = std::optional<CommandFault>;

constexpr std::size_t kMaxUrl = 2048, kMaxFileName = 128, kMaxIds = 10000;
constexpr unsigned kMaxAttempts = 10;

constexpr std::array kKeys = {
    "job",      "transaction",     "modules", "artifact", "from",       "to",     "target",
    "rollback", "allow_downgrade", "dry_run", "delivery", "url",        "file",   "attempts",
    "absent",   "max_parallel",    "canary",  "expires",  "not_before", "window", "abort_after_failures"};
constexpr std::array kArtifactKeys = {"name", "url", "sha256", "size", "signature"};
constexpr std::array kSelectors = {"model", "version", "tag"};

template <class List>
bool is_in(const List& list, const std::string& key) {
  return std::find(list.begin(), list.end(), key) != list.end();
}

template <class Keys>
Fault check_keys(const json& object, const std::string& at, const Keys& keys) {
  for (const auto& [key, value] : object.items()) {
    if (!is_in(keys, key)) return unknown_key(at, key);
  }
  return {};
}

Fault take_ids(const json& list, std::vector<std::string>& ids) {
  if (list.empty() || list.size() > kMaxIds)
    return invalid("/modules", "must name 1 to " + std::to_string(kMaxIds) + " modules");
  for (std::size_t i = 0; i < list.size(); ++i) {
    const auto pointer = "/modules/" + std::to_string(i);
    if (!list[i].is_string()) return invalid(pointer, "must be a module's id");
    const auto id = list[i].get<std::string>();
    if (!is_topic_id(id)) return invalid(pointer, "a module's id is 1 to 64 of A-Z a-z 0-9 _ -");
    if (is_in(ids, id)) return invalid(pointer, "\"" + id + "\" is named twice");
    ids.push_back(id);
  }
  return {};
}

Fault take_modules(const json& document, ModuleSelection& selection) {
  if (!document.contains("modules"))
    return invalid("/modules", "is required: a list of ids, \"all\", or {\"model\", \"version\", \"tag\"}");
  const auto& modules = document.at("modules");
  if (modules.is_array()) return take_ids(modules, selection.ids);
  if (modules.is_string() && modules.get<std::string>() == "all") {
    selection.all = true;
    return {};
  }
  if (!modules.is_object() || modules.empty()) {
    return invalid("/modules", "must be a list of ids, \"all\", or {\"model\", \"version\", \"tag\"}");
  }
  if (auto fault = check_keys(modules, "/modules", kSelectors)) return fault;
  for (const auto& [key, into] :
       {std::pair{"model", &selection.model}, {"version", &selection.version}, {"tag", &selection.tag}}) {
    if (!modules.contains(key)) continue;
    into->emplace();
    if (auto fault = take_reported(modules, key, "/modules", **into)) return fault;
  }
  return {};
}

CommandFault minifota(std::string pointer) {
  return {"unsupported_package",
          "is a MiniFOTA package, which needs a second command in mid-flash: update such modules by hand",
          std::move(pointer)};
}

/// The address that the module itself is told.
Fault take_module_url(const json& document, UpdateCommand& command) {
  if (auto fault = take_string(document, "url", "", kMaxUrl, command.module_url)) return fault;
  if (command.module_url.empty()) return invalid("/url", "is required with delivery \"url\": http:// or ftp://");
  const auto parsed = parse_module_url(command.module_url);
  if (const auto* complaint = std::get_if<std::string>(&parsed)) return invalid("/url", *complaint);
  if (is_minifota(command.module_url)) return minifota("/url");
  return {};
}

/// The package that is in the module already. What the address of a download must not hold, it must not, either.
Fault take_file(const json& document, UpdateCommand& command) {
  if (auto fault = take_string(document, "file", "", kMaxFileName, command.file)) return fault;
  if (command.file.empty()) return invalid("/file", "is required with delivery \"file\": \"UFS:delta.bin\"");
  const bool plain = std::all_of(command.file.begin(), command.file.end(), [](char c) {
    return c > 0x20 && c < 0x7f && std::string_view("\"'`$;&|#\\*?").find(c) == std::string_view::npos;
  });
  if (!plain) {
    return invalid("/file", "must be printable ASCII without spaces, quotes, ` $ ; & | # \\ * and ?");
  }
  if (is_minifota(command.file)) return minifota("/file");
  return {};
}

Fault take_artifact(const json& document, Manifest& delta) {
  if (!document.contains("artifact")) return invalid("/artifact", "is required: {\"url\", \"sha256\"} or {\"name\"}");
  const auto& artifact = document.at("artifact");
  if (!artifact.is_object()) return invalid("/artifact", "must be an object {\"url\", \"sha256\"} or {\"name\"}");
  if (auto fault = check_keys(artifact, "/artifact", kArtifactKeys)) return fault;
  if (artifact.contains("name")) {
    if (artifact.size() > 1) return invalid("/artifact/name", "names one in the cache, and stands alone");
    if (!artifact.at("name").is_string() || !is_artifact_name(artifact.at("name").get<std::string>()))
      return invalid("/artifact/name", "must be an artifact's name; cmd/artifact_list tells which there are");
    delta.name = artifact.at("name").get<std::string>();
    return {};
  }
  if (auto fault = take_url(artifact, "/artifact", delta.url)) return fault;
  if (delta.url.empty()) return invalid("/artifact/url", "is required, and begins with http:// or https://");
  if (auto fault = take_sha256(artifact, "/artifact", delta.sha256)) return fault;
  if (delta.sha256.empty()) return invalid("/artifact/sha256", "is required: 64 hex digits");
  if (auto fault = take_size(artifact, "/artifact", delta.size)) return fault;
  delta.name = artifact_name(delta.url);
  return take_signature(artifact, "/artifact", delta.signature);
}

Fault take_delivery(const json& document, UpdateCommand& command) {
  std::string word = "http";
  if (auto fault = take_string(document, "delivery", "", 16, word)) return fault;
  const auto delivery = delivery_from_word(word);
  if (!delivery) return invalid("/delivery", "must be \"http\", \"ftp\", \"url\", \"upload\" or \"file\"");
  command.delivery = *delivery;
  for (const auto& [key, its_own] : {std::pair{"url", Delivery::url}, {"file", Delivery::file}}) {
    if (document.contains(key) && *delivery != its_own) {
      return invalid(std::string("/") + key, "has no meaning with delivery \"" + word + "\"");
    }
  }
  return {};
}

Fault take_versions(const json& document, Manifest& delta) {
  if (auto fault = take_reported(document, "from", "", delta.from)) return fault;
  if (auto fault = take_reported(document, "to", "", delta.to)) return fault;
  const bool in_manifest = !delta.name.empty() && delta.url.empty();
  if (delta.from.empty() && !in_manifest)
    return invalid("/from", "is required: the version that the delta starts from");
  if (delta.to.empty() && !in_manifest) return invalid("/to", "is required: the version that the delta leads to");
  if (!delta.to.empty() && delta.from == delta.to) return invalid("/to", "is the same version as from");
  return {};
}

/// "target" or "rollback": which deltas, the gateway finds out.
Fault take_plan(const json& document, UpdateCommand& command) {
  const char* form = command.rollback ? "rollback" : "target";
  for (const char* key : {"artifact", "from", "to", "url", "file"}) {
    if (document.contains(key))
      return invalid(std::string("/") + key, std::string("has no meaning with \"") + form + "\"");
  }
  if (command.rollback && !command.target.empty()) return invalid("/target", "has no meaning with \"rollback\"");
  if (!wants_artifact(command.delivery))
    return invalid("/delivery", std::string("must be \"http\", \"ftp\" or \"upload\" with \"") + form + "\"");
  return {};
}

/// What the modules are given: one delta, or what leads to a version.
Fault take_what(const json& document, UpdateCommand& command) {
  if (auto fault = take_delivery(document, command)) return fault;
  if (auto fault = take_reported(document, "target", "", command.target)) return fault;
  for (const auto& [key, into] : {std::pair{"rollback", &command.rollback},
                                  {"allow_downgrade", &command.allow_downgrade},
                                  {"dry_run", &command.dry_run}}) {
    if (auto fault = take_flag(document, key, *into)) return fault;
  }
  if (command.planned()) return take_plan(document, command);
  if (wants_artifact(command.delivery)) {
    if (auto fault = take_artifact(document, command.delta)) return fault;
    return take_versions(document, command.delta);
  }
  if (document.contains("artifact"))
    return invalid("/artifact", "has no meaning with delivery \"" + std::string(to_word(command.delivery)) + "\"");
  if (auto fault = take_versions(document, command.delta)) return fault;
  return command.delivery == Delivery::url ? take_module_url(document, command) : take_file(document, command);
}

Fault take_rest(const json& document, UpdateCommand& command) {
  if (auto fault = take_string(document, "transaction", "", kMaxTransaction, command.transaction)) return fault;
  if (auto fault = take_string(document, "job", "", 64, command.job)) return fault;
  if (!command.job.empty() && !is_job_id(command.job))
    return invalid("/job", "a job's id is 1 to 64 of A-Z a-z 0-9 . _ -");
  unsigned attempts = 0;
  if (auto fault = take_whole_number(document, "attempts", 1, kMaxAttempts, attempts)) return fault;
  if (attempts != 0) command.attempts = attempts;
  return {};
}

}  // namespace

bool wants_artifact(Delivery delivery) {
  return delivery != Delivery::url && delivery != Delivery::file;
}

std::variant<UpdateCommand, CommandFault> parse_update_command(const json& document) {
  if (!document.is_object()) return invalid("", "a command is a JSON object");
  UpdateCommand command;
  if (auto fault = check_keys(document, "", kKeys)) return *fault;
  if (auto fault = take_modules(document, command.modules)) return *fault;
  if (auto fault = take_what(document, command)) return *fault;
  if (auto fault = take_rest(document, command)) return *fault;
  if (auto fault = take_rollout(document, command.rollout)) return *fault;
  json body = document;
  body.erase("transaction");
  command.body = body.dump();  // nlohmann::json keeps its keys sorted: this is canonical
  return command;
}

std::string transaction_of(const json& document) {
  if (!document.is_object() || !document.contains("transaction") || !document.at("transaction").is_string()) return {};
  auto text = document.at("transaction").get<std::string>();
  return text.size() <= kMaxTransaction ? text : std::string();
}

}  // namespace dfota
