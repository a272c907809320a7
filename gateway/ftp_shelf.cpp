#include "gateway/ftp_shelf.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <asio/post.hpp>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <fstream>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "transport/base/log.hpp"
#include "transport/base/signal.hpp"
#include "transport/part_file.hpp"
#include "transport/sha256.hpp"

namespace dfota {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kNamePrefix = "dfota-";
constexpr std::string_view kPartPrefix = ".";
constexpr std::string_view kProbeName = ".dfota-probe";
constexpr std::size_t kHashDigits = 24;
constexpr std::size_t kMaxExtensionBytes = kFtpNameBytes - kNamePrefix.size() - kHashDigits;
constexpr std::size_t kBlockBytes = 262144;
constexpr mode_t kMode = 0644;  // the FTP server runs as somebody else

bool hex_digit(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

bool is_extension(std::string_view text) {
  return text.size() >= 2 && text.size() <= kMaxExtensionBytes && text.front() == '.' &&
         std::ranges::all_of(text.substr(1), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
         });
}

/// Of the form that put() gives; nothing else in the directory is ours.
bool is_name(std::string_view text) {
  const std::size_t before_extension = kNamePrefix.size() + kHashDigits;
  return text.size() > before_extension && text.starts_with(kNamePrefix) &&
         std::ranges::all_of(text.substr(kNamePrefix.size(), kHashDigits), hex_digit) &&
         is_extension(text.substr(before_extension));
}

bool is_part_name(std::string_view text) {
  return text.starts_with(kPartPrefix) && is_name(text.substr(kPartPrefix.size()));
}

Error with_advice(const Error& error) {
  const char* advice = error.code == Errc::no_space ? ": make room where ftp.dir is"
                                                    : ": the gateway must be allowed to write into ftp.dir";
  return Error(error.code, error.message + advice);
}

Error canceled() {
  return Error(Errc::canceled, "the program ends");
}

/// Where a coroutine waits: written and read on the loop only.
struct Waiter {
  explicit Waiter(asio::io_context& loop) : signal(loop) {}
  Signal signal;
  std::optional<Result<std::string>> result;
};

/// One copy, for all that wait for it.
struct Copy {
  Copy(std::string name, std::string sha256, fs::path artifact)
      : name(std::move(name)), sha256(std::move(sha256)), artifact(std::move(artifact)) {}
  const std::string name, sha256;
  const fs::path artifact;
  std::vector<std::shared_ptr<Waiter>> waiters;  ///< loop only
};

}  // namespace

class FtpShelf::Impl : public std::enable_shared_from_this<FtpShelf::Impl> {
 public:
  Impl(asio::io_context& loop, fs::path directory, int lock)
      : loop_(loop), directory_(std::move(directory)), lock_(lock), thread_([this] { work(); }) {}
  ~Impl() { stop(); }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  // The rest of the queue is worked off: removals are done, copies are answered by canceled.
  void stop() {
    if (!thread_.joinable()) return;
    {
      const std::lock_guard lock(mutex_);
      stopped_ = true;
    }
    wake_.notify_one();
    thread_.join();
    ::close(lock_);
  }

  [[nodiscard]] std::string directory() const { return directory_.string(); }

  void release(const std::string& name) {
    const auto entry = entries_.find(name);
    if (entry == entries_.end() || --entry->second.users > 0) return;
    entries_.erase(entry);
    enqueue([this, name] { remove(name); });
  }

  /// One use of a name, given back unless it is kept: also when the coroutine that puts is thrown away.
  class Use {
   public:
    Use(std::shared_ptr<Impl> shelf, std::string name) : shelf_(std::move(shelf)), name_(std::move(name)) {
      ++shelf_->entries_[name_].users;
    }
    ~Use() {
      if (!kept_) shelf_->release(name_);
    }
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;
    void keep() { kept_ = true; }

   private:
    std::shared_ptr<Impl> shelf_;
    std::string name_;
    bool kept_ = false;
  };

  /// Null when the queue is full. There is a Use of `name`.
  std::shared_ptr<Waiter> join(const std::string& name, std::string sha256, fs::path artifact) {
    Entry& entry = entries_.at(name);
    if (!entry.copy) {
      if (copies_ >= kMaxQueued) return nullptr;
      ++copies_;
      entry.copy = std::make_shared<Copy>(name, std::move(sha256), std::move(artifact));
      enqueue([this, copy = entry.copy] {
        auto result = bring(*copy);
        asio::post(loop_,
                   [self = shared_from_this(), copy, result = std::move(result)] { self->finish(copy, result); });
      });
    }
    entry.copy->waiters.push_back(std::make_shared<Waiter>(loop_));
    return entry.copy->waiters.back();
  }

  void sweep() {
    std::set<std::string> kept;
    for (const auto& [name, entry] : entries_) kept.insert(name);
    enqueue([this, kept = std::move(kept)] { remove_all_but(kept); });
  }

 private:
  struct Entry {
    unsigned users = 0;
    std::shared_ptr<Copy> copy;  ///< under way, or waits for its turn
  };
  using Sink = std::function<std::optional<Error>(std::string_view)>;

  void enqueue(std::function<void()> task) {
    {
      const std::lock_guard lock(mutex_);
      if (stopped_) return;
      tasks_.push_back(std::move(task));
    }
    wake_.notify_one();
  }

  void finish(const std::shared_ptr<Copy>& copy, const Result<std::string>& result) {
    --copies_;
    const auto entry = entries_.find(copy->name);
    if (entry != entries_.end() && entry->second.copy == copy) entry->second.copy.reset();
    for (const auto& waiter : copy->waiters) {
      waiter->result = result;
      waiter->signal.notify();
    }
    copy->waiters.clear();
  }

  // From here on: the shelf's thread.

  void work() {
    for (;;) {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stopped_ || !tasks_.empty(); });
      if (tasks_.empty()) return;
      const auto task = std::move(tasks_.front());
      tasks_.pop_front();
      lock.unlock();
      task();
    }
  }

  std::optional<Error> read(const fs::path& file, const Sink& sink) {
    std::ifstream in(file, std::ios::binary);
    if (!in) {
      const Errc code = errno == ENOENT ? Errc::absent : Errc::io;
      return Error(code, file.string() + " cannot be read (" + std::strerror(errno) + "): fetch the delta again");
    }
    std::vector<char> block(kBlockBytes);
    while (in.good()) {
      if (stopped_) return canceled();
      in.read(block.data(), static_cast<std::streamsize>(block.size()));
      if (auto error = sink(std::string_view(block.data(), static_cast<std::size_t>(in.gcount())))) return error;
    }
    if (in.bad()) return Error(Errc::io, file.string() + " cannot be read: look at the disk");
    return std::nullopt;
  }

  // What stands there has been written by us, is whole, and the server can read it.
  bool fits(const fs::path& path, const Copy& copy) {
    struct stat found {};
    if (::lstat(path.c_str(), &found) != 0 || !S_ISREG(found.st_mode) || (found.st_mode & 07777) != kMode) return false;
    Sha256 hash;
    const auto error = read(path, [&](std::string_view block) {
      hash.update(block);
      return std::optional<Error>();
    });
    return !error && hash.hex() == copy.sha256;
  }

  Result<std::string> bring(const Copy& copy) {
    if (stopped_) return canceled();
    const fs::path path = directory_ / copy.name;
    if (fits(path, copy)) return copy.name;

    PartFile part(path, kPartPrefix, kMode);
    if (auto fault = part.create()) return with_advice(*fault);
    std::optional<Error> written;
    const auto fault = read(copy.artifact, [&](std::string_view block) { return written = part.append(block); });
    if (written) return with_advice(*written);
    if (fault) return *fault;
    if (const std::string hash = part.sha256(); hash != copy.sha256) {
      return Error(Errc::mismatch, copy.artifact.string() + " has changed, its sha256 is " + hash + ": fetch it again");
    }
    if (auto unfinished = part.commit()) return with_advice(*unfinished);
    return copy.name;
  }

  void remove(const std::string& name) {
    std::error_code error;
    fs::remove(directory_ / name, error);
    if (error) log::warning("ftp: ", (directory_ / name).string(), " cannot be removed: ", error.message());
  }

  void remove_all_but(const std::set<std::string>& kept) {
    std::error_code error;
    std::vector<std::string> stale;
    for (fs::directory_iterator entry(directory_, error), end; !error && entry != end; entry.increment(error)) {
      const std::string name = entry->path().filename().string();
      if (is_part_name(name) || name == kProbeName || (is_name(name) && !kept.contains(name))) stale.push_back(name);
    }
    if (error) log::warning("ftp: ", directory_.string(), " cannot be searched for leftovers: ", error.message());
    for (const std::string& name : stale) remove(name);
    if (!stale.empty()) log::notice("ftp: ", stale.size(), " leftovers removed from ", directory_.string());
  }

  asio::io_context& loop_;
  const fs::path directory_;
  const int lock_;
  std::map<std::string, Entry> entries_;  ///< loop only
  std::size_t copies_ = 0;                ///< loop only
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> tasks_;  ///< under mutex_; at most a copy and a removal for each entry
  std::atomic<bool> stopped_{false};         ///< written under mutex_
  std::thread thread_;                       ///< last: it uses all the others
};

namespace {

/// Does the disk take a file? Rights alone do not tell (read-only mounts, access lists, quotas).
std::optional<Error> probe(const fs::path& directory) {
  const fs::path file = directory / kProbeName;
  PartFile part(file, "", kMode);
  if (auto error = part.create()) return with_advice(*error);
  if (auto error = part.append("x")) return with_advice(*error);
  return std::nullopt;
}

}  // namespace

Result<std::unique_ptr<FtpShelf>> FtpShelf::open(asio::io_context& loop, const FtpConfig& config) {
  const int lock = ::open(config.dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (lock < 0) {
    const bool missing = errno == ENOENT || errno == ENOTDIR;
    return Error(missing ? Errc::absent : Errc::io, "ftp.dir " + config.dir + ": " + std::strerror(errno) +
                                                        ": name the directory that the FTP server shows");
  }
  if (::flock(lock, LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) {
      ::close(lock);
      return Error(Errc::busy, "ftp.dir " + config.dir + " is used by another gateway: give each one of its own");
    }
    log::notice("ftp: ", config.dir, " cannot be locked (", std::strerror(errno), "): let no other gateway use it");
  }
  if (auto error = probe(config.dir)) {
    ::close(lock);
    return *error;
  }
  return std::unique_ptr<FtpShelf>(new FtpShelf(std::make_shared<Impl>(loop, config.dir, lock)));
}

FtpShelf::FtpShelf(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

FtpShelf::~FtpShelf() {
  impl_->stop();
}

std::string FtpShelf::name_of(const std::string& sha256, const std::string& extension) {
  return std::string(kNamePrefix) + sha256.substr(0, kHashDigits) + extension;
}

Awaitable<Result<std::string>> FtpShelf::put(std::string sha256, fs::path artifact, std::string extension) {
  if (sha256.size() != 64 || !std::ranges::all_of(sha256, hex_digit)) {
    co_return Error(Errc::invalid, "the sha256 is not 64 lower-case hex digits");
  }
  if (!is_extension(extension)) co_return Error(Errc::invalid, "the extension is not one like .bin");
  const std::string name = name_of(sha256, extension);
  const auto impl = impl_;  // Nothing of `this` from here on: the shelf may go meanwhile.
  Impl::Use use(impl, name);
  const auto waiter = impl->join(name, std::move(sha256), std::move(artifact));
  if (!waiter) co_return Error(Errc::busy, "too many deltas wait for " + impl->directory() + ": try again later");
  const auto deadline = Clock::now() + kPutLimit;
  while (!waiter->result && Clock::now() < deadline) co_await waiter->signal.wait_until(deadline);
  if (!waiter->result) {
    co_return Error(Errc::timeout, impl->directory() + " takes nothing: look at the disk where ftp.dir is");
  }
  if (waiter->result->ok()) use.keep();
  co_return *waiter->result;
}

void FtpShelf::drop(const std::string& name) {
  impl_->release(name);
}

void FtpShelf::sweep() {
  impl_->sweep();
}

}  // namespace dfota
