// A file that is being written under a temporary name and gets its own name only when it is whole and verified. Under
// Fetch and FtpShelf, on their threads. Removed when destroyed before commit().
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "transport/base/result.hpp"
#include "transport/sha256.hpp"

namespace dfota {

class PartFile {
 public:
  static constexpr std::string_view kPrefix = ".part-";

  explicit PartFile(std::filesystem::path final_path);
  /// The temporary name begins with `prefix`; `mode` is what the file has in the end, whatever the umask.
  PartFile(std::filesystem::path final_path, std::string_view prefix, mode_t mode);
  ~PartFile();
  PartFile(const PartFile&) = delete;
  PartFile& operator=(const PartFile&) = delete;

  std::optional<Error> create();
  std::optional<Error> append(std::string_view bytes);
  [[nodiscard]] std::uint64_t size() const { return size_; }
  std::string sha256() { return hash_.hex(); }
  /// On the disk, under its name (read-only, when no mode was given): file, rename and directory are synced. Errors:
  /// no_space, io.
  std::optional<Error> commit();

 private:
  std::filesystem::path final_path_;
  std::filesystem::path part_path_;
  std::optional<mode_t> mode_;
  int descriptor_ = -1;
  std::uint64_t size_ = 0;
  Sha256 hash_;
};

}  // namespace dfota
