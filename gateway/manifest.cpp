#include "gateway/manifest.hpp"

#include <algorithm>
#include <array>

#include "modem/fota_command.hpp"

namespace dfota {
namespace {

using nlohmann::json;
using Fault = std::optional<CommandFault>;

constexpr std::size_t kMaxUrl = 2048, kMaxNotes = 2048, kMaxSignature = 2048, kMaxName = 64, kMaxAliases = 16,
                      kSha256Digits = 64;
constexpr std::array<std::string_view, 10> kKeys = {"name",   "model",    "from",  "to",      "size",
                                                    "sha256", "released", "notes", "aliases", "signature"};

std::optional<Released> released_from(const json& value) {
  if (!value.is_string()) return std::nullopt;
  Released released;
  released.text = value.get<std::string>();
  const auto at = parse_rfc3339(released.text.size() == 10 ? released.text + "T00:00:00Z" : released.text);
  if (!at) return std::nullopt;
  released.at = *at;
  return released;
}

/// A day, which is that of `to`; or {"from": day, "to": day}.
Fault take_released(const json& document, Manifest& manifest) {
  if (!document.contains("released")) return {};
  const auto& value = document.at("released");
  const auto fault = [](const char* pointer) {
    return invalid(pointer, "must be a day (\"2024-05-01\") or an RFC 3339 time, or {\"from\", \"to\"} of such");
  };
  if (!value.is_object()) {
    manifest.released = released_from(value);
    if (!manifest.released) return fault("/released");
    return {};
  }
  for (const auto& [key, day] : value.items()) {
    if (key != "from" && key != "to") return unknown_key("/released", key);
    auto& into = key == "from" ? manifest.from_released : manifest.released;
    into = released_from(day);
    if (!into) return fault(key == "from" ? "/released/from" : "/released/to");
  }
  return {};
}

Fault take_aliases(const json& document, Manifest& manifest) {
  if (!document.contains("aliases")) return {};
  const auto& aliases = document.at("aliases");
  if (!aliases.is_object())
    return invalid("/aliases", "must be an object: a version, and a list of what it is also called");
  for (const auto& [version, others] : aliases.items()) {
    const auto pointer = pointer_to("/aliases", version);
    if (version != manifest.from && version != manifest.to) return invalid(pointer, "is neither from nor to");
    if (!others.is_array() || others.size() > kMaxAliases)
      return invalid(pointer, "must be a list of up to " + std::to_string(kMaxAliases) + " versions");
    for (std::size_t i = 0; i < others.size(); ++i) {
      std::string other;
      const json one = {{"alias", others[i]}};
      if (take_reported(one, "alias", "", other))
        return invalid(pointer + "/" + std::to_string(i), "must be 1 to 64 printable ASCII characters");
      if (other == manifest.from || other == manifest.to)
        return invalid(pointer + "/" + std::to_string(i), "is from or to itself");
      manifest.aliases[version].push_back(std::move(other));
    }
  }
  return {};
}

Fault take_name(const json& document, Manifest& manifest) {
  if (auto fault = take_string(document, "name", "", kMaxName, manifest.name)) return fault;
  if (!is_artifact_name(manifest.name)) {
    return invalid("/name",
                   "is required: 1 to 64 of A-Z a-z 0-9 . _ - with a letter or digit first, not ending in .json");
  }
  if (is_minifota(manifest.name)) {
    return CommandFault{"unsupported_package",
                        "is a MiniFOTA package, which needs a second command in mid-flash: update such modules by hand",
                        "/name"};
  }
  return {};
}

Fault take_versions(const json& document, Manifest& manifest) {
  for (const auto& [key, into] :
       {std::pair{"model", &manifest.model}, {"from", &manifest.from}, {"to", &manifest.to}}) {
    if (auto fault = take_reported(document, key, "", *into)) return fault;
    if (into->empty()) return invalid(std::string("/") + key, "is required, as the module reports it");
  }
  if (manifest.from == manifest.to) return invalid("/to", "is the same version as from");
  return {};
}

Fault take_all(const json& document, bool with_url, Manifest& manifest) {
  if (!document.is_object()) return invalid("", "a manifest is a JSON object");
  for (const auto& [key, value] : document.items()) {
    const bool known = std::find(kKeys.begin(), kKeys.end(), key) != kKeys.end() || (with_url && key == "url");
    if (!known) return unknown_key("", key);
  }
  if (auto fault = take_name(document, manifest)) return fault;
  if (auto fault = take_versions(document, manifest)) return fault;
  if (auto fault = take_sha256(document, "", manifest.sha256)) return fault;
  if (manifest.sha256.empty()) return invalid("/sha256", "is required: 64 hex digits");
  if (auto fault = take_size(document, "", manifest.size)) return fault;
  if (!manifest.size) return invalid("/size", "is required: bytes");
  if (auto fault = take_released(document, manifest)) return fault;
  if (auto fault = take_aliases(document, manifest)) return fault;
  if (auto fault = take_string(document, "notes", "", kMaxNotes, manifest.notes)) return fault;
  if (auto fault = take_signature(document, "", manifest.signature)) return fault;
  return take_url(document, "", manifest.url);
}

}  // namespace

bool Manifest::is(const std::string& version, const std::string& reported) const {
  if (reported == version) return true;
  const auto found = aliases.find(version);
  return found != aliases.end() &&
         std::find(found->second.begin(), found->second.end(), reported) != found->second.end();
}

bool is_artifact_name(std::string_view name) {
  const auto is_alnum = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
  };
  return !name.empty() && name.size() <= kMaxName && is_alnum(name.front()) && !name.ends_with(".json") &&
         std::all_of(name.begin(), name.end(), [&](char c) { return is_alnum(c) || c == '.' || c == '_' || c == '-'; });
}

Fault take_url(const json& object, const std::string& at, std::string& into) {
  if (auto fault = take_string(object, "url", at, kMaxUrl, into)) return fault;
  if (into.empty()) return {};
  const auto pointer = at + "/url";
  const bool known_scheme = into.starts_with("http://") || into.starts_with("https://");
  if (!known_scheme || into == "http://" || into == "https://")
    return invalid(pointer, "must be http:// or https:// and what follows");
  if (is_minifota(into)) {
    return CommandFault{"unsupported_package",
                        "is a MiniFOTA package, which needs a second command in mid-flash: update such modules by hand",
                        pointer};
  }
  if (!is_printable(into) || into.find(' ') != std::string::npos)
    return invalid(pointer, "must be printable ASCII without spaces");
  return {};
}

Fault take_sha256(const json& object, const std::string& at, std::string& into) {
  if (auto fault = take_string(object, "sha256", at, kSha256Digits, into)) return fault;
  if (into.empty()) return {};
  const auto is_hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); };
  if (into.size() != kSha256Digits || !std::all_of(into.begin(), into.end(), is_hex))
    return invalid(at + "/sha256", "must be 64 hex digits");
  std::transform(into.begin(), into.end(), into.begin(),
                 [](char c) { return c >= 'A' && c <= 'F' ? static_cast<char>(c + 32) : c; });
  return {};
}

Fault take_size(const json& object, const std::string& at, std::optional<std::uint64_t>& into) {
  if (!object.contains("size")) return {};
  if (!object.at("size").is_number_integer() || object.at("size") < 1)
    return invalid(at + "/size", "must be a whole number of bytes above 0");
  into = object.at("size").get<std::uint64_t>();
  return {};
}

Fault take_signature(const json& object, const std::string& at, std::string& into) {
  return take_string(object, "signature", at, kMaxSignature, into);
}

json to_json(const Manifest& manifest) {
  json out = {{"name", manifest.name},
              {"model", manifest.model},
              {"from", manifest.from},
              {"to", manifest.to},
              {"sha256", manifest.sha256}};
  if (manifest.size) out["size"] = *manifest.size;
  if (manifest.from_released) {
    out["released"] = json{{"from", manifest.from_released->text}};
    if (manifest.released) out["released"]["to"] = manifest.released->text;
  } else if (manifest.released) {
    out["released"] = manifest.released->text;
  }
  if (!manifest.aliases.empty()) out["aliases"] = manifest.aliases;
  if (!manifest.notes.empty()) out["notes"] = manifest.notes;
  if (!manifest.signature.empty()) out["signature"] = manifest.signature;
  if (!manifest.url.empty()) out["url"] = manifest.url;
  return out;
}

std::variant<Manifest, CommandFault> parse_manifest(const json& document, bool with_url) {
  Manifest manifest;
  if (auto fault = take_all(document, with_url, manifest)) return *fault;
  return manifest;
}

}  // namespace dfota
