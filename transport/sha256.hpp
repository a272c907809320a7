// SHA-256 of bytes as they come. One thread at a time.
#pragma once

#include <array>
#include <string>
#include <string_view>

namespace dfota {

class Sha256 {
 public:
  Sha256();
  void update(std::string_view bytes);
  /// 64 lower-case hex digits, of what came so far.
  [[nodiscard]] std::string hex() const;

 private:
  static constexpr std::size_t kStateBytes = 128;
  alignas(16) std::array<unsigned char, kStateBytes> state_{};
};

}  // namespace dfota
