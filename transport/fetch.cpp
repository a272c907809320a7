#include "transport/fetch.hpp"

#include <asio/post.hpp>
#include <condition_variable>
#include <deque>
#include <fstream>
#include <mutex>
#include <thread>

#include "transport/base/signal.hpp"
#include "transport/download.hpp"
#include "transport/part_file.hpp"
#include "transport/sha256.hpp"

namespace dfota {
namespace {

namespace fs = std::filesystem;

/// Where a coroutine waits: written and read on the loop only.
struct Waiter {
  explicit Waiter(asio::io_context& loop) : signal(loop) {}
  Signal signal;
  std::optional<Result<fs::path>> result;
};

struct Job {
  Job(FetchRequest request, std::string origin, std::shared_ptr<Waiter> waiter)
      : request(std::move(request)), origin(std::move(origin)), waiter(std::move(waiter)) {}
  FetchRequest request;
  std::string origin;
  std::shared_ptr<Waiter> waiter;
};

/// Lower case, or empty when it is none.
std::string normal_hash(std::string hash) {
  if (hash.size() != 64) return {};
  for (char& c : hash) {
    if (c >= 'A' && c <= 'F') c = static_cast<char>(c - 'A' + 'a');
    if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) return {};
  }
  return hash;
}

Result<std::string> hash_file(const fs::path& file, const std::function<bool()>& stopped) {
  std::error_code error;
  if (!fs::exists(file, error)) return Error(Errc::absent, file.string() + ": no such file");
  std::ifstream in(file, std::ios::binary);
  if (!in || !fs::is_regular_file(file, error)) return Error(Errc::io, file.string() + " cannot be read");
  Sha256 hash;
  std::vector<char> block(262144);
  while (in.good()) {
    if (stopped()) return Error(Errc::canceled, "the program ends");
    in.read(block.data(), static_cast<std::streamsize>(block.size()));
    hash.update(std::string_view(block.data(), static_cast<std::size_t>(in.gcount())));
  }
  if (in.bad()) return Error(Errc::io, file.string() + " cannot be read");
  return hash.hex();
}

Error size_mismatch(std::uint64_t expected, const std::string& found) {
  return Error(Errc::mismatch, "its size should be " + std::to_string(expected) + ", but is " + found);
}

}  // namespace

class Fetch::Impl {
 public:
  Impl(asio::io_context& loop, FetchOptions options)
      : loop_(loop), options_(std::move(options)), download_(options_), thread_([this] { work(); }) {}

  ~Impl() {
    {
      const std::lock_guard lock(mutex_);
      download_.stop();
    }
    wake_.notify_one();
    thread_.join();
    for (auto& job : queue_) answer(job, Error(Errc::canceled, "the program ends"));
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  /// False when the queue is full.
  bool put(FetchRequest request, std::string origin, const std::shared_ptr<Waiter>& waiter) {
    {
      const std::lock_guard lock(mutex_);
      if (queue_.size() >= kMaxQueued) return false;
      queue_.emplace_back(std::move(request), std::move(origin), waiter);
    }
    wake_.notify_one();
    return true;
  }

  [[nodiscard]] asio::io_context& loop() const { return loop_; }

 private:
  void work() {
    prepare_directory();
    for (;;) {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return download_.stopped() || !queue_.empty(); });
      if (download_.stopped()) return;
      Job job = std::move(queue_.front());
      queue_.pop_front();
      lock.unlock();
      auto result = bring(job.request);
      if (!result) result = Error(result.error().code, job.origin + ": " + result.error().message);
      answer(job, std::move(result));
    }
  }

  /// The waiter goes back to the loop with its answer: its timer must not be destroyed here.
  void answer(Job& job, Result<fs::path> result) {
    asio::post(loop_, [waiter = std::move(job.waiter), result = std::move(result)] {
      waiter->result = result;
      waiter->signal.notify();
    });
  }

  void prepare_directory() {
    std::error_code error;
    fs::create_directories(options_.directory, error);
    std::vector<fs::path> stale;
    for (fs::directory_iterator entry(options_.directory, error), end; !error && entry != end; entry.increment(error)) {
      if (entry->path().filename().string().starts_with(PartFile::kPrefix)) stale.push_back(entry->path());
    }
    for (const auto& path : stale) fs::remove(path, error);
  }

  /// The file that is there already, when it is what its name says.
  std::optional<Result<fs::path>> find(const FetchRequest& request, const fs::path& path) {
    std::error_code error;
    if (!fs::exists(fs::symlink_status(path, error))) return std::nullopt;
    if (fs::is_regular_file(fs::symlink_status(path, error))) {
      const auto hash = hash_file(path, [this] { return download_.stopped(); });
      if (!hash && hash.error().code == Errc::canceled) return hash.error();
      if (hash && *hash == request.sha256) {
        const auto size = fs::file_size(path, error);
        if (request.size && size != *request.size) return size_mismatch(*request.size, std::to_string(size));
        return path;
      }
    }
    if (!fs::remove(path, error)) return Error(Errc::io, path.string() + " is damaged and cannot be removed");
    return std::nullopt;
  }

  Result<fs::path> bring(const FetchRequest& request) {
    const fs::path path = options_.directory / request.sha256;
    if (request.size && *request.size > options_.max_bytes) {
      return Error(Errc::refused, "longer than artifacts.max_bytes");
    }
    if (auto found = find(request, path)) return *found;

    PartFile file(path);
    if (auto error = file.create()) return *error;
    const Download::Sink sink = [this, &file, &request](std::string_view bytes) -> std::optional<Error> {
      const auto size = file.size() + bytes.size();
      if (request.size && size > *request.size) return size_mismatch(*request.size, "more");
      if (size > options_.max_bytes) return Error(Errc::refused, "longer than artifacts.max_bytes");
      return file.append(bytes);
    };
    if (auto done = download_.get(request.url, sink); !done) return done.error();
    if (request.size && file.size() != *request.size) return size_mismatch(*request.size, std::to_string(file.size()));
    const std::string hash = file.sha256();
    if (hash != request.sha256) return Error(Errc::mismatch, "its sha256 is " + hash + ", not " + request.sha256);
    if (auto error = file.commit()) return *error;
    return path;
  }

  asio::io_context& loop_;
  const FetchOptions options_;
  Download download_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Job> queue_;  ///< under mutex_
  std::thread thread_;     ///< last: it uses all the others
};

Fetch::Fetch(asio::io_context& loop, FetchOptions options) : impl_(std::make_unique<Impl>(loop, std::move(options))) {}

Fetch::~Fetch() = default;

Awaitable<Result<fs::path>> Fetch::fetch(FetchRequest request) {
  auto origin = origin_of(request.url);
  if (!origin) co_return origin.error();
  request.sha256 = normal_hash(request.sha256);
  if (request.sha256.empty()) co_return Error(Errc::invalid, *origin + ": the sha256 is not 64 hex digits");
  const auto waiter = std::make_shared<Waiter>(impl_->loop());
  if (!impl_->put(std::move(request), *origin, waiter)) {
    co_return Error(Errc::busy, *origin + ": too many artifacts wait to be fetched");
  }
  // Nothing of `this` from here on. The wait ends by the limits of the transfers before and of this one, or by ~Fetch.
  while (!waiter->result) co_await waiter->signal.wait_until(Clock::time_point::max());
  co_return std::move(*waiter->result);
}

Result<std::string> sha256_of(const fs::path& file) {
  return hash_file(file, [] { return false; });
}

}  // namespace dfota
