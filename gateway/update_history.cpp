#include "gateway/update_history.hpp"

#include <algorithm>

namespace dfota {

using nlohmann::json;

UpdateHistory::UpdateHistory(const std::string& document) {
  if (document.empty()) return;
  try {
    read(document);
  } catch (const json::exception&) {
    *this = UpdateHistory();
  }
}

void UpdateHistory::read(const std::string& document) {
  const auto from = json::parse(document);
  for (const auto& [key, into] : {std::pair{"deltas", &deltas_}, {"models", &models_}}) {
    for (const auto& [name, sum] : from.at(key).items()) {
      (*into)[name] = {sum.at("updates"), sum.at("bytes"), sum.at("seconds"), sum.at("last")};
      added_ = std::max<std::uint64_t>(added_, sum.at("last"));
    }
  }
}

std::string UpdateHistory::document() const {
  json out;
  for (const auto& [key, sums] : {std::pair{"deltas", &deltas_}, {"models", &models_}}) {
    auto& into = out[key] = json::object();
    for (const auto& [name, sum] : *sums) {
      into[name] = {{"updates", sum.updates}, {"bytes", sum.bytes}, {"seconds", sum.seconds}, {"last", sum.last}};
    }
  }
  return out.dump();
}

void UpdateHistory::add(const Manifest& delta, const std::string& model, double seconds) {
  ++added_;
  auto* by_bytes = delta.size ? &models_[model] : nullptr;
  for (auto* sum : {&deltas_[delta.sha256], by_bytes}) {
    if (sum == nullptr) continue;
    ++sum->updates;
    sum->bytes += delta.size.value_or(0);
    sum->seconds += seconds;
    sum->last = added_;
  }
  if (deltas_.size() <= kMostDeltas) return;
  deltas_.erase(std::min_element(deltas_.begin(), deltas_.end(),
                                 [](const auto& a, const auto& b) { return a.second.last < b.second.last; }));
}

std::optional<double> UpdateHistory::expected_s(const Manifest& delta) const {
  if (const auto same = deltas_.find(delta.sha256); same != deltas_.end()) {
    return same->second.seconds / static_cast<double>(same->second.updates);
  }
  const auto model = models_.find(delta.model);
  if (model == models_.end() || model->second.bytes == 0 || !delta.size) return std::nullopt;
  return model->second.seconds / static_cast<double>(model->second.bytes) * static_cast<double>(*delta.size);
}

}  // namespace dfota
