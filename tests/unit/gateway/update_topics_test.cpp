#include "gateway/update_topics.hpp"

#include <doctest/doctest.h>

#include "tests/support/ha_rules.hpp"

using namespace dfota;
using Json = nlohmann::json;
using test::HaRules;

namespace {

struct Bench {
  SteppedClock clock;
  asio::io_context loop;
  std::map<std::string, UpdateView> views;
  std::vector<Json> told;
  UpdateTopics topics{loop, [this](const std::string& module) { return views.at(module); },
                      [this](const std::string& module, Json document) {
                        CHECK(HaRules::update_state(document.dump()).empty());
                        document["module"] = module;
                        told.push_back(std::move(document));
                      }};

  /// The percentages since the last time; -1: null.
  std::vector<int> percents() {
    std::vector<int> found;
    for (const auto& one : std::exchange(told, {})) {
      const auto& percent = one["update_percentage"];
      found.push_back(percent.is_null() ? -1 : percent.get<int>());
    }
    return found;
  }
  void pass(std::chrono::milliseconds time) {
    clock.advance(time);
    loop.restart();
    loop.poll();
  }
};

UpdateView running() {
  return {"UC20", "A11", Release{"A12", "notes"}, true, std::nullopt};
}

}  // namespace

TEST_CASE("exactly the keys that Home Assistant takes; what is not known is left out") {
  CHECK(update_payload({"UC20", "A11", Release{"A14", "Fixes FTP"}, false, std::nullopt}) ==
        Json({{"installed_version", "A11"},
              {"latest_version", "A14"},
              {"title", "UC20 firmware"},
              {"release_summary", "Fixes FTP"},
              {"in_progress", false},
              {"update_percentage", nullptr}}));
  const auto newest = update_payload({"UC20", "A14", std::nullopt, false, 77});
  CHECK(newest["latest_version"] == "A14");
  CHECK(newest["release_summary"] == "");
  CHECK(newest["update_percentage"].is_null());  // nothing is in progress
  CHECK(update_payload({}) == Json({{"in_progress", false}, {"update_percentage", nullptr}, {"release_summary", ""}}));
  CHECK(update_payload({"UC20", "A11", std::nullopt, true, 42})["update_percentage"] == 42);
  CHECK(update_payload({"UC20", "A11", std::nullopt, true, std::nullopt})["update_percentage"].is_null());
}

TEST_CASE("long notes are cut, between two characters") {
  std::string notes;
  for (int i = 0; i < 300; ++i) notes += "\u00e4";
  const auto payload = update_payload({"UC20", "A11", Release{"A14", notes}, false, std::nullopt});
  CHECK(payload["release_summary"].get<std::string>().size() == 510);
  CHECK(HaRules::update_state(payload.dump()).empty());
}

TEST_CASE("the percentage is of the whole way") {
  CHECK(percent_of_way(0, 1, 0) == 0);
  CHECK(percent_of_way(0, 1, 100) == 100);
  CHECK(percent_of_way(0, 2, 100) == 50);
  CHECK(percent_of_way(1, 2, 0) == 50);
  CHECK(percent_of_way(1, 2, 99) == 99);
  CHECK(percent_of_way(2, 3, 50) == 83);
  CHECK(percent_of_way(2, 1, 50) == 83);  // it has become longer
}

TEST_CASE("on a change only; beginning and end at once, what is between them every two seconds") {
  Bench bench;
  bench.views["m"] = running();
  bench.views["m"].in_progress = false;
  bench.topics.changed("m");
  bench.topics.changed("m");
  CHECK(bench.percents() == std::vector<int>{-1});
  bench.views["m"].in_progress = true;
  bench.topics.changed("m");
  REQUIRE(bench.told.size() == 1);
  CHECK(bench.told[0]["in_progress"] == true);
  CHECK(bench.percents() == std::vector<int>{-1});
  for (int percent = 1; percent <= 10; ++percent) {
    bench.topics.progress("m", percent);
    bench.pass(std::chrono::milliseconds(300));
  }
  CHECK(bench.percents() == std::vector<int>{7});
  bench.pass(std::chrono::seconds(2));
  CHECK(bench.percents() == std::vector<int>{10});
  bench.pass(std::chrono::seconds(5));
  CHECK(bench.told.empty());
  bench.topics.progress("m", 60);
  CHECK(bench.percents() == std::vector<int>{60});
  bench.topics.progress("m", 61);
  bench.views["m"] = {"UC20", "A12", std::nullopt, false, std::nullopt};
  bench.topics.changed("m");
  REQUIRE(bench.told.size() == 1);
  CHECK(bench.told[0]["installed_version"] == "A12");
  CHECK(bench.told[0]["in_progress"] == false);
  CHECK(bench.percents() == std::vector<int>{-1});
  bench.pass(std::chrono::seconds(5));
  CHECK(bench.told.empty());
  // The next one begins without the old one's percentage.
  bench.views["m"] = running();
  bench.topics.changed("m");
  CHECK(bench.percents() == std::vector<int>{-1});
}

TEST_CASE("a catalog that changes by the dozen is told once") {
  Bench bench;
  bench.views["m"] = bench.views["n"] = {"UC20", "A11", std::nullopt, false, std::nullopt};
  bench.topics.changed("m");
  bench.topics.changed("n");
  bench.told.clear();
  for (int i = 12; i < 24; ++i) {
    bench.views["m"].newest = Release{"A" + std::to_string(i), ""};
    bench.topics.change_soon({"m", "n"});
  }
  bench.pass(std::chrono::seconds(2));
  bench.pass(std::chrono::seconds(2));
  REQUIRE(bench.told.size() == 1);
  CHECK(bench.told[0]["module"] == "m");
  CHECK(bench.told[0]["latest_version"] == "A23");
}

TEST_CASE("after publish_again() all is said once more; a forgotten module is not") {
  Bench bench;
  bench.views["m"] = bench.views["n"] = running();
  bench.topics.changed("m");
  bench.topics.publish_again();
  bench.topics.changed("m");
  CHECK(bench.told.size() == 2);
  bench.topics.changed("n");
  bench.topics.progress("n", 5);
  bench.topics.forget("n");
  bench.told.clear();
  bench.pass(std::chrono::seconds(3));
  CHECK(bench.told.empty());
}
