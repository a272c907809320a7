#include "gateway/trust.hpp"

#include <optional>

#include "gateway/json_guard.hpp"

namespace dfota {
namespace {

using nlohmann::json;

UpdateError invalid_signature(std::string message) {
  return UpdateError::of(Finding::signature_invalid, Phase::preparing, std::move(message));
}

UpdateError unverifiable(std::string message) {
  return UpdateError::of(Finding::signature_unverifiable, Phase::preparing, std::move(message));
}

/// The four values of a trusted comment, and nothing else beside them.
std::optional<Statement> read_statement(const std::string& comment) {
  const auto parsed = parse_untrusted(comment);
  const auto* document = std::get_if<json>(&parsed);
  if (document == nullptr || !document->is_object()) return std::nullopt;
  Statement said;
  const std::pair<const char*, std::string*> fields[] = {
      {"model", &said.model}, {"from", &said.from}, {"to", &said.to}, {"sha256", &said.sha256}};
  if (document->size() != std::size(fields)) return std::nullopt;
  for (const auto& [key, into] : fields) {
    if (!document->contains(key) || !document->at(key).is_string()) return std::nullopt;
    *into = document->at(key).get<std::string>();
    if (into->empty()) return std::nullopt;
  }
  std::string sha256;
  if (take_sha256(*document, "", sha256)) return std::nullopt;
  said.sha256 = sha256;  // in lower case, as manifests have it
  return said;
}

/// The key whose value differs; null: none does.
const char* disagreement(const Statement& said, const Manifest& manifest) {
  if (!manifest.model.empty() && said.model != manifest.model) return "model";
  if (said.from != manifest.from) return "from";
  if (said.to != manifest.to) return "to";
  if (said.sha256 != manifest.sha256) return "sha256";
  return nullptr;
}

}  // namespace

Trust::Trust(const ArtifactsConfig& config) : required_(config.require_signature) {
  for (const auto& text : config.trusted_keys) {
    if (auto key = parse_minisign_key(text)) keys_.push_back(*key);
  }
}

std::variant<Statement, UpdateError> Trust::check(const Manifest& manifest, const Blake2b512& blake2b) const {
  if (manifest.signature.empty() || !checks()) {
    if (!required_) return Statement{};
    return unverifiable(manifest.signature.empty()
                            ? "there is no signature, and artifacts.require_signature wants one"
                            : "there is no key in artifacts.trusted_keys to check the signature with");
  }
  const auto signature = parse_minisign_signature(manifest.signature);
  if (!signature) return invalid_signature(signature.error().message);
  switch (verify(keys_, *signature, blake2b)) {
    case MinisignVerdict::good:
      break;
    case MinisignVerdict::invalid:
      return invalid_signature("the signature is not of this file, or its trusted comment was changed");
    case MinisignVerdict::unknown_key:
      return unverifiable("the key " + key_id_text(signature->key_id) +
                          " that signed it is not in artifacts.trusted_keys");
  }
  auto said = read_statement(signature->trusted_comment);
  if (!said) {
    return invalid_signature("the trusted comment is no JSON object of exactly model, from, to and sha256");
  }
  if (const auto* key = disagreement(*said, manifest)) {
    return invalid_signature(std::string("it was signed for another ") + key + " than the manifest says");
  }
  return std::move(*said);
}

}  // namespace dfota
