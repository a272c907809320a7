#include "gateway/admin/board.hpp"

#include <algorithm>
#include <asio/co_spawn.hpp>
#include <nlohmann/json.hpp>

#include "gateway/text.hpp"
#include "transport/base/signal.hpp"

namespace dfota {
namespace {

/// A browser that has lost the stream comes back after it.
constexpr auto kBegin = "retry: 2000\nevent: snapshot\ndata: {\n";
constexpr auto kEnd = "data: }\n\n";

}  // namespace

/// Outlives the board by the streams that are still being ended.
struct Board::State {
  struct Entry {
    std::string name;  ///< the key, as JSON writes it
    std::string document;
    std::uint64_t changed = 0;
  };
  using Entries = std::map<std::string, Entry>;

  State(asio::io_context& web, std::function<void()> wake) : web(web), wake(std::move(wake)) {}
  void put(const std::string& key, std::string document);
  void drop_oldest_gone();

  asio::io_context& web;
  std::function<void()> wake;
  Entries entries;
  std::map<std::uint64_t, Entries::iterator> order;  ///< by the last change
  std::map<std::uint64_t, Entries::iterator> gone;   ///< those of `order` that are
  std::uint64_t newest = 0;
  std::uint64_t forgotten = 0;  ///< who knows of no change behind this one may have missed a key that is gone
  std::size_t streams = 0;
  bool ticking = false;
};

void Board::State::put(const std::string& key, std::string document) {
  const auto [at, is_new] = entries.try_emplace(key);
  auto& entry = at->second;
  if (is_new) entry.name = nlohmann::json(key).dump();
  if (is_new && document.empty()) {
    entries.erase(at);
    return;
  }
  if (!is_new && entry.document == document) return;
  order.erase(entry.changed);
  gone.erase(entry.changed);
  entry.document = std::move(document);
  entry.changed = ++newest;
  order.emplace(entry.changed, at);
  if (!entry.document.empty()) return;
  gone.emplace(entry.changed, at);
  if (gone.size() > kMostGone) drop_oldest_gone();
}

void Board::State::drop_oldest_gone() {
  const auto oldest = gone.begin();
  forgotten = oldest->first;
  order.erase(oldest->first);
  entries.erase(oldest->second);
  gone.erase(oldest);
}

class Board::Stream final : public EventSource {
 public:
  explicit Stream(std::shared_ptr<State> state) : state_(std::move(state)) {}
  ~Stream() override {
    if (counted_) --state_->streams;
  }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  std::string next() override {
    enter();
    const auto now = Clock::now();
    std::string out;
    if (!begun_ || std::max(told_, snapshot_ends_) < state_->forgotten) begin(out);
    if (in_snapshot_) {
      tell_snapshot(out);
    } else if (told_ < state_->newest && (behind_ || now - told_at_ >= kEvery)) {
      tell_changes(out);
    } else if (now - told_at_ >= kTimeEvery) {
      out = "event: time\ndata: {\"ts\":\"" + rfc3339(std::chrono::system_clock::now()) + "\"}\n\n";
    }
    if (!out.empty()) told_at_ = now;
    return out;
  }

 private:
  void enter() {
    if (counted_) return;
    counted_ = true;
    ++state_->streams;
    if (std::exchange(state_->ticking, true)) return;
    asio::co_spawn(state_->web, Board::tick(state_), rethrow);
  }

  void begin(std::string& out) {
    if (in_snapshot_) out += kEnd;  // of the one that has been overtaken: the new one replaces it
    out += kBegin;
    begun_ = in_snapshot_ = first_ = true;
    told_ = 0;
    snapshot_ends_ = state_->newest;
  }

  /// What changes while it is being told comes behind it, as a change.
  void tell_snapshot(std::string& out) {
    for (auto at = state_->order.upper_bound(told_); at != state_->order.end() && at->first <= snapshot_ends_; ++at) {
      if (out.size() >= kMostBytesAtOnce) return;
      told_ = at->first;
      const auto& entry = at->second->second;
      if (!entry.document.empty()) tell(entry, out);
    }
    told_ = snapshot_ends_;
    out += kEnd;
    in_snapshot_ = false;
  }

  void tell_changes(std::string& out) {
    out += "event: change\ndata: {\n";
    first_ = true;
    behind_ = false;
    for (auto at = state_->order.upper_bound(told_); at != state_->order.end(); ++at) {
      if ((behind_ = out.size() >= kMostBytesAtOnce)) break;
      told_ = at->first;
      tell(at->second->second, out);
    }
    out += kEnd;
  }

  void tell(const State::Entry& entry, std::string& out) {
    out += std::exchange(first_, false) ? "data: " : "data: ,";
    out += entry.name + ":" + (entry.document.empty() ? "null" : entry.document) + "\n";
  }

  std::shared_ptr<State> state_;
  bool counted_ = false, begun_ = false, in_snapshot_ = false, first_ = true, behind_ = false;
  std::uint64_t told_ = 0;  ///< up to this change
  std::uint64_t snapshot_ends_ = 0;
  Clock::time_point told_at_{};
};

Board::Board(asio::io_context& web, std::function<void()> wake)
    : state_(std::make_shared<State>(web, std::move(wake))) {}

Board::~Board() = default;

void Board::put(const std::string& key, std::string document) {
  state_->put(key, std::move(document));
}

const std::string* Board::find(const std::string& key) const {
  const auto found = state_->entries.find(key);
  return found == state_->entries.end() || found->second.document.empty() ? nullptr : &found->second.document;
}

void Board::each(const std::string& prefix,
                 const std::function<void(const std::string&, const std::string&)>& visit) const {
  const auto& entries = state_->entries;
  for (auto at = entries.lower_bound(prefix); at != entries.end() && at->first.starts_with(prefix); ++at) {
    if (!at->second.document.empty()) visit(at->first, at->second.document);
  }
}

std::unique_ptr<EventSource> Board::stream() {
  return std::make_unique<Stream>(state_);
}

std::size_t Board::streams() const {
  return state_->streams;
}

/// Only while somebody looks: an idle gateway sleeps.
Awaitable<> Board::tick(std::shared_ptr<State> state) {
  for (;;) {
    co_await sleep_for(state->web, kEvery);
    state->wake();
    state->ticking = state->streams > 0;
    if (!state->ticking) co_return;
  }
}

}  // namespace dfota
