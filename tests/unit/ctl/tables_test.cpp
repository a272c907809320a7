#include "gateway/ctl/tables.hpp"

#include <doctest/doctest.h>

#include "gateway/ctl/text.hpp"

using namespace dfota::ctl;
using Texts = std::vector<std::string>;

namespace {
JobRow job(const std::string& id, const std::string& state, const std::string& from, const std::string& to) {
  JobRow row;
  row.job = id;
  row.run = 1;
  row.state = state;
  row.from = from;
  row.to = to;
  return row;
}
}  // namespace

TEST_CASE("jobs, one a line, columns as wide as what stands in them") {
  auto running = job("uc20-r3", "running", "V1", "V2");
  running.run = 12;
  running.counts = {{"queued", 0}, {"running", 2}, {"succeeded", 1}};
  CHECK(jobs_table({running, job("x", "paused", "", "V9")}) ==
        Texts{"job      run  state    modules                 from -> to",
              "uc20-r3  12   running  2 running, 1 succeeded  V1 -> V2",
              "x        1    paused   -                       - -> V9"});
}

TEST_CASE("modules, what is not known is a dash") {
  ModuleRow busy{"uc20-a", "online", "updating", "V1", "r3", "failed", "", {}};
  ModuleRow gone{"b", "offline", "idle", "", "", "", "absent", {}};
  CHECK(modules_table({busy, gone}) == Texts{"module  status   phase     version  job  last result  problem",
                                             "uc20-a  online   updating  V1       r3   failed       -",
                                             "b       offline  idle      -        -    -            absent"});
}

TEST_CASE("what a dry run would do with each module") {
  const Json data = {
      {"modules",
       {{{"module", "m0"},
         {"version", "A11"},
         {"target", "A14"},
         {"bytes", 300},
         {"expected_duration_s", 61.7},
         {"reason", nullptr},
         {"way",
          {{{"artifact", "a.bin"}, {"from", "A11"}, {"to", "A12"}},
           {{"artifact", "b.bin"}, {"from", "A12"}, {"to", "A14"}}}}},
        {{"module", "m1"}, {"version", "A14"}, {"target", "A14"}, {"bytes", 0}, {"way", Json::array()}},
        {{"module", "m2"}, {"reason", {{"code", "no_way"}, {"meaning", "none"}, {"message", "A12 is the nearest"}}}}}}};
  CHECK(plan_table(planned_modules(data)) ==
        Texts{"module  version  target  bytes  expected  what would be done",
              "m0      A11      A14     300    62 s      a.bin: A11 -> A12, b.bin: A12 -> A14",
              "m1      A14      A14     0      -         nothing, it is there already",
              "m2      -        -       0      -         no_way: A12 is the nearest"});
  CHECK(planned_modules({{"modules", 1}}).empty());
}

TEST_CASE("no rows: the head alone") {
  CHECK(jobs_table({}).size() == 1);
  CHECK(modules_table({}).size() == 1);
}

TEST_CASE("what arrives is made harmless, and a cell has an end") {
  auto nasty = job("r\x1b[2J", "a\nb",
                   "\xc2\x9b"
                   "1m",
                   std::string(5000, 'x'));
  nasty.counts = {{"fai\rled", 1}};
  const auto lines = jobs_table({nasty});
  REQUIRE(lines.size() == 2);
  CHECK(printable(lines[1]) == lines[1]);
  CHECK(lines[1].starts_with("r?[2J  1    a?b    1 fai?led  ?1m -> xxx"));
  CHECK(columns(lines[1]) < 300);
}
