#include "gateway/slots.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace dfota {

Slots::Slots(asio::io_context& loop, const LimitsConfig& limits, const std::vector<TagLimitConfig>& tag_limits)
    : loop_(loop) {
  constexpr auto kNone = std::numeric_limits<unsigned>::max();
  limits_.push_back({"", limits.downloads, limits.updates, kNone});
  for (const auto& limit : tag_limits) {
    auto updates = limit.updates.value_or(kNone);
    if (limit.reboots) updates = std::min(updates, 2 * *limit.reboots);
    limits_.push_back({limit.tag, limit.downloads.value_or(kNone), updates, limit.reboots.value_or(kNone)});
  }
}

Slots::Claim::Claim(Slots& slots, std::string job, const std::vector<std::string>& tags,
                    std::function<void()> on_reboot)
    : slots_(slots), job_(std::move(job)), on_reboot_(std::move(on_reboot)), granted_(slots.loop_) {
  for (std::size_t i = 0; i < slots.limits_.size(); ++i) {
    const auto& tag = slots.limits_[i].tag;
    if (tag.empty() || std::find(tags.begin(), tags.end(), tag) != tags.end()) limits_.push_back(i);
  }
}

Slots::Claim::~Claim() {
  give_back();
}

void Slots::Claim::request(bool to_reboot) {
  if (held() || waiting_) return;
  give_back();
  waiting_ = true;
  to_reboot_ = to_reboot;
  slots_.waiting_.push_back(this);
  slots_.grant();
}

bool Slots::Claim::stand_by() {
  if (!reboots_ && !standing_by_) {
    standing_by_ = true;
    slots_.standing_by_.push_back(this);
    slots_.grant_reboots();
  }
  return reboots_;
}

Awaitable<> Slots::Claim::wait() {
  const auto never = Clock::time_point::max();
  co_await granted_.wait_until(never);
}

void Slots::Claim::adopt(bool reboots) {
  if (std::exchange(waiting_, false)) slots_.waiting_.remove(this);
  take_download();
  take_update();
  if (!reboots) return;
  if (std::exchange(standing_by_, false)) slots_.standing_by_.remove(this);
  take_reboot();
}

void Slots::Claim::take_download() {
  if (!std::exchange(downloads_, true)) slots_.count(*this, &Limit::downloading, +1);
}

void Slots::Claim::take_update() {
  if (std::exchange(updates_, true)) return;
  slots_.count(*this, &Limit::updating, +1);
  ++slots_.held_[job_];
}

void Slots::Claim::take_reboot() {
  if (!std::exchange(reboots_, true)) slots_.count(*this, &Limit::rebooting, +1);
}

void Slots::Claim::give_back_download() {
  if (!std::exchange(downloads_, false)) return;
  slots_.count(*this, &Limit::downloading, -1);
  slots_.grant();
}

void Slots::Claim::give_back() {
  if (std::exchange(waiting_, false)) slots_.waiting_.remove(this);
  if (std::exchange(standing_by_, false)) slots_.standing_by_.remove(this);
  if (std::exchange(downloads_, false)) slots_.count(*this, &Limit::downloading, -1);
  if (std::exchange(reboots_, false)) slots_.count(*this, &Limit::rebooting, -1);
  if (std::exchange(updates_, false)) {
    slots_.count(*this, &Limit::updating, -1);
    const auto held = slots_.held_.find(job_);
    if (--held->second == 0) slots_.held_.erase(held);
  }
  slots_.grant();
}

bool Slots::has_room(const Claim& claim) const {
  if (claim.to_reboot_ && !may_reboot(claim)) return false;
  return std::all_of(claim.limits_.begin(), claim.limits_.end(), [&](std::size_t i) {
    return limits_[i].downloading < limits_[i].downloads && limits_[i].updating < limits_[i].updates;
  });
}

bool Slots::may_reboot(const Claim& claim) const {
  return std::all_of(claim.limits_.begin(), claim.limits_.end(),
                     [&](std::size_t i) { return limits_[i].rebooting < limits_[i].reboots; });
}

unsigned Slots::held_by(const std::string& job) const {
  const auto found = held_.find(job);
  return found == held_.end() ? 0 : found->second;
}

void Slots::count(const Claim& claim, unsigned Limit::*what, int by) {
  for (const auto i : claim.limits_) limits_[i].*what += static_cast<unsigned>(by);
}

void Slots::grant_reboots() {
  for (auto at = standing_by_.begin(); at != standing_by_.end();) {
    auto& claim = **at;
    if (!may_reboot(claim)) {
      ++at;
      continue;
    }
    at = standing_by_.erase(at);
    claim.standing_by_ = false;
    claim.take_reboot();
    claim.on_reboot_();
  }
}

void Slots::grant() {
  grant_reboots();
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
    claim.take_download();
    claim.take_update();
    if (claim.to_reboot_) claim.take_reboot();
    claim.granted_.notify();
  }
}

}  // namespace dfota
