#include "gateway/ctl/artifact.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace dfota::ctl;

TEST_CASE("the rows of artifact_list: what has no name is left out, the rest is fit for a terminal") {
  const auto rows = artifact_rows(Json::parse(R"({"artifacts": [
    {"name": "a.bin", "model": "UC20", "from": "R11", "to": "R12", "size": 65536, "present": true,
     "used_at": "2026-03-01T12:00:00.000Z", "signature": "x"},
    {"name": "b.bin", "model": "UC\u001b[31m20", "from": "R12", "to": "R13", "size": 1, "present": false, "used_at": null},
    {"model": "UC20"}, 5, null]})"));
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].size == 65536);
  CHECK(rows[0].present);
  CHECK(rows[0].is_signed);
  CHECK_FALSE(rows[1].present);
  const auto lines = artifacts_table(rows);
  REQUIRE(lines.size() == 3);
  CHECK(lines[0] == "artifact  model      from -> to  bytes  signed  in the cache");
  CHECK(lines[1] == "a.bin     UC20       R11 -> R12  65536  yes     used 2026-03-01T12:00:00.000Z");
  CHECK(lines[2] == "b.bin     UC?[31m20  R12 -> R13  1      no      no, fetched when needed");
  CHECK(artifact_rows(Json::object()).empty());
  CHECK(artifact_rows({{"artifacts", "none"}}).empty());
}
