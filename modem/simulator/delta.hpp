// The rack's own delta format. It carries no difference, only what a module must check before it flashes:
//   DFOTA-RACK-DELTA 1\n model: UC20\n from: <base>\n to: <target>\n size: <total bytes>\n \n <filler> <64 hex digits>
// where the last 64 bytes are the lower-case SHA-256 of everything before them. No I/O but write_delta.
#pragma once

#include <sodium/crypto_hash_sha256.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "transport/base/result.hpp"

namespace dfota::sim {

struct DeltaHeader {
  std::string model;
  std::string from;
  std::string to;
  uint64_t size = 0;
};

inline constexpr size_t kDeltaHashBytes = 64;
inline constexpr uint64_t kMaxDeltaBytes = 256ULL << 20;

/// Errc::invalid: size too small for the header and the hash, too large, or a value with a control character.
Result<std::string> make_delta(const DeltaHeader& header);
/// Writes make_delta's bytes; returns the SHA-256 of the whole file.
Result<std::string> write_delta(const std::string& path, const DeltaHeader& header);

/// Checks a package while it streams by: memory does not grow with the package, so a thousand modules can download at
/// once.
class DeltaCheck {
 public:
  DeltaCheck();
  void feed(std::string_view bytes);
  /// The header of a whole and sound package; Errc::mismatch when it is truncated, corrupt, or no package of ours.
  [[nodiscard]] Result<DeltaHeader> finish() const;
  /// SHA-256 of all bytes so far.
  [[nodiscard]] std::string sha256() const;
  [[nodiscard]] uint64_t bytes() const { return bytes_; }

 private:
  void hash_all_but_tail(std::string_view bytes);

  crypto_hash_sha256_state hash_;
  std::string head_;
  std::string tail_;
  uint64_t bytes_ = 0;
};

}  // namespace dfota::sim
