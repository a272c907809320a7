#include "transport/blake2b.hpp"

#include <sodium.h>

namespace dfota {
namespace {

template <class Room>
crypto_generichash_state* state_in(Room& room) {
  static_assert(sizeof(crypto_generichash_state) <= sizeof room);
  static_assert(alignof(crypto_generichash_state) <= 64);
  return reinterpret_cast<crypto_generichash_state*>(room.data());
}

}  // namespace

Blake2b::Blake2b() {
  crypto_generichash_init(state_in(state_), nullptr, 0, Hash().size());
}

void Blake2b::update(std::string_view bytes) {
  crypto_generichash_update(state_in(state_), reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
}

Blake2b::Hash Blake2b::hash() {
  Hash hash{};
  crypto_generichash_final(state_in(state_), hash.data(), hash.size());
  return hash;
}

}  // namespace dfota
