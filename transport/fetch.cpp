#include "transport/fetch.hpp"

#include <algorithm>
#include <asio/post.hpp>
#include <map>
#include <utility>

#include "transport/artifact_transfer.hpp"
#include "transport/base/signal.hpp"
#include "transport/fetch_threads.hpp"
#include "transport/file_reader.hpp"
#include "transport/http_url.hpp"
#include "transport/sha256.hpp"

namespace dfota {
namespace {

namespace fs = std::filesystem;

/// Where a coroutine waits: written and read on the loop only.
template <class T>
struct Waiter {
  explicit Waiter(asio::io_context& loop) : signal(loop) {}
  Signal signal;
  std::optional<Result<T>> result;

  void answer(Result<T> with) {
    result = std::move(with);
    signal.notify();
  }
};

template <class T>
Awaitable<Result<T>> answer_of(std::shared_ptr<Waiter<T>> waiter) {
  while (!waiter->result) co_await waiter->signal.wait_until(Clock::time_point::max());
  co_return std::move(*waiter->result);
}

/// Where an artifact can come from.
struct Source {
  std::string url;
  fs::path file;
  std::string name;  ///< for messages
  std::optional<std::uint64_t> size;
  [[nodiscard]] std::string server() const { return url.empty() ? "file" : server_of(url); }
  [[nodiscard]] bool is_any() const { return !url.empty() || !file.empty(); }
  [[nodiscard]] bool same(const Source& other) const {
    return url == other.url && file == other.file && size == other.size;
  }
};

struct Request {
  Source source;
  std::shared_ptr<Waiter<Artifact>> waiter;
};

Error no_hash(const std::string& whose) {
  return Error(Errc::invalid, whose + ": the sha256 is not 64 hex digits");
}

Error canceled() {
  return Error(Errc::canceled, "the program ends");
}

}  // namespace

class Fetch::Hold {
 public:
  Hold(std::shared_ptr<ArtifactCache> cache, std::string sha256)
      : cache_(std::move(cache)), sha256_(std::move(sha256)) {
    cache_->hold(sha256_);
  }
  ~Hold() { cache_->release(sha256_); }
  Hold(const Hold&) = delete;
  Hold& operator=(const Hold&) = delete;

 private:
  const std::shared_ptr<ArtifactCache> cache_;
  const std::string sha256_;
};

class Fetch::Impl : public std::enable_shared_from_this<Fetch::Impl> {
 public:
  Impl(asio::io_context& loop, FetchOptions options, Fetch& owner)
      : loop_(loop),
        options_(std::move(options)),
        owner_(&owner),
        cache_(std::make_shared<ArtifactCache>(options_.directory, options_.max_bytes,
                                               [this](const std::string& sha256) { tell_evicted(sha256); })),
        threads_(options_) {
    threads_.put([this] { cache_->prepare(); });
  }

  void stop() {
    owner_ = nullptr;
    threads_.stop();
    for (auto& [sha256, flight] : std::exchange(flights_, {})) {
      for (const Request& request : flight.requests) answer(request, canceled());
    }
  }

  std::shared_ptr<const Hold> hold(const std::string& sha256) { return std::make_shared<const Hold>(cache_, sha256); }

  std::shared_ptr<Waiter<Artifact>> join(const std::string& sha256, Source source) {
    Request request{std::move(source), std::make_shared<Waiter<Artifact>>(loop_)};
    ++waiting_;
    if (request.source.size.value_or(0) > options_.max_bytes) {
      answer(request, Error(Errc::refused, "longer than artifacts.max_bytes"));
    } else if (waiting_ > kMaxWaiting) {
      answer(request, busy());
    } else if (const auto found = flights_.find(sha256); found != flights_.end()) {
      found->second.requests.push_back(request);
    } else if (look(sha256)) {
      Flight& flight = flights_[sha256];
      flight.hold = hold(sha256);
      flight.requests.push_back(request);
    } else {
      answer(request, busy());
    }
    return request.waiter;
  }

  /// `work` on the thread of what is there. All tasks that are taken are run, so each waiter is answered, on the loop:
  /// its timer must not be destroyed elsewhere.
  template <class T>
  std::shared_ptr<Waiter<T>> ask(std::function<Result<T>(ArtifactCache&)> work) {
    auto waiter = std::make_shared<Waiter<T>>(loop_);
    const bool taken = threads_.put([this, waiter, work = std::move(work)]() mutable {
      auto result = threads_.stopped() ? Result<T>(canceled()) : work(*cache_);
      asio::post(loop_, [waiter = std::move(waiter), result = std::move(result)] { waiter->answer(result); });
    });
    if (!taken) waiter->answer(busy());
    return waiter;
  }

 private:
  /// All that wait for one artifact.
  struct Flight {
    std::shared_ptr<const Hold> hold;
    std::vector<Request> requests;
    Source source;  ///< of the transfer under way
  };
  using Found = Result<std::optional<Artifact>>;

  [[nodiscard]] Error busy() const {
    return threads_.stopped() ? canceled() : Error(Errc::busy, "too many artifacts wait to be fetched");
  }

  void answer(const Request& request, Result<Artifact> result) {
    --waiting_;
    if (result && request.source.size && *request.source.size != result->size) {
      result = Error(Errc::mismatch, "its size should be " + std::to_string(*request.source.size) + ", but is " +
                                         std::to_string(result->size));
    }
    if (!result) result = Error(result.error().code, request.source.name + ": " + result.error().message);
    request.waiter->answer(std::move(result));
  }

  /// Is it there?
  bool look(const std::string& sha256) {
    return threads_.put([this, sha256] {
      auto found = cache_->find(sha256, [this] { return threads_.stopped(); });
      if (found && *found) cache_->used(sha256);
      asio::post(loop_, [self = shared_from_this(), sha256, found = std::move(found)] { self->looked(sha256, found); });
    });
  }

  void looked(const std::string& sha256, const Found& found) {
    const auto flight = flights_.find(sha256);
    if (flight == flights_.end()) return;
    if (!found) {
      end(flight, found.error());
    } else if (*found) {
      end(flight, **found);
    } else {
      bring_next(flight);
    }
  }

  using FlightIt = std::map<std::string, Flight>::iterator;

  void end(FlightIt flight, const Result<Artifact>& result) {
    const Flight ended = std::move(flight->second);
    flights_.erase(flight);
    for (const Request& request : ended.requests) answer(request, result);
  }

  /// From the first that says where from.
  void bring_next(FlightIt flight) {
    const auto& requests = flight->second.requests;
    const auto next = std::ranges::find_if(requests, [](const Request& request) { return request.source.is_any(); });
    if (next == requests.end()) return end(flight, Error(Errc::absent, "it is not in the cache"));
    const Source source = flight->second.source = next->source;
    const std::string sha256 = flight->first;
    const bool taken = threads_.put(source.server(), [this, sha256, source](Download& download) {
      auto result = bring(sha256, source, download);
      asio::post(loop_,
                 [self = shared_from_this(), sha256, result = std::move(result)] { self->brought(sha256, result); });
    });
    if (!taken) end(flight, busy());
  }

  Result<Artifact> bring(const std::string& sha256, const Source& source, Download& download) {
    ArtifactTransfer transfer(*cache_, options_, download, sha256, source.size);
    auto result = source.url.empty() ? transfer.from_file(source.file) : transfer.from_origin(source.url);
    if (result) cache_->used(sha256);
    return result;
  }

  void brought(const std::string& sha256, const Result<Artifact>& result) {
    const auto flight = flights_.find(sha256);
    if (flight == flights_.end()) return;
    if (result) return end(flight, result);
    // Who would ask the same of the same origin has its answer; the others have theirs to try.
    auto& requests = flight->second.requests;
    const auto others = std::stable_partition(requests.begin(), requests.end(), [&](const Request& request) {
      return request.source.same(flight->second.source);
    });
    const std::vector<Request> failed(requests.begin(), others);
    requests.erase(requests.begin(), others);
    for (const Request& request : failed) answer(request, result);
    if (requests.empty()) {
      flights_.erase(flight);
    } else {
      bring_next(flight);
    }
  }

  void tell_evicted(const std::string& sha256) {
    asio::post(loop_, [self = shared_from_this(), sha256] {
      if (self->owner_ != nullptr && self->owner_->on_evicted) self->owner_->on_evicted(sha256);
    });
  }

  asio::io_context& loop_;
  const FetchOptions options_;
  Fetch* owner_;  ///< null once it is destroyed
  const std::shared_ptr<ArtifactCache> cache_;
  std::map<std::string, Flight> flights_;
  std::size_t waiting_ = 0;
  FetchThreads threads_;  ///< last: they use all the others
};

Fetch::Fetch(asio::io_context& loop, FetchOptions options)
    : impl_(std::make_shared<Impl>(loop, std::move(options), *this)) {}

Fetch::~Fetch() {
  impl_->stop();
}

std::shared_ptr<const Fetch::Hold> Fetch::hold(const std::string& sha256) {
  const std::string normal = normal_sha256(sha256);
  return impl_->hold(normal.empty() ? sha256 : normal);
}

// Nothing of `this` once these wait. A wait ends by the limits of the transfers before and of its own, or by ~Fetch.

Awaitable<Result<Artifact>> Fetch::fetch(FetchRequest request) {
  Source source;
  source.name = "artifact " + request.sha256.substr(0, 64);
  if (!request.url.empty()) {
    auto origin = origin_of(request.url);
    if (!origin) co_return origin.error();
    source.name = std::move(*origin);
  }
  const std::string sha256 = normal_sha256(request.sha256);
  if (sha256.empty()) co_return no_hash(source.name);
  source.url = std::move(request.url);
  source.size = request.size;
  auto waiter = impl_->join(sha256, std::move(source));
  co_return co_await answer_of(std::move(waiter));
}

Awaitable<Result<Artifact>> Fetch::adopt(fs::path file, std::string sha256, std::uint64_t size) {
  Source source;
  source.name = file.string();
  source.file = std::move(file);
  source.size = size;
  sha256 = normal_sha256(sha256);
  if (sha256.empty()) co_return no_hash(source.name);
  auto waiter = impl_->join(sha256, std::move(source));
  co_return co_await answer_of(std::move(waiter));
}

Awaitable<Result<void>> Fetch::remove(std::string sha256) {
  sha256 = normal_sha256(sha256);
  if (sha256.empty()) co_return Error(Errc::invalid, "the sha256 is not 64 hex digits");
  auto waiter = impl_->ask<void>([sha256](ArtifactCache& cache) { return cache.remove(sha256); });
  co_return co_await answer_of(std::move(waiter));
}

Awaitable<Result<std::vector<Fetch::Cached>>> Fetch::contents() {
  auto waiter = impl_->ask<std::vector<Cached>>([](ArtifactCache& cache) { return cache.contents(); });
  co_return co_await answer_of(std::move(waiter));
}

Result<std::string> sha256_of(const fs::path& file) {
  Sha256 hash;
  const auto fault = read_file(file, [&](std::string_view bytes) {
    hash.update(bytes);
    return std::optional<Error>();
  });
  if (fault) return *fault;
  return hash.hex();
}

}  // namespace dfota
