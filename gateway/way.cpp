#include "gateway/way.hpp"

#include <algorithm>
#include <queue>
#include <tuple>

namespace dfota {
namespace {

/// The versions of one model: aliases are one version, and some are known by the day of their release.
class Versions {
 public:
  Versions(const Manifests& manifests, const std::string& model) {
    for (const auto& [name, manifest] : manifests) {
      if (!model.empty() && manifest.model != model) continue;
      deltas_.push_back(&manifest);
      for (const auto& [version, others] : manifest.aliases) {
        for (const auto& other : others) one_[root(other)] = root(version);
      }
    }
    for (const auto* manifest : deltas_) {
      from_[root(manifest->from)].push_back(manifest);
      note(manifest->from, manifest->from_released);
      note(manifest->to, manifest->released);
    }
  }

  [[nodiscard]] const std::vector<const Manifest*>& deltas() const { return deltas_; }

  /// Those that start from the version of this root.
  [[nodiscard]] const std::vector<const Manifest*>& deltas_from(const std::string& version) const {
    static const std::vector<const Manifest*> kNone;
    const auto found = from_.find(version);
    return found == from_.end() ? kNone : found->second;
  }

  /// The one name that stands for the version and its aliases.
  [[nodiscard]] std::string root(const std::string& version) const {
    auto at = version;
    for (auto found = one_.find(at); found != one_.end() && found->second != at; found = one_.find(at)) {
      at = found->second;
    }
    return at;
  }

  [[nodiscard]] std::optional<WallTime> released(const std::string& version) const {
    const auto found = released_.find(root(version));
    return found == released_.end() ? std::nullopt : std::optional(found->second);
  }

  [[nodiscard]] Direction direction(const std::string& from, const std::string& to) const {
    const auto before = released(from), after = released(to);
    if (!before || !after) return Direction::unknown;
    return *after > *before ? Direction::forward : Direction::backward;
  }

 private:
  /// The earliest day that any manifest gives it.
  void note(const std::string& version, const std::optional<Released>& released) {
    if (!released) return;
    const auto [found, is_new] = released_.emplace(root(version), released->at);
    if (!is_new) found->second = std::min(found->second, released->at);
  }

  std::vector<const Manifest*> deltas_;
  std::map<std::string, std::vector<const Manifest*>> from_;
  std::map<std::string, std::string> one_;
  std::map<std::string, WallTime> released_;
};

struct Reached {
  std::uint64_t bytes = 0;
  std::size_t hops = 0;
  const Manifest* by = nullptr;
  std::string before;
};

/// All versions that can be reached, each by its shortest way (Dijkstra). Every hop costs a byte at least, so that no
/// version is reached twice and a cycle has no end to run in.
std::map<std::string, Reached> reach(const Versions& versions, const std::string& from, const WayRules& rules) {
  std::set<std::string> avoid;
  for (const auto& version : rules.avoid) avoid.insert(versions.root(version));
  using Open = std::tuple<std::uint64_t, std::size_t, std::string>;
  std::priority_queue<Open, std::vector<Open>, std::greater<>> open;
  std::map<std::string, Reached> reached;
  const auto start = versions.root(from);
  reached[start] = {};
  open.emplace(0, 0, start);
  while (!open.empty()) {
    const auto [bytes, hops, at] = open.top();
    open.pop();
    if (std::tie(reached[at].bytes, reached[at].hops) != std::tie(bytes, hops)) continue;
    for (const auto* delta : versions.deltas_from(at)) {
      const auto next = versions.root(delta->to);
      if (next == start || avoid.contains(next)) continue;
      if (!rules.allow_downgrade && versions.direction(delta->from, delta->to) != Direction::forward) continue;
      const auto cost = bytes + std::max<std::uint64_t>(1, delta->size.value_or(1));
      const auto found = reached.find(next);
      if (found != reached.end() &&
          std::tie(found->second.bytes, found->second.hops) <= std::make_tuple(cost, hops + 1)) {
        continue;
      }
      reached[next] = {cost, hops + 1, delta, at};
      open.emplace(cost, hops + 1, next);
    }
  }
  return reached;
}

std::vector<const Manifest*> hops_to(const std::map<std::string, Reached>& reached, const std::string& target) {
  std::vector<const Manifest*> hops;
  for (auto at = reached.find(target); at->second.by != nullptr; at = reached.find(at->second.before)) {
    hops.insert(hops.begin(), at->second.by);
  }
  return hops;
}

/// The newest that is not newer than the target; where no days are known, the last on the longest way.
std::string nearest(const Versions& versions, const std::map<std::string, Reached>& reached,
                    const std::string& target) {
  const auto limit = versions.released(target);
  using Rank = std::tuple<bool, WallTime, std::size_t>;
  std::optional<std::pair<Rank, std::string>> best;
  for (const auto& [version, how] : reached) {
    const auto day = versions.released(version);
    const bool fits = day && (!limit || *day <= *limit);
    const Rank rank{fits, fits ? *day : WallTime(), how.hops};
    if (!best || rank > best->first) best = {rank, version};
  }
  return best->second;
}

}  // namespace

std::uint64_t Way::bytes() const {
  std::uint64_t sum = 0;
  for (const auto* hop : hops) sum += hop->size.value_or(0);
  return sum;
}

std::variant<Way, NoWay> find_way(const Manifests& manifests, const std::string& model, const std::string& from,
                                  const std::string& to, const WayRules& rules) {
  const Versions versions(manifests, model);
  const auto target = versions.root(to);
  const auto reached = reach(versions, from, rules);
  if (reached.contains(target)) return Way{hops_to(reached, target)};
  NoWay none;
  const auto start = versions.root(from);
  none.nearest = nearest(versions, reached, target);
  if (none.nearest == start) none.nearest = from;
  auto freely = rules;
  freely.allow_downgrade = true;
  const auto all = reach(versions, from, freely);
  if (all.contains(target)) none.forbidden = hops_to(all, target);
  return none;
}

Way way_to_newest(const Manifests& manifests, const std::string& model, const std::string& from) {
  const Versions versions(manifests, model);
  const auto reached = reach(versions, from, {});
  const auto start = versions.root(from);
  const auto* newest = &start;
  for (const auto& [version, how] : reached) {
    if (version == start) continue;
    // Both have a day, for only what leads forward was followed; the start needs none where it is all there is.
    const auto day = versions.released(version), best = versions.released(*newest);
    const bool is_newer = *newest == start || *day > *best ||
                          (*day == *best && std::tie(how.bytes, how.hops) <
                                                std::tie(reached.at(*newest).bytes, reached.at(*newest).hops));
    if (is_newer) newest = &version;
  }
  return Way{hops_to(reached, *newest)};
}

Direction direction_of(const Manifests& manifests, const std::string& model, const std::string& from,
                       const std::string& to) {
  return Versions(manifests, model).direction(from, to);
}

std::set<std::string> names_of(const Manifests& manifests, const std::string& model, const std::string& version) {
  std::set<std::string> names = {version};
  if (model.empty()) return names;
  const Versions versions(manifests, model);
  const auto root = versions.root(version);
  for (const auto* delta : versions.deltas()) {
    for (const auto& [name, others] : delta->aliases) {
      if (versions.root(name) != root) continue;
      names.insert(name);
      names.insert(others.begin(), others.end());
    }
  }
  return names;
}

}  // namespace dfota
