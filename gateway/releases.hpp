// The newest release that the catalog has for a module, by its model and version. Remembered until the catalog changes:
// a rack of a thousand modules asks again at each change of their states, and runs few versions. Loop thread.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>

#include "gateway/manifest.hpp"

namespace dfota {

struct Release {
  std::string version;
  std::string notes;  ///< of the delta that leads to it
};

class Releases {
 public:
  /// `catalog` must outlive it.
  explicit Releases(const Manifests& catalog) : catalog_(catalog) {}

  /// Null: none is newer than this version, as far as deltas known to lead forward reach; or it is empty, not known.
  /// Good until the next call of any of these.
  const Release* newest(const std::string& model, const std::string& version);
  void catalog_changed() { known_.clear(); }

 private:
  /// Versions are the modules' own words: one that invents them fills no memory.
  static constexpr std::size_t kMost = 1000;

  const Manifests& catalog_;
  std::map<std::pair<std::string, std::string>, std::optional<Release>> known_;
};

}  // namespace dfota
