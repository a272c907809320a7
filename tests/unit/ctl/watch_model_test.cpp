#include "gateway/ctl/watch_model.hpp"

#include <doctest/doctest.h>

using namespace dfota::ctl;
using Texts = std::vector<std::string>;

namespace {
Progress progress(const std::string& module, const std::string& phase, std::int64_t attempt = 1, std::int64_t run = 1) {
  Progress p;
  p.job = "r3";
  p.module = module;
  p.phase = phase;
  p.attempt = attempt;
  p.run = run;
  return p;
}

ModuleResult result(const std::string& module, const std::string& outcome, std::int64_t seq, std::int64_t run = 1) {
  ModuleResult r;
  r.job = "r3";
  r.module = module;
  r.outcome = outcome;
  r.seq = seq;
  r.run = run;
  return r;
}

JobState state(const std::string& word, std::map<std::string, std::string> modules = {}, std::int64_t run = 1) {
  JobState s;
  s.job = "r3";
  s.state = word;
  s.modules = std::move(modules);
  s.run = run;
  return s;
}
}  // namespace

TEST_CASE("one line for each change of phase, and none for what only moves the bar") {
  WatchModel model("r3");
  CHECK(model.apply(progress("a", "downloading")).fleeting == Texts{"a: downloading"});
  auto more = progress("a", "downloading");
  more.percent = 50;
  CHECK(model.apply(more).fleeting.empty());
  CHECK(model.jobs().at("r3").modules[0].progress.percent == 50);
  CHECK(model.apply(progress("a", "updating")).fleeting == Texts{"a: updating"});
  CHECK(model.apply(progress("a", "downloading", 2)).fleeting == Texts{"a: downloading, attempt 2"});
  auto hop = progress("b", "downloading");
  hop.hops = 2;
  CHECK(model.apply(hop).fleeting == Texts{"b: downloading, hop 1 of 2"});
  hop.hop = 2;
  CHECK(model.apply(hop).fleeting == Texts{"b: downloading, hop 2 of 2"});
  CHECK(model.apply(hop).fleeting.empty());
}

TEST_CASE("a whole job that goes well") {
  WatchModel model("r3");
  CHECK(model.apply(state("running")).lasting == Texts{"job r3: running"});
  CHECK(model.apply(state("running")).lasting.empty());
  model.apply(progress("a", "updating"));
  auto ended = result("a", "succeeded", 1);
  ended.from = "V1";
  ended.version = "V2";
  ended.attempts = 2;
  ended.duration_s = 75;
  CHECK(model.apply(ended).lasting == Texts{"a: succeeded: V1 -> V2, 2 attempts, 1:15"});
  CHECK_FALSE(model.ended());
  auto last = state("succeeded", {{"a", "succeeded"}});
  last.counts = {{"succeeded", 1}, {"failed", 0}};
  CHECK(model.apply(last).lasting == Texts{"job r3: succeeded: 1 succeeded"});
  CHECK(model.ended());
  CHECK(model.all_well());
}

TEST_CASE("anything but succeeded and skipped is not well") {
  for (const std::string& outcome : Texts{"rejected", "failed", "canceled", "lost", "", "Succeeded"}) {
    WatchModel model("r3");
    model.apply(result("a", outcome, 1));
    model.apply(state("succeeded"));
    CAPTURE(outcome);
    CHECK_FALSE(model.all_well());
  }
  for (const std::string& word : Texts{"canceled", "rejected", "failed", "partial"}) {
    WatchModel model("r3");
    model.apply(result("a", "succeeded", 1));
    model.apply(state(word));
    CHECK(model.ended());
    CHECK_FALSE(model.all_well());
  }
  for (const std::string& word : Texts{"queued", "running", "paused", ""}) {
    WatchModel model("r3");
    model.apply(state(word));
    CHECK_FALSE(model.ended());
    CHECK_FALSE(model.all_well());
  }
}

TEST_CASE("results that were missed are taken from the job's last state") {
  WatchModel model("r3");
  model.apply(result("a", "succeeded", 1));
  const auto lines = model.apply(state("partial", {{"a", "succeeded"}, {"b", "failed"}}));
  CHECK(lines.lasting == Texts{"b: failed", "job r3: partial"});
  CHECK(model.ended());
  CHECK_FALSE(model.all_well());
}

TEST_CASE("duplicates, latecomers, other jobs and earlier runs change nothing") {
  WatchModel model("r3");
  model.apply(progress("a", "updating", 1, 2));
  CHECK(model.apply(result("a", "failed", 5, 1)).lasting.empty());
  CHECK(model.apply(result("a", "succeeded", 6, 2)).lasting.size() == 1);
  CHECK(model.apply(result("a", "succeeded", 6, 2)).lasting.empty());
  CHECK(model.apply(result("a", "failed", 7, 2)).lasting.empty());
  CHECK(model.apply(progress("a", "updating", 1, 2)).fleeting.empty());
  auto other = progress("b", "updating");
  other.job = "r4";
  CHECK(model.apply(other).fleeting.empty());
  CHECK(model.jobs().size() == 1);
  CHECK(model.jobs().at("r3").modules.size() == 1);
  CHECK(model.jobs().at("r3").modules[0].outcome == "succeeded");
}

TEST_CASE("a newer run begins anew") {
  WatchModel model("r3");
  model.apply(result("a", "failed", 1));
  model.apply(state("failed"));
  CHECK(model.ended());
  model.apply(state("running", {}, 2));
  CHECK_FALSE(model.ended());
  CHECK(model.jobs().at("r3").modules.empty());
  model.apply(result("a", "succeeded", 2, 2));
  model.apply(state("succeeded", {}, 2));
  CHECK(model.all_well());
}

TEST_CASE("the runs before the one that is watched are none of ours, and do not end it") {
  WatchModel model("r3", 2);
  CHECK(model.apply(state("failed", {{"a", "failed"}}, 1)).lasting.empty());
  CHECK(model.apply(result("a", "failed", 1, 1)).lasting.empty());
  CHECK_FALSE(model.ended());
  CHECK(model.apply(state("running", {}, 2)).lasting == Texts{"job r3: running"});
  model.apply(result("a", "succeeded", 2, 2));
  model.apply(state("succeeded", {{"a", "succeeded"}}, 2));
  CHECK(model.ended());
  CHECK(model.all_well());
}

TEST_CASE("a job that is paused goes on, one that is canceled has ended, wholly or partly") {
  WatchModel model("r3");
  model.apply(progress("a", "downloading"));
  CHECK(model.apply(state("paused")).lasting == Texts{"job r3: paused"});
  CHECK_FALSE(model.ended());
  model.apply(progress("a", "updating"));
  CHECK(model.jobs().at("r3").modules[0].progress.phase == "updating");
  CHECK(model.apply(state("running")).lasting == Texts{"job r3: running"});
  model.apply(result("a", "succeeded", 1));
  auto stopped = result("b", "canceled", 2);
  stopped.error = "canary_failed: a did not succeed";
  CHECK(model.apply(stopped).lasting == Texts{"b: canceled: canary_failed: a did not succeed"});
  CHECK_FALSE(model.ended());
  auto last = state("partial", {{"a", "succeeded"}, {"b", "canceled"}});
  last.counts = {{"canceled", 1}, {"succeeded", 1}};
  CHECK(model.apply(last).lasting == Texts{"job r3: partial: 1 canceled, 1 succeeded"});
  CHECK(model.ended());
  CHECK_FALSE(model.all_well());
}

TEST_CASE("errors say code, source, meaning, hint and what comes next") {
  WatchModel model("r3");
  ModuleError error;
  error.job = "r3";
  error.module = "a";
  error.code = "608";
  error.source = "http";
  error.meaning = "DNS failed";
  error.message = "no address for files.lan";
  error.hint = "look at the DNS";
  error.next_attempt_at = "2026-01-01T00:00:10.000Z";
  error.seq = 3;
  CHECK(model.apply(error).lasting == Texts{"a: error 608 (http): DNS failed: no address for files.lan; look at the "
                                            "DNS; next attempt at 2026-01-01T00:00:10.000Z"});
  CHECK(model.apply(error).lasting.empty());
}

TEST_CASE("watching all jobs names them, and never ends by itself") {
  WatchModel model(std::nullopt);
  CHECK(model.apply(progress("a", "updating")).fleeting == Texts{"r3 a: updating"});
  model.apply(state("succeeded"));
  CHECK_FALSE(model.ended());
  CHECK(model.all_well());
  auto other = state("failed");
  other.job = "r4";
  model.apply(other);
  CHECK_FALSE(model.all_well());
}

TEST_CASE("what arrives is made harmless") {
  WatchModel model(std::nullopt);
  auto nasty = result("a\x1b[2J", "fai\nled", 1);
  nasty.error =
      "\x9b"
      "31mred";
  nasty.job = "r\x07";
  CHECK(model.apply(nasty).lasting == Texts{"r? a?[2J: fai?led: ?31mred"});
  auto phase = progress("b", "up\rdating");
  CHECK(model.apply(phase).fleeting == Texts{"r3 b: up?dating"});
}

TEST_CASE("of a fleet the names of modules and jobs have their gateway before them") {
  WatchModel model("r3", 0, "rack-1/");
  CHECK(model.apply(state("running")).lasting == Texts{"job rack-1/r3: running"});
  CHECK(model.apply(progress("a", "updating")).fleeting == Texts{"rack-1/a: updating"});
  CHECK(model.apply(result("a", "failed", 1)).lasting == Texts{"rack-1/a: failed"});
  CHECK(model.jobs().at("r3").modules[0].name == "rack-1/a");
  WatchModel all(std::nullopt, 0, "rack-1/");
  CHECK(all.apply(progress("a", "updating")).fleeting == Texts{"r3 rack-1/a: updating"});
}

TEST_CASE("the lines of those that did not end well are kept, each once") {
  WatchModel model("r3");
  model.apply(result("a", "failed", 1));
  model.apply(result("a", "failed", 1));
  model.apply(result("b", "succeeded", 2));
  model.apply(state("partial", {{"a", "failed"}, {"b", "succeeded"}, {"c", "lost"}}));
  const auto& job = model.jobs().at("r3");
  CHECK(job.bad == Texts{"a: failed", "c: lost"});
  CHECK(job.told == "job r3: partial");
}
