// The cache of artifacts: each is brought once, from its origin or from a file of this machine, under the name of its
// sha256, whole and verified or not at all, and stays until its room is needed. On threads of its own: one for what is
// there, several for transfers. Member functions: loop thread; the awaiting coroutine goes on on the loop, also when
// Fetch is destroyed meanwhile. The loop must outlive it, and whoever still has a Hold may.
#pragma once

#include <asio/io_context.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "transport/artifact_cache.hpp"
#include "transport/base/awaitable.hpp"
#include "transport/base/result.hpp"

namespace dfota {

struct FetchOptions {
  std::filesystem::path directory;       ///< made when missing; temporary files that are of no use any more are removed
  std::uint64_t max_bytes = 2147483648;  ///< of all files in it, those included that are still coming
  /// Names or addresses; loopback and link-local origins are refused unless named here.
  std::vector<std::string> allow_hosts;
  std::string ca_file;
  long max_redirects = 5;
  std::chrono::seconds connect_limit{15};
  std::chrono::seconds stall_limit{30};  ///< on average under 256 bytes a second for so long: given up
  std::chrono::seconds total_limit{3600};
  std::chrono::milliseconds resume_pause{1000};  ///< before an answer that was cut is gone on with
};

struct FetchRequest {
  /// http or https, redirects too; its query is never logged. Empty: only what is there, or is coming already.
  std::string url;
  std::string sha256;  ///< 64 hex digits
  std::optional<std::uint64_t> size;
};

class Fetch {
 public:
  static constexpr std::size_t kMaxQueued = 256;    ///< transfers that wait for a thread, and likewise all else
  static constexpr std::size_t kMaxWaiting = 4096;  ///< requests without an answer yet

  using Cached = ArtifactCache::Cached;
  /// While one lives the file of that hash is neither evicted nor removed, be it there or not yet. Any thread may drop
  /// it.
  class Hold;

  Fetch(asio::io_context& loop, FetchOptions options);
  ~Fetch();  ///< cuts the transfers under way; who still waits gets Errc::canceled
  Fetch(const Fetch&) = delete;
  Fetch& operator=(const Fetch&) = delete;

  std::shared_ptr<const Hold> hold(const std::string& sha256);

  /// The verified file. One of that hash that is already there is hashed again and used; when it does not fit it is
  /// removed and fetched. Requests for one hash at one time share a transfer, from the origin of the first; when that
  /// fails, those with another URL or size get theirs. To keep the file take a hold first. Errors: mismatch (hash or
  /// size), absent/timeout (not there and no URL; origin not reachable, 4xx/5xx, cut off, too slow), refused (scheme,
  /// origin, certificate, too long), invalid (no URL, no hash), busy (kMaxQueued, kMaxWaiting), no_space (on the disk;
  /// within max_bytes without what is held), io, canceled. The message names the origin without its query and user.
  Awaitable<Result<Artifact>> fetch(FetchRequest request);
  /// Likewise from a file of this machine, which is copied: a regular file, no symbolic link (refused).
  Awaitable<Result<Artifact>> adopt(std::filesystem::path file, std::string sha256, std::uint64_t size);
  /// Errors: busy (it is held, or coming), absent, invalid (no hash), io, canceled.
  Awaitable<Result<void>> remove(std::string sha256);
  /// In no order. Errors: busy, io, canceled.
  Awaitable<Result<std::vector<Cached>>> contents();

  /// On the loop: this file had to go, for others needed its room.
  std::function<void(const std::string& sha256)> on_evicted;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

/// Lower-case hex sha256 of a file. Errors: absent, refused (no regular file), io.
Result<std::string> sha256_of(const std::filesystem::path& file);

}  // namespace dfota
