#include "transport/artifact_cache.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "transport/base/log.hpp"
#include "transport/blake2b.hpp"
#include "transport/file_reader.hpp"
#include "transport/part_file.hpp"
#include "transport/sha256.hpp"

namespace dfota {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kGonePrefix = ".gone-";

std::chrono::system_clock::time_point time_of(const timespec& time) {
  const auto since = std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
  return std::chrono::system_clock::time_point(std::chrono::duration_cast<std::chrono::system_clock::duration>(since));
}

Error disk_error(const fs::path& path, int code) {
  return Error(Errc::io, path.string() + ": " + std::strerror(code));
}

}  // namespace

std::string normal_sha256(std::string text) {
  if (text.size() != 64) return {};
  for (char& c : text) {
    if (c >= 'A' && c <= 'F') c = static_cast<char>(c - 'A' + 'a');
    if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) return {};
  }
  return text;
}

ArtifactCache::ArtifactCache(fs::path directory, std::uint64_t max_bytes,
                             std::function<void(const std::string&)> evicted)
    : directory_(std::move(directory)), max_bytes_(max_bytes), evicted_(std::move(evicted)) {}

void ArtifactCache::prepare() {
  std::error_code error;
  fs::create_directories(directory_, error);
  std::vector<fs::path> stale;
  for (fs::directory_iterator entry(directory_, error), end; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    const bool part = name.starts_with(PartFile::kPrefix);
    const bool can_go_on = part && !normal_sha256(name.substr(PartFile::kPrefix.size())).empty();
    if ((part && !can_go_on) || name.starts_with(kGonePrefix)) stale.push_back(entry->path());
  }
  for (const auto& path : stale) fs::remove(path, error);
}

void ArtifactCache::hold(const std::string& sha256) {
  const std::lock_guard lock(holds_mutex_);
  ++holds_[sha256];
}

void ArtifactCache::release(const std::string& sha256) {
  const std::lock_guard lock(holds_mutex_);
  const auto found = holds_.find(sha256);
  if (found != holds_.end() && --found->second == 0) holds_.erase(found);
}

bool ArtifactCache::is_held(const std::string& sha256) const {
  return holds_.contains(sha256);
}

Result<std::optional<Artifact>> ArtifactCache::find(const std::string& sha256, const Stopped& stopped) {
  // An eviction that chose its files before this one was held has to end first.
  { const std::lock_guard lock(disk_mutex_); }
  Artifact artifact;
  artifact.path = path_of(sha256);
  struct stat found {};
  if (::lstat(artifact.path.c_str(), &found) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return std::optional<Artifact>();
    return disk_error(artifact.path, errno);
  }
  if (S_ISREG(found.st_mode)) {
    Sha256 hash;
    Blake2b blake;
    const auto fault = read_file(artifact.path, [&](std::string_view bytes) -> std::optional<Error> {
      if (stopped()) return Error(Errc::canceled, "the program ends");
      hash.update(bytes);
      blake.update(bytes);
      artifact.size += bytes.size();
      return std::nullopt;
    });
    if (fault) return *fault;
    if (hash.hex() == sha256) {
      artifact.blake2b = blake.hash();
      return std::optional(artifact);
    }
  }
  log::warning("artifacts: ", artifact.path.string(), " is damaged, removed");
  std::error_code error;
  if (!fs::remove(artifact.path, error)) {
    return Error(Errc::io, artifact.path.string() + " is damaged and cannot be removed");
  }
  return std::optional<Artifact>();
}

void ArtifactCache::used(const std::string& sha256) {
  const std::lock_guard lock(disk_mutex_);
  // A clock that went back, as on a board without a battery, must not make the newest file the oldest.
  auto now = std::chrono::system_clock::now();
  if (const auto entries = list()) {
    for (const Entry& entry : *entries) {
      if (entry.sha256 != sha256) now = std::max(now, entry.used_at + std::chrono::microseconds(1));
    }
  }
  const auto since = now.time_since_epoch();
  const auto whole = std::chrono::duration_cast<std::chrono::seconds>(since);
  timespec times[2] = {{0, UTIME_OMIT}, {whole.count(), (since - whole) / std::chrono::nanoseconds(1)}};
  const fs::path path = path_of(sha256);
  if (::utimensat(AT_FDCWD, path.c_str(), times, AT_SYMLINK_NOFOLLOW) != 0) {
    log::notice("artifacts: when ", path.string(), " was used cannot be noted: ", std::strerror(errno));
  }
}

/// Away from its name at once, unless it is held; its bytes go afterwards, which may take a while.
bool ArtifactCache::take_away(const fs::path& path, const std::string& sha256) {
  const fs::path gone = directory_ / (std::string(kGonePrefix) + path.filename().string());
  {
    const std::lock_guard lock(holds_mutex_);
    if (is_held(sha256)) return false;
    if (::rename(path.c_str(), gone.c_str()) != 0) return false;
  }
  if (::unlink(gone.c_str()) != 0) {
    log::warning("artifacts: ", gone.string(), " cannot be removed: ", std::strerror(errno));
  }
  return true;
}

Result<void> ArtifactCache::remove(const std::string& sha256) {
  const std::lock_guard lock(disk_mutex_);
  const fs::path part = directory_ / (std::string(PartFile::kPrefix) + sha256);
  bool there = false;
  for (const auto& path : {path_of(sha256), part}) {
    struct stat found {};
    if (::lstat(path.c_str(), &found) != 0) continue;
    there = true;
    if (take_away(path, sha256)) continue;
    const std::lock_guard held(holds_mutex_);
    if (is_held(sha256)) return Error(Errc::busy, "the artifact " + sha256 + " is in use");
    return Error(Errc::io, path.string() + " cannot be removed");
  }
  if (!there) return Error(Errc::absent, "there is no artifact " + sha256);
  return {};
}

Result<std::vector<ArtifactCache::Entry>> ArtifactCache::list() const {
  std::vector<Entry> entries;
  std::error_code error;
  fs::directory_iterator item(directory_, error);
  for (const fs::directory_iterator end; !error && item != end; item.increment(error)) {
    struct stat found {};
    if (::lstat(item->path().c_str(), &found) != 0 || !S_ISREG(found.st_mode)) continue;
    Entry entry;
    entry.path = item->path();
    const std::string name = entry.path.filename().string();
    entry.part = name.starts_with(PartFile::kPrefix);
    const std::string hash = entry.part ? name.substr(PartFile::kPrefix.size()) : name;
    if (normal_sha256(hash) == hash) entry.sha256 = hash;
    entry.size = static_cast<std::uint64_t>(found.st_size);
    entry.used_at = time_of(found.st_mtim);
    entries.push_back(std::move(entry));
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    return Error(Errc::io, directory_.string() + ": " + error.message());
  }
  return entries;
}

Result<std::vector<ArtifactCache::Cached>> ArtifactCache::contents() {
  const std::lock_guard lock(disk_mutex_);
  const auto entries = list();
  if (!entries) return entries.error();
  std::vector<Cached> cached;
  for (const Entry& entry : *entries) {
    if (!entry.part && !entry.sha256.empty()) cached.push_back(Cached{entry.sha256, entry.size, entry.used_at});
  }
  return cached;
}

bool ArtifactCache::evict(const Entry& entry) {
  if (!take_away(entry.path, entry.sha256)) return false;
  log::notice("artifacts: ", entry.path.filename().string(), " (", entry.size,
              " bytes) had to go: the cache is at artifacts.max_bytes");
  if (!entry.part) evicted_(entry.sha256);
  return true;
}

/// So that the part of `sha256` may have `bytes`, all others keep what they have been given, and the bound is kept.
std::optional<Error> ArtifactCache::make_room(const std::string& sha256, std::uint64_t bytes) {
  auto entries = list();
  if (!entries) return entries.error();
  std::uint64_t total = bytes;
  for (const auto& [other, room] : rooms_) total += other == sha256 ? 0 : room;
  std::vector<Entry> may_go;
  std::uint64_t can_be_freed = 0;
  for (Entry& entry : *entries) {
    if (rooms_.contains(entry.sha256)) continue;  // counted: its part, or what has just become of it
    total += entry.size;
    const std::lock_guard lock(holds_mutex_);
    if (entry.sha256.empty() || is_held(entry.sha256)) continue;
    can_be_freed += entry.size;
    may_go.push_back(std::move(entry));
  }
  const Error full(Errc::no_space, "no room within artifacts.max_bytes (" + std::to_string(max_bytes_) +
                                       "): all that is cached is in use");
  if (total > max_bytes_ && total - max_bytes_ > can_be_freed) return full;
  std::ranges::sort(may_go, {}, &Entry::used_at);
  for (const Entry& entry : may_go) {
    if (total <= max_bytes_) break;
    if (evict(entry)) total -= entry.size;
  }
  if (total > max_bytes_) return full;
  spare_bytes_ = max_bytes_ - total;
  return std::nullopt;
}

ArtifactCache::Room::Room(ArtifactCache& cache, std::string sha256) : cache_(cache), sha256_(std::move(sha256)) {
  const std::lock_guard lock(cache_.disk_mutex_);
  struct stat found {};
  const fs::path part = cache_.directory_ / (std::string(PartFile::kPrefix) + sha256_);
  if (::lstat(part.c_str(), &found) == 0) bytes_ = static_cast<std::uint64_t>(found.st_size);
  cache_.rooms_[sha256_] = bytes_;
}

ArtifactCache::Room::~Room() {
  const std::lock_guard lock(cache_.disk_mutex_);
  cache_.rooms_.erase(sha256_);
  cache_.spare_bytes_ = 0;  // what it became is counted at the next look
}

std::optional<Error> ArtifactCache::Room::grow(std::uint64_t bytes) {
  if (bytes <= bytes_) return std::nullopt;
  const std::lock_guard lock(cache_.disk_mutex_);
  const auto more = bytes - bytes_;
  if (more <= cache_.spare_bytes_) {
    cache_.spare_bytes_ -= more;
  } else if (auto error = cache_.make_room(sha256_, bytes)) {
    return error;
  }
  bytes_ = bytes;
  cache_.rooms_[sha256_] = bytes;
  return std::nullopt;
}

}  // namespace dfota
