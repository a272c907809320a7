// What is known of a delta beside its bytes: the manifest, a JSON beside each delta (api/schemas/manifest.json), and
// what a job says of the delta that it names. Values and pure functions; any thread.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "gateway/command_fields.hpp"
#include "gateway/text.hpp"

namespace dfota {

/// A day or a time as it was written ("2024-05-01" or RFC 3339), and when that is. A day begins at midnight UTC.
struct Released {
  std::string text;
  WallTime at{};
};

/// A delta and what it is for.
struct Manifest {
  std::string name;   ///< [A-Za-z0-9][A-Za-z0-9._-]{0,63}
  std::string model;  ///< as ATI answers it: "UC20"; empty: of a job that does not say it
  std::string from, to;
  std::string sha256;                               ///< 64 lower-case hex digits
  std::optional<std::uint64_t> size;                ///< bytes; a manifest has it, a job's own URL may not
  std::optional<Released> from_released, released;  ///< of `from` and of `to`
  std::string notes;
  std::map<std::string, std::vector<std::string>> aliases;  ///< what else a module may report for `from` or `to`
  std::string signature;                                    ///< minisign's, the whole text; empty: none
  std::string url;  ///< where it can be fetched; empty: it was brought as a file

  /// Whether a module that reports this runs `version` (which is `from` or `to`).
  [[nodiscard]] bool is(const std::string& version, const std::string& reported) const;
};

/// Reads a manifest; every fault names its place. `url` is taken where it may be given (cmd/artifact_add, the catalog).
std::variant<Manifest, CommandFault> parse_manifest(const nlohmann::json& document, bool with_url);

using Manifests = std::map<std::string, Manifest>;  ///< by name

/// What parse_manifest() takes.
nlohmann::json to_json(const Manifest& manifest);

/// Whether it may name an artifact: no path parts, nothing hidden, no name that a manifest could have.
bool is_artifact_name(std::string_view name);

/// What is wrong with an artifact's `url`, `sha256` and `size` in `object`, which is at `at`; what is right is taken.
/// Without the key nothing is.
std::optional<CommandFault> take_url(const nlohmann::json& object, const std::string& at, std::string& into);
std::optional<CommandFault> take_sha256(const nlohmann::json& object, const std::string& at, std::string& into);
std::optional<CommandFault> take_size(const nlohmann::json& object, const std::string& at,
                                      std::optional<std::uint64_t>& into);
std::optional<CommandFault> take_signature(const nlohmann::json& object, const std::string& at, std::string& into);

}  // namespace dfota
