// SQLite's file system with a memory: while one of these lives, every database opens through it. It records each write,
// truncation, sync and deletion, so that a test can lay out what a disk holds when the power goes before any one of
// them; and it can let one of them fail. https://www.sqlite.org/vfs.html. One at a time, one thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace dfota::test {

struct DiskOperation {
  enum class Kind { write, truncate, sync, remove, sync_directory };
  Kind kind;
  std::string file;         ///< its name without the directory
  std::int64_t offset = 0;  ///< of a write; of a truncation: the size
  std::string bytes{};      ///< of a write
};

class LossyVfs {
 public:
  LossyVfs();
  ~LossyVfs();  ///< every database is closed before
  LossyVfs(const LossyVfs&) = delete;
  LossyVfs& operator=(const LossyVfs&) = delete;

  [[nodiscard]] const std::vector<DiskOperation>& operations() const;
  /// The operation with this number, and no other, does nothing and is an SQLITE_IOERR_... .
  void fail(std::size_t operation);

  class State;

 private:
  std::unique_ptr<State> state_;
};

/// Whether something that was not synced is on the disk all the same: asked for each 512-byte sector of each write, and
/// for each truncation and deletion.
using Survives = std::function<bool()>;

/// Writes the files into `dir` as a disk has them when the power goes before operation `count`.
void write_disk(const std::vector<DiskOperation>& operations, std::size_t count, const std::filesystem::path& dir,
                const Survives& survives);

}  // namespace dfota::test
