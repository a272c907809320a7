#include "gateway/service_time.hpp"

#include <nlohmann/json.hpp>

#include "transport/base/log.hpp"

namespace dfota {

using nlohmann::json;

ServiceTime::ServiceTime(const std::string& document, std::function<WallTime()> wall)
    : wall_(std::move(wall)), started_(Clock::now()) {
  if (document.empty()) return;
  const auto from = json::parse(document, nullptr, false);
  if (!from.is_object() || !from.value("ms", json()).is_number_integer()) {
    log::error("journal: its service time cannot be read; deadlines of jobs count from now");
    return;
  }
  before_ = Instant(from.at("ms").get<std::int64_t>());
  const auto last = from.value("wall_ms", json());
  const auto here = this->wall();
  if (!here || !last.is_number_integer()) return;
  before_ += std::max(Instant(0), Instant(to_ms(*here) - last.get<std::int64_t>()));
}

ServiceTime::Instant ServiceTime::now() const {
  return before_ + std::chrono::duration_cast<Instant>(Clock::now() - started_);
}

std::optional<WallTime> ServiceTime::wall() const {
  const auto now = wall_();
  return now < built_at() ? std::nullopt : std::optional(now);
}

std::string ServiceTime::document() const {
  json out = {{"ms", now().count()}};
  if (const auto here = wall()) out["wall_ms"] = to_ms(*here);
  return out.dump();
}

WallTime ServiceTime::built_at() {
  return WallTime(std::chrono::seconds(DFOTA_BUILT_AT));
}

}  // namespace dfota
