#include "gateway/journal.hpp"

#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <condition_variable>
#include <iterator>
#include <list>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "gateway/journal_store.hpp"
#include "transport/base/crash_point.hpp"
#include "transport/base/log.hpp"

namespace dfota {
namespace {
using namespace std::chrono_literals;

/// How often writes that failed are tried again when no new ones come.
constexpr auto kRetryEvery = 1s;
/// After this an awaiting committed() is told io. The disk does not know the stepped clock, so neither does this.
constexpr auto kCommitDeadline = 30s;
/// Of writes that are not on the disk yet; everybody awaits committed(), so only a disk that fails for long gets here.
constexpr std::size_t kMaxWaitingBytes = 64u << 20;
constexpr std::size_t kWriteOverheadBytes = 128;

struct Weight {
  std::size_t operator()(const JournalContents::Job& job) const { return job.id.size() + job.document.size(); }
  std::size_t operator()(const JournalContents::Part& part) const {
    return part.job.size() + part.module.size() + part.document.size();
  }
  std::size_t operator()(const OutboxRow& row) const { return row.job.size() + row.topic.size() + row.payload.size(); }
  std::size_t operator()(const JournalContents::Tombstone& tombstone) const {
    return tombstone.id.size() + tombstone.document.size();
  }
  std::size_t operator()(const JournalContents::Fact& fact) const { return fact.name.size() + fact.document.size(); }
  std::size_t operator()(const ForgetJob& job) const { return job.id.size(); }
  std::size_t operator()(const ForgetRuns& runs) const { return runs.job.size(); }
  std::size_t operator()(const MarkSent&) const { return 0; }
  std::size_t operator()(const ForgetTombstones&) const { return 0; }
};

/// How far the writes go, in all that were ever put.
struct Mark {
  std::uint64_t writes = 0, bytes = 0;
};

/// What one transaction takes, and what for.
struct Batch {
  std::vector<JournalWrite> writes;
  std::vector<Write> kinds;

  void take(Batch& from) {
    std::move(from.writes.begin(), from.writes.end(), std::back_inserter(writes));
    kinds.insert(kinds.end(), from.kinds.begin(), from.kinds.end());
    from.clear();
  }
  void clear() {
    writes.clear();
    kinds.clear();
  }
  void pass(const char* when) const {
    for (const auto kind : kinds) crash_point(std::string(name_of(kind)) + when);
  }
};

/// What the journal thread says of one transaction: everything up to `upto` is on the disk, or `outcome` says why not.
struct Attempt {
  Result<void> outcome;
  Mark upto;
};
}  // namespace

class Journal::Impl {
 public:
  Impl(asio::io_context& loop, Journal& journal, std::unique_ptr<JournalStore> store);
  ~Impl();

  void put(Write kind, JournalWrite write);
  Awaitable<Result<void>> committed();
  template <class T>
  Awaitable<Result<T>> read(std::function<Result<T>(JournalStore&)> query);
  [[nodiscard]] bool may_be_forgotten(const std::string& id) const { return forgotten_.may_hold(id); }
  JournalContents take_contents() { return std::move(contents_); }
  [[nodiscard]] const std::string& set_aside() const { return set_aside_; }
  std::uint64_t next_seq() { return ++last_seq_; }
  [[nodiscard]] std::uint64_t last_seq() const { return last_seq_; }

 private:
  struct Waiter;

  void hand_over_soon();
  void hand_over();
  void heard(const Attempt& attempt);
  void work();
  void attempt(Batch& batch, Mark upto);

  // The loop's.
  asio::io_context& loop_;
  Journal& journal_;
  JournalContents contents_;
  ForgottenIds forgotten_;
  std::string set_aside_;
  std::uint64_t last_seq_;
  Batch gathered_;  // in this turn
  bool handing_over_ = false;
  Mark put_, durable_;
  std::list<Waiter*> waiters_;
  std::optional<Error> failure_;                                  // of the newest attempt
  bool overrun_ = false;                                          // a write was dropped; for good
  std::shared_ptr<Impl*> alive_ = std::make_shared<Impl*>(this);  // handlers in the loop's queue may outlive us

  // Handed over, under mutex_.
  std::mutex mutex_;
  std::condition_variable wake_;
  Batch queue_;
  std::vector<std::function<void(JournalStore&)>> queries_;
  Mark queued_;
  bool try_now_ = false, stop_ = false;

  // The journal thread's, until it is joined.
  std::unique_ptr<JournalStore> store_;
  std::optional<Attempt> last_attempt_;
  std::thread thread_;
};

/// A coroutine in committed(). It is in waiters_ until it has an outcome or ends without one.
struct Journal::Impl::Waiter {
  explicit Waiter(Impl& journal) : journal(&journal), upto(journal.put_.writes), timer(journal.loop_, kCommitDeadline) {
    journal.waiters_.push_back(this);
  }
  ~Waiter() {
    if (!outcome) journal->waiters_.remove(this);
  }
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;

  Impl* journal;  // gone once there is an outcome
  std::uint64_t upto;
  asio::steady_timer timer;
  std::optional<Result<void>> outcome;
};

Journal::Impl::Impl(asio::io_context& loop, Journal& journal, std::unique_ptr<JournalStore> store)
    : loop_(loop),
      journal_(journal),
      contents_(store->take_contents()),
      forgotten_(store->take_forgotten()),
      set_aside_(store->set_aside()),
      last_seq_(store->last_seq()),
      store_(std::move(store)),
      thread_([this] { work(); }) {}

Journal::Impl::~Impl() {
  hand_over();
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_one();
  thread_.join();
  alive_.reset();
  if (last_attempt_) heard(*last_attempt_);
  if (durable_.writes != put_.writes)
    log::error("journal: closed, and ", put_.writes - durable_.writes, " writes are lost");
}

void Journal::Impl::put(Write kind, JournalWrite write) {
  if (overrun_) return;
  const auto bytes = kWriteOverheadBytes + std::visit(Weight(), write);
  if (put_.bytes - durable_.bytes + bytes > kMaxWaitingBytes) {
    // What was taken before still goes to the disk, without a gap; after a gap nothing may.
    overrun_ = true;
    log::error("journal: more than ", kMaxWaitingBytes >> 20, " MiB wait for the disk; nothing more is taken");
    if (journal_.on_overrun) asio::post(loop_, journal_.on_overrun);
    return;
  }
  if (const auto* tombstone = std::get_if<JournalContents::Tombstone>(&write)) forgotten_.add(tombstone->id);
  ++put_.writes;
  put_.bytes += bytes;
  gathered_.writes.push_back(std::move(write));
  gathered_.kinds.push_back(kind);
  hand_over_soon();
}

Awaitable<Result<void>> Journal::Impl::committed() {
  if (overrun_) co_return failure_.value_or(Error(Errc::io, "journal: too much waits for the disk; start again"));
  if (durable_.writes == put_.writes) co_return Result<void>();
  Waiter waiter(*this);
  hand_over_soon();
  co_await waiter.timer.async_wait(kNoThrow);
  if (waiter.outcome) co_return *waiter.outcome;
  if (waiter.timer.expiry() > std::chrono::steady_clock::now())
    co_return Error(Errc::canceled, "journal: no longer waited for");
  const Error hung(Errc::io, "journal: the disk has not answered for 30 s");
  const bool first = !std::exchange(failure_, hung);
  if (first && journal_.on_disk) journal_.on_disk(failure_);
  co_return hung;
}

/// At the end of this turn of the loop, so that all of the turn shares one transaction.
void Journal::Impl::hand_over_soon() {
  if (handing_over_) return;
  handing_over_ = true;
  asio::post(loop_, [alive = std::weak_ptr(alive_)] {
    if (const auto self = alive.lock()) (*self)->hand_over();
  });
}

void Journal::Impl::hand_over() {
  handing_over_ = false;
  {
    const std::lock_guard lock(mutex_);
    queue_.take(gathered_);
    queued_ = put_;
    try_now_ = true;
  }
  wake_.notify_one();
}

void Journal::Impl::heard(const Attempt& attempt) {
  if (attempt.outcome) {
    durable_ = attempt.upto;
    if (failure_) log::notice("journal: writes again, and has caught up");
    const bool again = std::exchange(failure_, std::nullopt).has_value();
    if (again && journal_.on_disk) journal_.on_disk(std::nullopt);
  } else {
    if (!failure_) log::error(attempt.outcome.error().message, "; what waits is tried again each second");
    const bool first = !std::exchange(failure_, attempt.outcome.error());
    if (first && journal_.on_disk) journal_.on_disk(failure_);
  }
  for (auto next = waiters_.begin(); next != waiters_.end();) {
    Waiter& waiter = **next;
    if (waiter.upto > attempt.upto.writes) {
      ++next;
      continue;
    }
    next = waiters_.erase(next);
    waiter.outcome = attempt.outcome;
    waiter.timer.cancel();
  }
}

/// The journal thread: takes all that waits, tries to commit it, tells the loop; what failed stays at the front.
void Journal::Impl::work() {
  Batch batch;
  std::vector<std::function<void(JournalStore&)>> queries;
  Mark upto;
  for (bool stopping = false; !stopping;) {
    {
      std::unique_lock lock(mutex_);
      const auto woken = [this] { return try_now_ || stop_ || !queries_.empty(); };
      if (batch.writes.empty())
        wake_.wait(lock, woken);
      else
        wake_.wait_for(lock, kRetryEvery, woken);
      try_now_ = false;
      stopping = stop_;
      batch.take(queue_);
      queries.swap(queries_);
      upto = queued_;
    }
    if (!batch.writes.empty()) attempt(batch, upto);
    for (const auto& query : queries) query(*store_);
    queries.clear();
  }
}

/// A question to the database, which only the journal thread may ask.
template <class T>
Awaitable<Result<T>> Journal::Impl::read(std::function<Result<T>(JournalStore&)> query) {
  struct Answer {
    explicit Answer(asio::io_context& loop) : timer(loop, kCommitDeadline) {}
    asio::steady_timer timer;
    std::optional<Result<T>> result;
  };
  auto answer = std::make_shared<Answer>(loop_);
  std::weak_ptr<Answer> waiting = answer;
  {
    const std::lock_guard lock(mutex_);
    // The waiter is touched on the loop's thread only; here it is handed through.
    queries_.push_back([this, waiting, query = std::move(query)](JournalStore& store) {
      asio::post(loop_, [waiting, result = query(store)]() mutable {
        const auto asker = waiting.lock();
        if (!asker) return;
        asker->result = std::move(result);
        asker->timer.cancel();
      });
    });
  }
  wake_.notify_one();
  co_await answer->timer.async_wait(kNoThrow);
  if (answer->result) co_return std::move(*answer->result);
  co_return Error(Errc::io, "journal: the disk has not answered for 30 s");
}

void Journal::Impl::attempt(Batch& batch, Mark upto) {
  batch.pass(".before");
  const auto began = std::chrono::steady_clock::now();
  const Attempt attempt{store_->commit(batch.writes), upto};
  const auto took = std::chrono::steady_clock::now() - began;
  if (journal_.on_commit) journal_.on_commit(took, static_cast<bool>(attempt.outcome));
  if (attempt.outcome) {
    batch.pass(".after");
    batch.clear();
  }
  last_attempt_ = attempt;
  asio::post(loop_, [alive = std::weak_ptr(alive_), attempt] {
    if (const auto self = alive.lock()) (*self)->heard(attempt);
  });
}

Result<std::unique_ptr<Journal>> Journal::open(asio::io_context& loop, const std::filesystem::path& file) {
  auto store = JournalStore::open(file);
  if (!store) return store.error();
  return std::unique_ptr<Journal>(new Journal(loop, std::move(*store)));
}

Journal::Journal(asio::io_context& loop, std::unique_ptr<JournalStore> store)
    : impl_(std::make_unique<Impl>(loop, *this, std::move(store))) {}
Journal::~Journal() = default;

JournalContents Journal::take_contents() {
  return impl_->take_contents();
}
std::string Journal::set_aside() const {
  return impl_->set_aside();
}

void Journal::put_job(Write kind, const std::string& id, std::string document) {
  impl_->put(kind, JournalContents::Job{id, std::move(document)});
}
void Journal::put_part(Write kind, const std::string& job, unsigned run, const std::string& module,
                       std::string document) {
  impl_->put(kind, JournalContents::Part{job, run, module, std::move(document)});
}
void Journal::remove_job(Write kind, const std::string& id) {
  impl_->put(kind, ForgetJob{id});
}
void Journal::remove_runs(Write kind, const std::string& job, unsigned before) {
  impl_->put(kind, ForgetRuns{job, before});
}

std::uint64_t Journal::next_seq() {
  return impl_->next_seq();
}
std::uint64_t Journal::last_seq() const {
  return impl_->last_seq();
}
void Journal::put_outbox(Write kind, OutboxRow row) {
  impl_->put(kind, std::move(row));
}
void Journal::mark_sent(Write kind, std::uint64_t seq) {
  impl_->put(kind, MarkSent{seq});
}

void Journal::put_tombstone(Write kind, JournalContents::Tombstone tombstone) {
  impl_->put(kind, std::move(tombstone));
}
void Journal::remove_tombstones(Write kind, std::int64_t before_ms, std::int64_t now_ms) {
  impl_->put(kind, ForgetTombstones{before_ms, now_ms});
}
void Journal::put_fact(Write kind, const std::string& name, std::string document) {
  impl_->put(kind, JournalContents::Fact{name, std::move(document)});
}

Awaitable<Result<std::vector<OutboxRow>>> Journal::history(std::uint64_t after, std::size_t limit) {
  return impl_->read<std::vector<OutboxRow>>(
      [after, limit](JournalStore& store) { return store.history(after, limit); });
}
Awaitable<Result<std::vector<OutboxRow>>> Journal::last_states() {
  return impl_->read<std::vector<OutboxRow>>([](JournalStore& store) { return store.last_states(); });
}
Awaitable<Result<std::optional<std::string>>> Journal::tombstone(std::string id) {
  using Found = std::optional<std::string>;
  if (!impl_->may_be_forgotten(id)) co_return Found();
  const auto written = co_await impl_->committed();
  if (!written) co_return written.error();
  const std::function<Result<Found>(JournalStore&)> query = [id](JournalStore& store) { return store.tombstone(id); };
  auto found = co_await impl_->read<Found>(query);
  co_return found;
}

Awaitable<Result<void>> Journal::committed() {
  return impl_->committed();
}
Awaitable<Result<void>> Journal::turned() {
  return impl_->read<void>([](JournalStore&) { return Result<void>(); });
}

}  // namespace dfota
