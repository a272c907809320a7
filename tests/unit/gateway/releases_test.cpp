#include "gateway/releases.hpp"

#include <doctest/doctest.h>

using namespace dfota;

namespace {

Manifest delta(const std::string& from, const std::string& to, const std::string& released) {
  Manifest one;
  one.name = from + "-" + to;
  one.model = "UC20";
  one.from = from;
  one.to = to;
  one.size = 1;
  one.notes = "notes of " + to;
  if (from == "A") one.from_released = Released{"2020-01-01", *parse_rfc3339("2020-01-01T00:00:00Z")};
  one.released = Released{released, *parse_rfc3339(released + "T00:00:00Z")};
  return one;
}

std::string newest(Releases& releases, const std::string& version, const std::string& model = "UC20") {
  const auto* release = releases.newest(model, version);
  return release == nullptr ? "none" : release->version + ", " + release->notes;
}

}  // namespace

TEST_CASE("the newest release with the notes of the delta that leads to it, for this model only") {
  Manifests all = {{"x", delta("A", "B", "2021-01-01")}, {"y", delta("B", "C", "2022-01-01")}};
  Releases releases(all);
  CHECK(newest(releases, "A") == "C, notes of C");
  CHECK(newest(releases, "B") == "C, notes of C");
  CHECK(newest(releases, "C") == "none");
  CHECK(newest(releases, "Z") == "none");
  CHECK(newest(releases, "A", "UC15") == "none");
  CHECK(newest(releases, "") == "none");
  CHECK(newest(releases, "A", "") == "none");
}

TEST_CASE("it is remembered until the catalog changes") {
  Manifests all = {{"x", delta("A", "B", "2021-01-01")}};
  Releases releases(all);
  CHECK(newest(releases, "A") == "B, notes of B");
  CHECK(newest(releases, "B") == "none");
  all["y"] = delta("B", "C", "2022-01-01");
  CHECK(newest(releases, "B") == "none");
  releases.catalog_changed();
  CHECK(newest(releases, "A") == "C, notes of C");
  CHECK(newest(releases, "B") == "C, notes of C");
  all.clear();
  releases.catalog_changed();
  CHECK(newest(releases, "A") == "none");
}

TEST_CASE("a module that invents a version a second gets its answer each time, and the real one, too") {
  Manifests all = {{"x", delta("A", "B", "2021-01-01")}};
  Releases releases(all);
  for (int i = 0; i < 5000; ++i) REQUIRE(releases.newest("UC20", "X" + std::to_string(i)) == nullptr);
  CHECK(newest(releases, "A") == "B, notes of B");
}
