// A file that is being written under a temporary name and gets its own name only when it is whole and verified. Under
// Fetch and FtpShelf, on their threads. Removed when destroyed before commit(), unless keep() was said.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <functional>
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
  /// Goes on with what an earlier one kept, once `seen` has been given all its bytes; false from it ends that. False
  /// when there is nothing to go on with: then create().
  bool resume(const std::function<bool(std::string_view)>& seen);
  std::optional<Error> append(std::string_view bytes);
  /// Empty again.
  std::optional<Error> restart();
  [[nodiscard]] std::uint64_t size() const { return size_; }
  [[nodiscard]] std::string sha256() const { return hash_.hex(); }
  /// Its bytes on the disk.
  std::optional<Error> sync();
  /// On the disk, under its name (read-only, when no mode was given): file, rename and directory are synced. Errors:
  /// no_space, io.
  std::optional<Error> commit();
  /// Stays under its temporary name.
  void keep();

 private:
  std::filesystem::path final_path_;
  std::filesystem::path part_path_;
  std::optional<mode_t> mode_;
  int descriptor_ = -1;
  std::uint64_t size_ = 0;
  Sha256 hash_;
};

}  // namespace dfota
