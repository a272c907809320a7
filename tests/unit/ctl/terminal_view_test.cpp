#include "gateway/ctl/terminal_view.hpp"

#include <doctest/doctest.h>

#include "gateway/ctl/text.hpp"

using namespace dfota::ctl;
using Texts = std::vector<std::string>;

namespace {
Progress progress(const std::string& module, const std::string& phase, std::optional<double> percent,
                  double overall = 0) {
  Progress p;
  p.job = "r3";
  p.module = module;
  p.phase = phase;
  p.percent = percent;
  p.overall_percent = overall;
  return p;
}

WatchModel model_of(int modules) {
  WatchModel model("r3");
  JobState state;
  state.job = "r3";
  state.state = "running";
  state.counts = {{"running", modules}};
  model.apply(state);
  for (int i = 0; i < modules; ++i) model.apply(progress("m" + std::to_string(i), "updating", i, i));
  return model;
}

Texts draw(const WatchModel& model, Screen screen) {
  return dfota::ctl::draw(Models{&model}, screen);
}

void check_fits(const Texts& lines, Screen screen) {
  CAPTURE(screen.width);
  CAPTURE(screen.height);
  CHECK(lines.size() < std::max<std::size_t>(screen.height, 2));
  for (const auto& line : lines) {
    CAPTURE(line);
    CHECK(columns(line) < std::max<std::size_t>(screen.width, 2));
    CHECK(printable(line) == line);
  }
}
}  // namespace

TEST_CASE("a bar for each module, and a summary") {
  WatchModel model("r3");
  auto a = progress("uc20-a", "downloading", 52.9);
  a.bytes_per_second = 118'000;
  a.eta_s = 12;
  model.apply(a);
  model.apply(progress("uc20-b", "updating", 0));
  model.apply(progress("uc20-c", "rebooting", std::nullopt));
  model.apply(progress("uc20-d", "queued", std::nullopt));
  JobState state;
  state.job = "r3";
  state.state = "running";
  state.counts = {{"running", 3}, {"queued", 1}};
  model.apply(state);
  const auto lines = draw(model, {80, 24});
  CHECK(lines == Texts{"uc20-a    downloading  [##############--------------]  52 %   118 kB/s     0:12",
                       "uc20-b    updating     [----------------------------]   0 %                    ",
                       "uc20-c    rebooting    [............................]                          ", "+ 1 queued",
                       "job r3 running: 0 of 4 done"});
}

TEST_CASE("every line fits, at every size") {
  WatchModel model = model_of(30);
  model.apply(progress("a-module-with-a-very-long-name-which-goes-on-and-on", "updating", 50));
  model.apply(progress("evil\x1b[2J\xff\xe4\xb8\xad\xe6\x96\x87", "dow\nn", 1000));
  for (std::size_t width = 0; width < 130; ++width) {
    for (const std::size_t height : {0UL, 1UL, 2UL, 3UL, 5UL, 24UL, 60UL})
      check_fits(draw(model, {width, height}), {width, height});
  }
}

TEST_CASE("more modules than rows: the furthest ones, each at its place, and how many more") {
  const auto lines = draw(model_of(30), {80, 10});
  REQUIRE(lines.size() == 9);
  CHECK(lines[0].starts_with("m23 "));
  CHECK(lines[6].starts_with("m29 "));
  CHECK(lines[7] == "+ 23 running");
  CHECK(lines[8] == "job r3 running: 0 of 30 done");
}

TEST_CASE("hundreds of modules: those that are active, and the others by number") {
  WatchModel model("r3");
  JobState state;
  state.job = "r3";
  state.state = "running";
  state.counts = {{"queued", 188}, {"running", 8}, {"succeeded", 0}};
  model.apply(state);
  for (int i = 0; i < 8; ++i) model.apply(progress("m" + std::to_string(i), "downloading", 10));
  for (int i = 0; i < 12; ++i) {
    ModuleResult result;
    result.job = "r3";
    result.module = "n" + std::to_string(i);
    result.outcome = i < 11 ? "succeeded" : "failed";
    model.apply(result);
  }
  const auto lines = draw(model, {80, 24});
  REQUIRE(lines.size() == 10);
  CHECK(lines[8] == "+ 176 queued, 1 failed, 11 succeeded");  // the job's own numbers come later
  CHECK(lines[9] == "job r3 running: 12 of 196 done, 1 not well");
  state.counts = {{"queued", 176}, {"running", 8}, {"succeeded", 11}, {"failed", 1}};
  model.apply(state);
  CHECK(draw(model, {80, 24}) == lines);
  const auto low = draw(model, {80, 6});
  REQUIRE(low.size() == 5);
  CHECK(low[3] == "+ 5 running, 176 queued, 1 failed, 11 succeeded");
}

TEST_CASE("the modules of a fleet are told apart by their gateways") {
  WatchModel one("r3", 0, "rack-1/"), two("r3", 0, "rack-2/");
  one.apply(progress("uc20-a", "updating", 10));
  two.apply(progress("uc20-a", "updating", 20));
  const auto lines = dfota::ctl::draw(Models{&one, &two}, {80, 24});
  REQUIRE(lines.size() == 4);
  CHECK(lines[0].starts_with("rack-1/uc20-a  updating "));
  CHECK(lines[1].starts_with("rack-2/uc20-a  updating "));
  CHECK(lines[2] == "job rack-1/r3 ?: 0 of 1 done");
  const auto narrow = dfota::ctl::draw(Models{&one, &two}, {24, 24});
  CHECK(narrow[0] == "~ck-1/uc20-a upd~  10 %");
}

TEST_CASE("a narrow terminal: module, phase and percent, and a bar where there is room") {
  auto model = model_of(1);
  model.apply(progress("uc20-a", "downloading", 52));
  CHECK(draw(model, {59, 10})[1] == "uc20-a   downloading [###############--------------]  52 %");
  CHECK(draw(model, {40, 10})[1] == "uc20-a   downloading [#####-----]  52 %");
  CHECK(draw(model, {30, 10})[1] == "uc20-a   downloading  52 %");
  CHECK(draw(model, {20, 10})[1] == "uc20-a   dow~  52 %");
  CHECK(draw(model, {12, 10})[1].ends_with("52 %"));
}

TEST_CASE("in a narrow terminal the name of a job gives way to what is told of it") {
  WatchModel model(std::nullopt);
  JobState state;
  state.job = "job-1795413158837-1";
  state.state = "running";
  state.counts = {{"running", 12}};
  model.apply(state);
  CHECK(draw(model, {80, 5}).back() == "job job-1795413158837-1 running: 0 of 12 done");
  CHECK(draw(model, {40, 5}).back() == "job ~5413158837-1 running: 0 of 12 done");
  CHECK(draw(model, {30, 5}).back() == "job ~58837-1 running: 0 of 1~");
}

TEST_CASE("what has ended has no bar, and a job that has ended no summary") {
  WatchModel model = model_of(2);
  ModuleResult result;
  result.job = "r3";
  result.module = "m0";
  result.outcome = "failed";
  model.apply(result);
  CHECK(draw(model, {80, 24}) ==
        Texts{draw(model, {80, 24})[0], "+ 1 failed", "job r3 running: 1 of 2 done, 1 not well"});
  JobState last;
  last.job = "r3";
  last.state = "partial";
  last.modules = {{"m0", "failed"}, {"m1", "succeeded"}};
  model.apply(last);
  CHECK(draw(model, {80, 24}).empty());
}

TEST_CASE("a job that is paused says so") {
  WatchModel model = model_of(1);
  JobState paused;
  paused.job = "r3";
  paused.state = "paused";
  paused.counts = {{"running", 1}, {"queued", 1}};
  model.apply(paused);
  const auto lines = draw(model, {80, 24});
  REQUIRE(lines.size() == 3);
  CHECK(lines[1] == "+ 1 queued");
  CHECK(lines[2] == "job r3 paused: 0 of 2 done");
}

TEST_CASE("many jobs leave room for their modules") {
  WatchModel model(std::nullopt);
  for (int i = 0; i < 40; ++i) {
    JobState state;
    state.job = "j" + std::to_string(i);
    state.state = "running";
    model.apply(state);
  }
  model.apply(progress("a", "updating", 1));
  const auto lines = draw(model, {80, 11});
  CHECK(lines.size() <= 10);
  CHECK(lines[0].starts_with("a "));
}
