// BLAKE2b-512 of bytes as they come, without a key: what minisign signs of a file. One thread at a time.
#pragma once

#include <array>
#include <string_view>

namespace dfota {

class Blake2b {
 public:
  using Hash = std::array<unsigned char, 64>;

  Blake2b();
  void update(std::string_view bytes);
  /// Once, at the end.
  Hash hash();

 private:
  static constexpr std::size_t kStateBytes = 384;
  alignas(64) std::array<unsigned char, kStateBytes> state_{};
};

}  // namespace dfota
