// The way of deltas from one version to another. The deltas of one model are the edges of a graph whose nodes are
// versions; the shortest way has the fewest bytes, and among equals the fewest hops. When a version was released is
// what the manifests say, and a delta that leads back, or nobody can say whether, is taken only where it is allowed.
// Pure functions over the manifests; any thread.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "gateway/manifest.hpp"

namespace dfota {

struct Way {
  std::vector<const Manifest*> hops;  ///< none: the module is there
  [[nodiscard]] std::uint64_t bytes() const;
};

struct NoWay {
  std::string nearest;  ///< of the versions that can be reached, or are there already, the one nearest to the target
  /// A way over these deltas there is, but it leads back, or nobody can say whether (allow_downgrade).
  std::vector<const Manifest*> forbidden;
};

struct WayRules {
  bool allow_downgrade = false;
  std::set<std::string> avoid;  ///< versions that the module has had in this plan: never again
};

std::variant<Way, NoWay> find_way(const Manifests& manifests, const std::string& model, const std::string& from,
                                  const std::string& to, const WayRules& rules);

/// The way to the newest version (by `released`) that deltas known to lead forward reach from this one; among versions
/// of one day the one with the fewest bytes before it. No hops: there is none newer.
Way way_to_newest(const Manifests& manifests, const std::string& model, const std::string& from);

enum class Direction { forward, backward, unknown };

/// By what the manifests of this model (empty: of any) say of the release of both versions.
Direction direction_of(const Manifests& manifests, const std::string& model, const std::string& from,
                       const std::string& to);

/// All that a module of this model (empty: nobody said) may report for this version: itself and its aliases.
std::set<std::string> names_of(const Manifests& manifests, const std::string& model, const std::string& version);

}  // namespace dfota
