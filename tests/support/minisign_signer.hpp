// Signs as minisign -S -H -t does, with a key of its own, so that unit tests need no program beside them.
// tests/integration/minisign_test.cpp holds the two against each other.
#pragma once

#include <sodium.h>

#include <array>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/manifest.hpp"
#include "transport/minisign.hpp"

namespace dfota::test {

inline std::string base64(const std::string& bytes) {
  std::vector<char> text(sodium_base64_ENCODED_LEN(bytes.size(), sodium_base64_VARIANT_ORIGINAL));
  sodium_bin2base64(text.data(), text.size(), reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
                    sodium_base64_VARIANT_ORIGINAL);
  return text.data();
}

inline Blake2b512 blake2b_of(std::string_view bytes) {
  Blake2b512 hash{};
  crypto_generichash_blake2b(hash.data(), hash.size(), reinterpret_cast<const unsigned char*>(bytes.data()),
                             bytes.size(), nullptr, 0);
  return hash;
}

/// What minisign's -t is given: `jq -c '{model,from,to,sha256}'` of the manifest.
inline std::string statement_of(const Manifest& manifest) {
  nlohmann::ordered_json said;
  said["model"] = manifest.model;
  said["from"] = manifest.from;
  said["to"] = manifest.to;
  said["sha256"] = manifest.sha256;
  return said.dump();
}

class Signer {
 public:
  /// Equal numbers are equal keys.
  explicit Signer(unsigned char number) {
    std::array<unsigned char, crypto_sign_SEEDBYTES> seed{};
    seed[0] = number;
    crypto_sign_seed_keypair(public_.data(), secret_.data(), seed.data());
    id_ = std::string(8, static_cast<char>(number));
  }

  /// The line of the .pub file.
  [[nodiscard]] std::string public_key() const {
    return base64("Ed" + id_ + std::string(public_.begin(), public_.end()));
  }

  [[nodiscard]] std::string sign(std::string_view file, const std::string& trusted_comment,
                                 const std::string& kind = "ED") const {
    const auto hash = blake2b_of(file);
    const auto signature = raw(std::string(hash.begin(), hash.end()));
    return "untrusted comment: signature\n" + base64(kind + id_ + signature) + "\ntrusted comment: " + trusted_comment +
           "\n" + base64(raw(signature + trusted_comment)) + "\n";
  }

 private:
  [[nodiscard]] std::string raw(const std::string& message) const {
    std::array<unsigned char, crypto_sign_BYTES> signature{};
    crypto_sign_detached(signature.data(), nullptr, reinterpret_cast<const unsigned char*>(message.data()),
                         message.size(), secret_.data());
    return {signature.begin(), signature.end()};
  }

  std::array<unsigned char, crypto_sign_PUBLICKEYBYTES> public_{};
  std::array<unsigned char, crypto_sign_SECRETKEYBYTES> secret_{};
  std::string id_;
};

}  // namespace dfota::test
