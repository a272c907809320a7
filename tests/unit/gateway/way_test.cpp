#include "gateway/way.hpp"

#include <doctest/doctest.h>

using namespace dfota;

namespace {

Released day(const std::string& text) {
  return {text, *parse_rfc3339(text + "T00:00:00Z")};
}

/// Names are "A-B"; each version was released in the year of its number, for all but X and Y.
Manifests catalog(std::initializer_list<std::tuple<const char*, const char*, std::uint64_t>> deltas) {
  Manifests all;
  for (const auto& [from, to, size] : deltas) {
    Manifest one;
    one.name = std::string(from) + "-" + to;
    one.model = "UC20";
    one.from = from;
    one.to = to;
    one.size = size;
    if (one.to.front() == 'A') one.released = day("20" + one.to.substr(1) + "-01-01");
    if (one.from.front() == 'A') one.from_released = day("20" + one.from.substr(1) + "-01-01");
    all[one.name] = one;
  }
  return all;
}

std::string text_of(const std::variant<Way, NoWay>& found) {
  if (const auto* none = std::get_if<NoWay>(&found)) {
    return "none, nearest " + none->nearest + (none->forbidden.empty() ? "" : ", forbidden");
  }
  std::string text;
  for (const auto* hop : std::get<Way>(found).hops) text += (text.empty() ? "" : " ") + hop->name;
  return text;
}

std::string way(const Manifests& all, const char* from, const char* to, bool downgrade = false,
                std::set<std::string> avoid = {}) {
  return text_of(find_way(all, "UC20", from, to, {downgrade, std::move(avoid)}));
}

}  // namespace

TEST_CASE("the fewest bytes, not the fewest hops; among equals the fewest hops") {
  const auto all = catalog({{"A11", "A12", 100}, {"A12", "A14", 100}, {"A11", "A14", 300}});
  CHECK(way(all, "A11", "A14") == "A11-A12 A12-A14");
  CHECK(way(all, "A12", "A14") == "A12-A14");
  CHECK(way(all, "A14", "A14").empty());
  CHECK(std::get<Way>(find_way(all, "UC20", "A11", "A14", {})).bytes() == 200);
  CHECK(way(catalog({{"A11", "A12", 100}, {"A12", "A14", 100}, {"A11", "A14", 200}}), "A11", "A14") == "A11-A14");
}

TEST_CASE("the deltas of other models are not there") {
  auto all = catalog({{"A11", "A12", 100}});
  CHECK(text_of(find_way(all, "UC15", "A11", "A12", {})) == "none, nearest A11");
}

TEST_CASE("a missing link: the nearest version that can be reached is the newest before the target") {
  const auto all = catalog({{"A11", "A12", 100}, {"A12", "A13", 100}, {"A11", "A15", 10}, {"A14", "A14X", 1}});
  CHECK(way(all, "A11", "A14") == "none, nearest A13");
  CHECK(way(all, "A14", "A15") == "none, nearest A14");
  CHECK(way(catalog({{"X1", "X2", 1}, {"X2", "X3", 1}}), "X1", "X4", true) == "none, nearest X3");
}

TEST_CASE("back, or nobody knows whether: only where it is allowed, and told when that is all that is missing") {
  const auto all = catalog({{"A14", "A12", 100}, {"A12", "A11", 100}, {"X1", "A11", 1}});
  CHECK(way(all, "A14", "A11") == "none, nearest A14, forbidden");
  CHECK(way(all, "A14", "A11", true) == "A14-A12 A12-A11");
  CHECK(way(all, "X1", "A11") == "none, nearest X1, forbidden");
  CHECK(way(all, "X1", "A11", true) == "X1-A11");
  CHECK(direction_of(all, "UC20", "A14", "A11") == Direction::backward);
  CHECK(direction_of(all, "", "A11", "A14") == Direction::forward);
  CHECK(direction_of(all, "UC20", "X1", "A11") == Direction::unknown);
}

TEST_CASE("the newest: by the day of its release, over deltas known to lead forward only") {
  const auto newest = [](const Manifests& all, const char* from) { return text_of(way_to_newest(all, "UC20", from)); };
  auto all = catalog({{"A11", "A12", 100}, {"A12", "A14", 100}, {"A14", "A13", 1}, {"A14", "X1", 1}, {"X1", "A15", 1}});
  CHECK(newest(all, "A11") == "A11-A12 A12-A14");
  CHECK(newest(all, "A12") == "A12-A14");
  CHECK(newest(all, "A14").empty());  // back, or nobody knows whether
  CHECK(newest(all, "X1").empty());
  CHECK(newest(all, "B77").empty());
  CHECK(text_of(way_to_newest(all, "UC15", "A11")).empty());
  // Another branch, newer and dearer; then one of the same day and with fewer bytes.
  all = catalog({{"A11", "A12", 100}, {"A12", "A14", 100}, {"A11", "A16", 900}});
  CHECK(newest(all, "A11") == "A11-A16");
  CHECK(newest(all, "A12") == "A12-A14");
  all = catalog({{"A11", "A16", 900}, {"A11", "A17", 800}});
  all["A11-A17"].released = all["A11-A16"].released;
  CHECK(newest(all, "A11") == "A11-A17");
  // An alias is the version itself.
  all["A11-A16"].aliases = {{"A11", {"A11x"}}, {"A16", {"A16x"}}};
  CHECK(newest(all, "A11x") == "A11-A17");
  CHECK(newest(all, "A16x").empty());
  CHECK(newest({}, "A11").empty());
}

TEST_CASE("released on one day is not forward") {
  auto all = catalog({{"A11", "A12", 1}});
  all["A11-A12"].from_released = all["A11-A12"].released;
  CHECK(way(all, "A11", "A12") == "none, nearest A11, forbidden");
}

TEST_CASE("a cycle ends; a version that the module had is not gone to again") {
  const auto all = catalog({{"A11", "A12", 1}, {"A12", "A11", 1}, {"A12", "A13", 1}, {"A13", "A11", 1}});
  CHECK(way(all, "A11", "A13", true) == "A11-A12 A12-A13");
  CHECK(way(all, "A11", "A14", true) == "none, nearest A13");
  CHECK(way(all, "A11", "A13", true, {"A12"}) == "none, nearest A11");
  CHECK(way(all, "A12", "A12", true).empty());
}

TEST_CASE("aliases are one version, whoever of the manifests says so") {
  auto all = catalog({{"A11", "A12", 1}, {"A12", "A14", 1}});
  all["A11-A12"].aliases["A12"] = {"A12_01.001"};
  all["A11-A12"].aliases["A11"] = {"A11b", "A11c"};
  CHECK(way(all, "A11c", "A14") == "A11-A12 A12-A14");
  CHECK(way(all, "A12_01.001", "A14") == "A12-A14");
  CHECK(way(all, "A11", "A12_01.001") == "A11-A12");
  CHECK(names_of(all, "UC20", "A12_01.001") == std::set<std::string>{"A12", "A12_01.001"});
  CHECK(names_of(all, "UC20", "A14") == std::set<std::string>{"A14"});
}
