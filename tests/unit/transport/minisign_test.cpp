#include "transport/minisign.hpp"

#include <doctest/doctest.h>

#include "tests/support/minisign_signer.hpp"

using namespace dfota;
using test::blake2b_of;
using test::Signer;

namespace {

const std::string kFile = "the bytes of a delta";
const std::string kComment = R"({"model":"UC20"})";
const std::string kUntrustedLine = "untrusted comment: signature\n";

std::vector<MinisignKey> keys_of(std::initializer_list<Signer> signers) {
  std::vector<MinisignKey> keys;
  for (const auto& signer : signers) {
    const auto key = parse_minisign_key(signer.public_key());
    REQUIRE(key.ok());
    keys.push_back(*key);
  }
  return keys;
}

/// Whether it is a signature that a key of ours made of the file.
bool is_good(const std::vector<MinisignKey>& keys, const std::string& text, const std::string& file = kFile) {
  const auto signature = parse_minisign_signature(text);
  return signature && verify(keys, *signature, blake2b_of(file)) == MinisignVerdict::good;
}

std::string with_crlf(const std::string& text) {
  std::string out;
  for (const char c : text) out += c == '\n' ? "\r\n" : std::string(1, c);
  return out;
}

}  // namespace

TEST_CASE("what minisign 0.11 made: a key, and its signature of a file") {
  const auto key = parse_minisign_key("RWTOe372CcGLoNVxLPCQaJ1rDDNWGf6/Vhk+nPKudtUGKFyLkGcjnQJ9");
  REQUIRE(key.ok());
  CHECK(key_id_text(key->id) == "A08BC109F67E7BCE");
  const auto signature = parse_minisign_signature(
      "untrusted comment: c\n"
      "RUTOe372CcGLoPyhiS8n5E3X0hCXmbm1R0skDuStkqJy1S+gPf2tIhcUPcu9BwwuswcrdSIrdqAfyr7MPKCwo455GcCAfZC+ww8=\n"
      "trusted comment: {\"a\":1}\n"
      "x/9cpRPjbWVPnwN76rMFrLnWUVEkbxd1KIFfy19/q7ntORg6809JsTXn5BiciW+fIfkAekM9xD4a9yc0orCACA==\n");
  REQUIRE(signature.ok());
  CHECK(signature->trusted_comment == "{\"a\":1}");
  CHECK(verify({*key}, *signature, blake2b_of("hello")) == MinisignVerdict::good);
  CHECK(verify({*key}, *signature, blake2b_of("hallo")) == MinisignVerdict::invalid);
}

TEST_CASE("a signature without -H is refused with what to do") {
  const auto legacy = parse_minisign_signature(
      "untrusted comment: signature from minisign secret key\n"
      "RWTOe372CcGLoOSA0cf5wNp+xnfIN9LBajuQ4Fi9fwaSU8j8fvpfZZwWArl89zW6NABzb5shZMMYS48A9CFJNDg4v84JvKaFwwo=\n"
      "trusted comment: x\n"
      "XZkXbaA94E9pKBVuZsS64y6m3x2Si9+x2fbcrv2U0BWyjpuBO/CVcOk+r1smC0pFCJtvAWPASnrUrDyo1+CiAg==\n");
  REQUIRE_FALSE(legacy.ok());
  CHECK(legacy.error().code == Errc::refused);
  CHECK(legacy.error().message.find("-H") != std::string::npos);
}

TEST_CASE("the verdict: by one of the keys, by none, by another of the same id") {
  const Signer ours(1), other(2);
  const auto signature = parse_minisign_signature(ours.sign(kFile, kComment));
  REQUIRE(signature.ok());
  CHECK(verify(keys_of({other, ours}), *signature, blake2b_of(kFile)) == MinisignVerdict::good);
  CHECK(verify(keys_of({other}), *signature, blake2b_of(kFile)) == MinisignVerdict::unknown_key);
  CHECK(verify({}, *signature, blake2b_of(kFile)) == MinisignVerdict::unknown_key);
  auto namesake = keys_of({other});
  namesake[0].id = signature->key_id;
  CHECK(verify(namesake, *signature, blake2b_of(kFile)) == MinisignVerdict::invalid);
  namesake.push_back(keys_of({ours})[0]);
  CHECK(verify(namesake, *signature, blake2b_of(kFile)) == MinisignVerdict::good);
}

TEST_CASE("both signatures count: neither the file nor the trusted comment may be another") {
  const Signer ours(1);
  const auto keys = keys_of({ours});
  auto signature = *parse_minisign_signature(ours.sign(kFile, kComment));
  signature.trusted_comment += " ";
  CHECK(verify(keys, signature, blake2b_of(kFile)) == MinisignVerdict::invalid);
  const auto other = *parse_minisign_signature(ours.sign("another file", kComment));
  signature = *parse_minisign_signature(ours.sign(kFile, kComment));
  signature.global_signature = other.global_signature;
  CHECK(verify(keys, signature, blake2b_of(kFile)) == MinisignVerdict::invalid);
}

TEST_CASE("line ends: LF or CRLF, and none at the end") {
  const Signer ours(1);
  const auto keys = keys_of({ours});
  auto text = ours.sign(kFile, kComment);
  CHECK(is_good(keys, text));
  CHECK(is_good(keys, with_crlf(text)));
  text.pop_back();
  CHECK(is_good(keys, text));
}

TEST_CASE("every truncation is refused") {
  const Signer ours(1);
  const auto keys = keys_of({ours});
  const auto text = ours.sign(kFile, kComment);
  for (std::size_t size = 0; size + 1 < text.size(); ++size) {
    CAPTURE(size);
    CHECK_FALSE(is_good(keys, text.substr(0, size)));
  }
}

TEST_CASE("every flipped bit is refused, but of what the untrusted comment says") {
  const Signer ours(1);
  const auto keys = keys_of({ours});
  const auto text = ours.sign(kFile, kComment);
  const auto said = kUntrustedLine.find("signature");
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (at >= said && at + 1 < kUntrustedLine.size()) continue;
    for (int bit = 0; bit < 8; ++bit) {
      auto flipped = text;
      flipped[at] = static_cast<char>(flipped[at] ^ (1 << bit));
      CAPTURE(at);
      CAPTURE(bit);
      CHECK_FALSE(is_good(keys, flipped));
    }
  }
}

TEST_CASE("more than four lines, and other texts, are no signature") {
  const auto text = Signer(1).sign(kFile, kComment);
  const std::string nul(1, '\0');
  for (const auto& other : {text + "\n", text + "x", "\n" + text, nul, text + nul, std::string(10000, '\n'),
                            std::string(10000, '\xff'), std::string("\r\n\r\n\r\n\r\n")}) {
    const auto parsed = parse_minisign_signature(other);
    REQUIRE_FALSE(parsed.ok());
    CHECK(parsed.error().code == Errc::invalid);
  }
}

TEST_CASE("keys: every truncation, and what is no key") {
  const auto text = Signer(1).public_key();
  REQUIRE(parse_minisign_key(text).ok());
  for (std::size_t size = 0; size < text.size(); ++size) CHECK_FALSE(parse_minisign_key(text.substr(0, size)).ok());
  for (const auto& other : {text + "=", text + "\n", " " + text, "S" + text.substr(1), text + text,
                            std::string("untrusted comment: minisign public key")}) {
    CHECK_FALSE(parse_minisign_key(other).ok());
  }
}
