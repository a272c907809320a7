#include "gateway/update_history.hpp"

#include <doctest/doctest.h>

using namespace dfota;

namespace {

Manifest delta(const std::string& sha256, std::optional<std::uint64_t> size, const std::string& model = "UC20") {
  Manifest one;
  one.sha256 = sha256;
  one.size = size;
  one.model = model;
  return one;
}

}  // namespace

TEST_CASE("the mean of this delta; else by its bytes what the model's updates took; else nothing") {
  UpdateHistory history;
  CHECK_FALSE(history.expected_s(delta("a", 100)));
  history.add(delta("a", 100), "UC20", 10);
  history.add(delta("a", 100), "UC20", 20);
  CHECK(history.expected_s(delta("a", 100)) == 15);
  CHECK(history.expected_s(delta("b", 400)) == doctest::Approx(60));
  CHECK_FALSE(history.expected_s(delta("b", 400, "UC15")));
  CHECK_FALSE(history.expected_s(delta("b", std::nullopt)));
}

TEST_CASE("a delta of unknown size says nothing of others") {
  UpdateHistory history;
  history.add(delta("a", std::nullopt), "UC20", 10);
  CHECK(history.expected_s(delta("a", std::nullopt)) == 10);
  CHECK_FALSE(history.expected_s(delta("b", 100)));
}

TEST_CASE("it is the same after a restart; what cannot be read is none") {
  UpdateHistory history;
  history.add(delta("a", 100), "UC20", 10);
  UpdateHistory again(history.document());
  CHECK(again.document() == history.document());
  CHECK(again.expected_s(delta("a", 100)) == 10);
  for (const auto* broken : {"", "[]", "{", R"({"deltas":{"a":1},"models":{}})"}) {
    CHECK_FALSE(UpdateHistory(broken).expected_s(delta("a", 100)));
  }
}

TEST_CASE("the oldest deltas go") {
  UpdateHistory history;
  for (std::size_t i = 0; i <= UpdateHistory::kMostDeltas; ++i) history.add(delta(std::to_string(i), {}), "UC20", 1);
  CHECK_FALSE(history.expected_s(delta("0", {})));
  CHECK(history.expected_s(delta("1", {})) == 1);
}
