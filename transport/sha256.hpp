// SHA-256 of bytes as they come: the one file pair that includes libsodium for hashing. One thread at a time.
#pragma once

#include <array>
#include <string>
#include <string_view>

namespace dfota {

class Sha256 {
 public:
  Sha256();
  void update(std::string_view bytes);
  /// 64 lower-case hex digits. Once, at the end.
  std::string hex();

 private:
  static constexpr std::size_t kStateBytes = 128;
  alignas(16) std::array<unsigned char, kStateBytes> state_{};
};

}  // namespace dfota
