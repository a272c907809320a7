#include "transport/sha256.hpp"

#include <sodium.h>

namespace dfota {
namespace {

crypto_hash_sha256_state* state_in(std::array<unsigned char, 128>& room) {
  static_assert(sizeof(crypto_hash_sha256_state) <= sizeof room);
  return reinterpret_cast<crypto_hash_sha256_state*>(room.data());
}

}  // namespace

Sha256::Sha256() {
  crypto_hash_sha256_init(state_in(state_));
}

void Sha256::update(std::string_view bytes) {
  crypto_hash_sha256_update(state_in(state_), reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
}

std::string Sha256::hex() const {
  alignas(16) auto state = state_;  // the end of a hash spoils its state
  std::array<unsigned char, crypto_hash_sha256_BYTES> hash{};
  crypto_hash_sha256_final(state_in(state), hash.data());
  std::array<char, crypto_hash_sha256_BYTES * 2 + 1> text{};
  return sodium_bin2hex(text.data(), text.size(), hash.data(), hash.size());
}

}  // namespace dfota
