#include "transport/minisign.hpp"

#include <sodium.h>

#include <algorithm>
#include <optional>

namespace dfota {
namespace {

constexpr std::string_view kUntrusted = "untrusted comment: ", kTrusted = "trusted comment: ";
constexpr std::string_view kKeyKind = "Ed", kPrehashed = "ED", kLegacy = "Ed";
constexpr std::size_t kKind = 2, kId = 8, kKey = crypto_sign_PUBLICKEYBYTES, kSignature = crypto_sign_BYTES;
static_assert(kKey == sizeof(MinisignKey::key) && kSignature == sizeof(MinisignSignature::signature));
static_assert(sizeof(Blake2b512) == crypto_generichash_blake2b_BYTES_MAX);

/// Exactly so many bytes, in the one spelling that they have: written again they are the same text. (libsodium 1.0.18
/// takes some bytes above 0x7f for digits.)
template <std::size_t Bytes>
std::optional<std::array<unsigned char, Bytes>> from_base64(std::string_view text) {
  std::array<unsigned char, Bytes> bytes{};
  std::array<char, sodium_base64_ENCODED_LEN(Bytes, sodium_base64_VARIANT_ORIGINAL)> again{};
  std::size_t written = 0;
  const int failed = sodium_base642bin(bytes.data(), bytes.size(), text.data(), text.size(), nullptr, &written, nullptr,
                                       sodium_base64_VARIANT_ORIGINAL);
  if (failed != 0 || written != Bytes) return std::nullopt;
  sodium_bin2base64(again.data(), again.size(), bytes.data(), bytes.size(), sodium_base64_VARIANT_ORIGINAL);
  if (text != again.data()) return std::nullopt;
  return bytes;
}

/// The line at the begin of `rest`, which goes on behind it; nothing when there is none any more.
std::optional<std::string_view> take_line(std::string_view& rest) {
  if (rest.empty()) return std::nullopt;
  const auto end = std::min(rest.find('\n'), rest.size());
  auto line = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

template <std::size_t Bytes, std::size_t From>
std::array<unsigned char, Bytes> part(const std::array<unsigned char, From>& whole, std::size_t at) {
  std::array<unsigned char, Bytes> out{};
  std::copy_n(whole.begin() + static_cast<std::ptrdiff_t>(at), Bytes, out.begin());
  return out;
}

template <std::size_t Bytes>
bool is_kind(const std::array<unsigned char, Bytes>& whole, std::string_view kind) {
  return whole[0] == static_cast<unsigned char>(kind[0]) && whole[1] == static_cast<unsigned char>(kind[1]);
}

Error malformed(const char* what) {
  return Error(Errc::invalid, std::string("the signature is not minisign's: ") + what);
}

bool is_signed_by(const MinisignKey& key, const std::array<unsigned char, kSignature>& signature,
                  const unsigned char* message, std::size_t size) {
  return crypto_sign_verify_detached(signature.data(), message, size, key.key.data()) == 0;
}

}  // namespace

Result<MinisignKey> parse_minisign_key(std::string_view text) {
  const auto whole = from_base64<kKind + kId + kKey>(text);
  if (!whole || !is_kind(*whole, kKeyKind)) {
    return Error(Errc::invalid, "is no public key of minisign: the line that begins with RW in its .pub file");
  }
  MinisignKey key;
  key.id = part<kId>(*whole, kKind);
  key.key = part<kKey>(*whole, kKind + kId);
  return key;
}

Result<MinisignSignature> parse_minisign_signature(std::string_view text) {
  const auto untrusted = take_line(text), base64 = take_line(text), trusted = take_line(text), global = take_line(text);
  if (!global || !text.empty()) return malformed("it has not four lines");
  if (!untrusted->starts_with(kUntrusted)) return malformed("line 1 does not begin with \"untrusted comment: \"");
  const auto whole = from_base64<kKind + kId + kSignature>(*base64);
  if (!whole) return malformed("line 2 is not the base64 of 74 bytes");
  if (is_kind(*whole, kLegacy)) {
    return Error(Errc::refused,
                 "the signature is of minisign's legacy kind: sign with -H, which signs the file's hash");
  }
  if (!is_kind(*whole, kPrehashed)) return malformed("line 2 is of an unknown kind");
  if (!trusted->starts_with(kTrusted)) return malformed("line 3 does not begin with \"trusted comment: \"");
  const auto over_all = from_base64<kSignature>(*global);
  if (!over_all) return malformed("line 4 is not the base64 of 64 bytes");
  MinisignSignature signature;
  signature.key_id = part<kId>(*whole, kKind);
  signature.signature = part<kSignature>(*whole, kKind + kId);
  signature.global_signature = *over_all;
  signature.trusted_comment = trusted->substr(kTrusted.size());
  return signature;
}

MinisignVerdict verify(const std::vector<MinisignKey>& keys, const MinisignSignature& signature,
                       const Blake2b512& blake2b) {
  // An id is but a name: several keys may have one.
  auto verdict = MinisignVerdict::unknown_key;
  std::string signed_text(signature.signature.begin(), signature.signature.end());
  signed_text += signature.trusted_comment;
  const auto* text = reinterpret_cast<const unsigned char*>(signed_text.data());
  for (const auto& key : keys) {
    if (key.id != signature.key_id) continue;
    if (is_signed_by(key, signature.signature, blake2b.data(), blake2b.size()) &&
        is_signed_by(key, signature.global_signature, text, signed_text.size())) {
      return MinisignVerdict::good;
    }
    verdict = MinisignVerdict::invalid;
  }
  return verdict;
}

std::string key_id_text(const std::array<unsigned char, 8>& id) {
  // minisign prints it as a little-endian number.
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string text;
  for (auto byte = id.rbegin(); byte != id.rend(); ++byte) {
    text += kDigits[*byte >> 4];
    text += kDigits[*byte & 15];
  }
  return text;
}

}  // namespace dfota
