// Brings an artifact by URL into a directory, under the name of its sha256: hashed while it streams, into a temporary
// name, fsync, rename, fsync of the directory. Whole verified files or none. libcurl does the transfer, on one thread
// of our own, one at a time. Member functions: loop thread; the awaiting coroutine goes on on the loop, also when Fetch
// is destroyed meanwhile. The loop must outlive it.
#pragma once

#include <asio/io_context.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "transport/base/awaitable.hpp"
#include "transport/base/result.hpp"

namespace dfota {

struct FetchOptions {
  std::filesystem::path directory;       ///< made when missing; stale temporary files are removed at the start
  std::uint64_t max_bytes = 2147483648;  ///< a longer file is cut off
  /// Names or addresses; loopback and link-local origins are refused unless named here.
  std::vector<std::string> allow_hosts;
  std::string ca_file;
  long max_redirects = 5;
  std::chrono::seconds connect_limit{15};
  std::chrono::seconds stall_limit{30};  ///< under 1 byte a second for so long: given up
  std::chrono::seconds total_limit{3600};
};

struct FetchRequest {
  std::string url;     ///< http or https, redirects too; its query is never logged
  std::string sha256;  ///< 64 hex digits
  std::optional<std::uint64_t> size;
};

class Fetch {
 public:
  Fetch(asio::io_context& loop, FetchOptions options);
  ~Fetch();  ///< cuts the transfer under way; who still waits gets Errc::canceled

  static constexpr std::size_t kMaxQueued = 256;
  Fetch(const Fetch&) = delete;
  Fetch& operator=(const Fetch&) = delete;

  /// The path of the verified file. A file of that hash that is already there is hashed again and used; when it does
  /// not fit it is removed and fetched. Errors: mismatch (hash or size), absent/timeout (origin not reachable, 4xx/5xx,
  /// stalled), refused (scheme, origin, certificate, too long), invalid (no URL, no hash), busy (kMaxQueued wait
  /// already), no_space, io, canceled. The message names the origin without its query and user.
  Awaitable<Result<std::filesystem::path>> fetch(FetchRequest request);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

/// Lower-case hex sha256 of a file. Errors: absent, io.
Result<std::string> sha256_of(const std::filesystem::path& file);

}  // namespace dfota
