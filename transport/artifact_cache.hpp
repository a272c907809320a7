// The directory of artifacts: each under its sha256, beside parts of those that are still coming. It finds and
// verifies, keeps the bound of artifacts.max_bytes, and lets the least recently used go. Under Fetch. hold() and
// release(): any thread, they never wait for more than one rename; all else touches the disk: Fetch's threads.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "transport/base/result.hpp"

namespace dfota {

/// A verified file of the cache.
struct Artifact {
  std::filesystem::path path;
  std::uint64_t size = 0;
  std::array<unsigned char, 64> blake2b{};  ///< of its bytes: what minisign signs
};

class ArtifactCache {
 public:
  struct Cached {
    std::string sha256;
    std::uint64_t size = 0;
    std::chrono::system_clock::time_point used_at;
  };
  using Stopped = std::function<bool()>;

  /// `evicted` is told the sha256 of each whole file that had to go, on the thread that needed its room.
  ArtifactCache(std::filesystem::path directory, std::uint64_t max_bytes,
                std::function<void(const std::string&)> evicted);
  ArtifactCache(const ArtifactCache&) = delete;
  ArtifactCache& operator=(const ArtifactCache&) = delete;

  /// Makes the directory, and removes temporary files that nothing can be made of.
  void prepare();

  void hold(const std::string& sha256);
  void release(const std::string& sha256);

  [[nodiscard]] std::filesystem::path path_of(const std::string& sha256) const { return directory_ / sha256; }
  /// The file, when its bytes are of that hash; one that is damaged is removed. Null when there is none. Errors: io,
  /// canceled.
  Result<std::optional<Artifact>> find(const std::string& sha256, const Stopped& stopped);
  /// From now on it is the most recently used one.
  void used(const std::string& sha256);
  /// Whole and in part. Errors: busy (it is held), absent, io.
  Result<void> remove(const std::string& sha256);
  Result<std::vector<Cached>> contents();

  /// The room of a part that is being written: counted, and not evicted, as long as this lives.
  class Room {
   public:
    Room(ArtifactCache& cache, std::string sha256);
    ~Room();
    Room(const Room&) = delete;
    Room& operator=(const Room&) = delete;
    /// That the part may have so many bytes: others go for it. Errors: no_space (they are in use), io.
    std::optional<Error> grow(std::uint64_t bytes);

   private:
    ArtifactCache& cache_;
    const std::string sha256_;
    std::uint64_t bytes_ = 0;
  };

 private:
  struct Entry {
    std::filesystem::path path;
    std::string sha256;  ///< empty: not a file of ours
    bool part = false;
    std::uint64_t size = 0;
    std::chrono::system_clock::time_point used_at;
  };

  Result<std::vector<Entry>> list() const;
  [[nodiscard]] bool is_held(const std::string& sha256) const;
  std::optional<Error> make_room(const std::string& sha256, std::uint64_t bytes);
  bool evict(const Entry& entry);
  bool take_away(const std::filesystem::path& path, const std::string& sha256);

  const std::filesystem::path directory_;
  const std::uint64_t max_bytes_;
  const std::function<void(const std::string&)> evicted_;

  mutable std::mutex holds_mutex_;  ///< taken last, and for a rename at most
  std::map<std::string, unsigned> holds_;

  std::mutex disk_mutex_;                       ///< one change of the directory at a time
  std::map<std::string, std::uint64_t> rooms_;  ///< of the parts that are being written
  std::uint64_t spare_bytes_ = 0;               ///< still free at the last look, and not given away since
};

/// Lower case, or empty when it is not 64 hex digits.
std::string normal_sha256(std::string text);

}  // namespace dfota
