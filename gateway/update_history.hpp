// How long updates took on this gateway: what dry_run expects of the next ones. The newest deltas by their sha256, and
// sums for each model. A value that goes into the journal as one fact; loop thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "gateway/manifest.hpp"

namespace dfota {

class UpdateHistory {
 public:
  static constexpr auto kFact = "update_history";  ///< its name in the journal
  static constexpr std::size_t kMostDeltas = 256;

  UpdateHistory() = default;
  /// From document(); what cannot be read is none.
  explicit UpdateHistory(const std::string& document);
  [[nodiscard]] std::string document() const;

  /// One module has got from the delta's `from` to its `to`, in `seconds` from its turn to its verdict.
  void add(const Manifest& delta, const std::string& model, double seconds);

  /// The mean of this delta; else, by its bytes, what the model's updates took; nothing without either.
  [[nodiscard]] std::optional<double> expected_s(const Manifest& delta) const;

 private:
  void read(const std::string& document);

  struct Sum {
    std::uint64_t updates = 0, bytes = 0;
    double seconds = 0;
    std::uint64_t last = 0;  ///< the higher, the newer
  };
  std::map<std::string, Sum> deltas_, models_;
  std::uint64_t added_ = 0;
};

}  // namespace dfota
