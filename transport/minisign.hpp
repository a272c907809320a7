// minisign's format (https://jedisct1.github.io/minisign/): public keys and signatures as its program writes them. The
// file pair that checks Ed25519 with libsodium. Only the prehashed kind is taken (minisign -S -H), whose message is the
// BLAKE2b-512 of the file. Pure functions that never throw, whatever they are given; any thread.
//
//   untrusted comment: signature from minisign secret key
//   RUQf6LRCGA9i5...                  base64 of: "ED", 8 bytes id of the key, 64 bytes signature of the hash
//   trusted comment: {"model":"UC20",...}
//   QtKMXWyYcwdpZ...                  base64 of: 64 bytes signature of (the signature above, the trusted comment)
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "transport/base/result.hpp"

namespace dfota {

using Blake2b512 = std::array<unsigned char, 64>;

struct MinisignKey {
  std::array<unsigned char, 8> id{};
  std::array<unsigned char, 32> key{};
};

struct MinisignSignature {
  std::array<unsigned char, 8> key_id{};
  std::array<unsigned char, 64> signature{}, global_signature{};
  std::string trusted_comment;
};

/// The line of a public key that follows its comment: "RW...". Error: invalid.
Result<MinisignKey> parse_minisign_key(std::string_view text);

/// The text of a .minisig: four lines, each with LF or CRLF behind it; the last may have none. Errors: refused (made
/// without -H), invalid.
Result<MinisignSignature> parse_minisign_signature(std::string_view text);

enum class MinisignVerdict { good, invalid, unknown_key };

/// Good: one of `keys` made both signatures, so that the trusted comment belongs to this hash.
MinisignVerdict verify(const std::vector<MinisignKey>& keys, const MinisignSignature& signature,
                       const Blake2b512& blake2b);

/// The id as minisign's own messages write it, as 16 hex digits.
std::string key_id_text(const std::array<unsigned char, 8>& id);

}  // namespace dfota
