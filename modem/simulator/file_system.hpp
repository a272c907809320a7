// The module's own file system, "UFS": flat, with names of at most 80 bytes and a bound of its own. The files lie in
// one directory of the rack, so that they outlive reboots and restarts. On the loop's thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "transport/base/result.hpp"

namespace dfota::sim {

class FileSystem {
 public:
  static constexpr uint64_t kDefaultBytes = 16ULL << 20;
  static constexpr size_t kMaxNameBytes = 80;
  static constexpr size_t kMaxFiles = 256;

  explicit FileSystem(std::string dir, uint64_t capacity_bytes = kDefaultBytes)
      : dir_(std::move(dir)), capacity_bytes_(capacity_bytes) {}

  /// What an earlier rack has left. A directory that is not there is an empty file system.
  Result<void> load();

  [[nodiscard]] uint64_t total_bytes() const { return capacity_bytes_; }
  [[nodiscard]] uint64_t free_bytes() const;
  [[nodiscard]] bool has(const std::string& name) const { return sizes_.count(name) > 0; }
  /// Name and size of each file that fits the pattern: '*' stands for any bytes, '?' for one.
  [[nodiscard]] std::map<std::string, uint64_t> list(std::string_view pattern) const;
  /// Errc::absent, Errc::io.
  [[nodiscard]] Result<std::string> read(const std::string& name) const;
  /// The whole file or none of it. Errc::no_space, Errc::invalid (the name), Errc::io.
  Result<void> write(const std::string& name, std::string_view content);
  /// Errc::absent, Errc::io.
  Result<void> remove(const std::string& name);

  /// No control characters, quotes, slashes or wild cards, no dot in front.
  static bool is_name(std::string_view name);

 private:
  [[nodiscard]] std::string path_of(const std::string& name) const { return dir_ + "/" + name; }

  std::string dir_;
  uint64_t capacity_bytes_;
  std::map<std::string, uint64_t> sizes_;
};

}  // namespace dfota::sim
