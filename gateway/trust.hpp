// Whom we believe which delta is for what: artifacts.trusted_keys and artifacts.require_signature. A signature is
// minisign's, and its trusted comment says what it is signed for, so that a good signature proves nothing of another
// delta, or of another use of this one. Pure; loop thread.
//
//   trusted comment: {"model":"UC20","from":"UC20GQBR03A11E1G","to":"UC20GQBR03A12E1G","sha256":"66eb6526..."}
#pragma once

#include <array>
#include <string>
#include <variant>
#include <vector>

#include "config/config.hpp"
#include "gateway/manifest.hpp"
#include "modem/update_types.hpp"
#include "transport/minisign.hpp"

namespace dfota {

/// What was signed; all empty: nothing was.
struct Statement {
  std::string model, from, to, sha256;
};

class Trust {
 public:
  /// The keys are those that the configuration was loaded with: one that is no key is trusted with nothing.
  explicit Trust(const ArtifactsConfig& config);

  /// Nothing goes into a module that is not signed.
  [[nodiscard]] bool required() const { return required_; }
  /// There is a key, so that a signature can be checked; without one none is looked at.
  [[nodiscard]] bool checks() const { return !keys_.empty(); }

  /// What the signature of this manifest says of the file with this hash, which agrees with the manifest; or why the
  /// file is not to be used (signature_invalid, signature_unverifiable). A manifest without a model is a job's: the
  /// signed one is given back.
  [[nodiscard]] std::variant<Statement, UpdateError> check(const Manifest& manifest, const Blake2b512& blake2b) const;

 private:
  bool required_;
  std::vector<MinisignKey> keys_;
};

}  // namespace dfota
