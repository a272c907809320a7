#include "gateway/slots.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace dfota {

Slots::Slots(asio::io_context& loop, const LimitsConfig& limits, const std::vector<TagLimitConfig>& tag_limits)
    : loop_(loop) {
  limits_.push_back({"", limits.downloads, limits.updates});
  constexpr auto kNone = std::numeric_limits<unsigned>::max();
  for (const auto& limit : tag_limits) {
    limits_.push_back({limit.tag, limit.downloads.value_or(kNone), limit.updates.value_or(kNone)});
  }
}

Slots::Claim::Claim(Slots& slots, std::string job, const std::vector<std::string>& tags)
    : slots_(slots), job_(std::move(job)), granted_(slots.loop_) {
  for (std::size_t i = 0; i < slots.limits_.size(); ++i) {
    const auto& tag = slots.limits_[i].tag;
    if (tag.empty() || std::find(tags.begin(), tags.end(), tag) != tags.end()) limits_.push_back(i);
  }
}

Slots::Claim::~Claim() {
  give_back();
}

void Slots::Claim::request() {
  if (held() || waiting_) return;
  give_back();
  waiting_ = true;
  slots_.waiting_.push_back(this);
  slots_.grant();
}

Awaitable<> Slots::Claim::wait() {
  const auto never = Clock::time_point::max();
  co_await granted_.wait_until(never);
}

void Slots::Claim::adopt() {
  give_back();
  downloads_ = updates_ = true;
  slots_.count(*this, +1, +1);
}

void Slots::Claim::give_back_download() {
  if (!downloads_) return;
  downloads_ = false;
  slots_.count(*this, -1, 0);
  slots_.grant();
}

void Slots::Claim::give_back() {
  if (std::exchange(waiting_, false)) slots_.waiting_.remove(this);
  give_back_download();
  if (!updates_) return;
  updates_ = false;
  slots_.count(*this, 0, -1);
  slots_.grant();
}

bool Slots::has_room(const Claim& claim) const {
  return std::all_of(claim.limits_.begin(), claim.limits_.end(), [&](std::size_t i) {
    return limits_[i].downloading < limits_[i].downloads && limits_[i].updating < limits_[i].updates;
  });
}

unsigned Slots::held_by(const std::string& job) const {
  const auto found = held_.find(job);
  return found == held_.end() ? 0 : found->second;
}

void Slots::count(const Claim& claim, int downloads, int updates) {
  for (const auto i : claim.limits_) {
    limits_[i].downloading += static_cast<unsigned>(downloads);
    limits_[i].updating += static_cast<unsigned>(updates);
  }
  if (updates == 0) return;
  auto& held = held_[claim.job_];
  held += static_cast<unsigned>(updates);
  if (held == 0) held_.erase(claim.job_);
}

void Slots::grant() {
  for (;;) {
    // Without room for everybody nobody has any.
    const auto& all = limits_.front();
    if (all.downloading >= all.downloads || all.updating >= all.updates) return;
    auto next = waiting_.end();
    for (auto at = waiting_.begin(); at != waiting_.end(); ++at) {
      if (!has_room(**at)) continue;
      if (next == waiting_.end() || held_by((*at)->job_) < held_by((*next)->job_)) next = at;
    }
    if (next == waiting_.end()) return;
    auto& claim = **next;
    waiting_.erase(next);
    claim.waiting_ = false;
    claim.downloads_ = claim.updates_ = true;
    count(claim, +1, +1);
    claim.granted_.notify();
  }
}

}  // namespace dfota
