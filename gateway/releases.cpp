#include "gateway/releases.hpp"

#include "gateway/way.hpp"

namespace dfota {

const Release* Releases::newest(const std::string& model, const std::string& version) {
  if (model.empty() || version.empty()) return nullptr;
  const std::pair key(model, version);
  auto found = known_.find(key);
  if (found == known_.end()) {
    const auto way = way_to_newest(catalog_, model, version);
    std::optional<Release> newest;
    if (!way.hops.empty()) newest = {way.hops.back()->to, way.hops.back()->notes};
    if (known_.size() >= kMost) known_.clear();
    found = known_.emplace(key, std::move(newest)).first;
  }
  return found->second ? &*found->second : nullptr;
}

}  // namespace dfota
