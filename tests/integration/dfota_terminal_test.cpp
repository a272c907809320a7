// The bars of dfota as a person sees them, on a terminal of the test's own; a gateway that is played by the test.
#include <doctest/doctest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "tests/support/scripted_gateway.hpp"
#include "tests/support/terminal.hpp"

using namespace dfota;
using namespace dfota::test;
using Json = nlohmann::json;
using Texts = std::vector<std::string>;

namespace {
struct Watched {
  Broker broker;
  ScriptedGateway gateway{broker};
  Terminal terminal;
  Watched(unsigned short width, unsigned short height, Json counts)
      : terminal((begin(counts), dfota_call(broker, {"watch", "r3"})), width, height) {
    REQUIRE(terminal.wait_for_row("job r3: running"));
  }
  void begin(const Json& counts) {
    gateway.say("job/r3/state", {{"job", "r3"}, {"run", 1}, {"state", "running"}, {"counts", counts}}, true);
    gateway.online();
  }
};

/// The row that begins so; empty: none is seen.
std::string row(const VirtualScreen& screen, const std::string& begin) {
  for (const auto& one : screen.seen()) {
    if (one.starts_with(begin)) return one;
  }
  return "";
}

std::size_t count(const Texts& rows, const std::string& part) {
  return static_cast<std::size_t>(
      std::count_if(rows.begin(), rows.end(), [&](const auto& one) { return one.find(part) != std::string::npos; }));
}

std::string name(int i) {
  return "m" + std::to_string(i);
}

Json error_716(const std::string& meaning) {
  return {{"code", 716}, {"source", "http"}, {"meaning", meaning}, {"message", "no request came"}};
}
}  // namespace

TEST_CASE("narrow terminals: one row a module, nothing wraps") {
  for (const unsigned short width : {20, 30, 40}) {
    CAPTURE(width);
    Watched watched(width, 12, {{"running", 2}});
    watched.gateway.progress("r3", "uc20-a", "downloading", 10);
    watched.gateway.progress("r3", "uc20-b", "updating", 52);
    CHECK(watched.terminal.wait_for([](const VirtualScreen& screen) {
      return row(screen, "uc20-a").ends_with(" 10 %") && row(screen, "uc20-b").ends_with(" 52 %");
    }));
    const auto screen = watched.terminal.screen();
    const auto seen = screen.seen();
    REQUIRE(seen.size() > 4);
    CHECK(seen[seen.size() - 2].starts_with("job r3 running: 0"));  // above it the bars, below it the cursor
    CHECK(seen[seen.size() - 3].starts_with("uc20-b"));
    CHECK(seen[seen.size() - 4].starts_with("uc20-a"));
    CHECK(count(seen, "uc20") == 2);
    CHECK(screen.faults().empty());
    watched.gateway.state("r3", "succeeded", {{"uc20-a", "succeeded"}, {"uc20-b", "succeeded"}});
    CHECK(watched.terminal.process().wait() == 0);
  }
}

TEST_CASE("a terminal that changes its size, again and again") {
  Watched watched(100, 20, {{"running", 3}});
  struct Size {
    unsigned short width, height;
  };
  int percent = 1;
  for (const Size size : {Size{30, 20}, {120, 20}, {20, 6}, {80, 30}, {50, 5}}) {
    for (const char* module : {"uc20-a", "uc20-b"}) watched.gateway.progress("r3", module, "downloading", percent);
    const std::string end = " " + std::to_string(percent++) + " %";
    REQUIRE(watched.terminal.wait_for(
        [&](const VirtualScreen& screen) { return row(screen, "uc20-b").find(end) != std::string::npos; }));
    watched.terminal.resize(size.width, size.height);
    for (const char* module : {"uc20-a", "uc20-b"}) watched.gateway.progress("r3", module, "downloading", percent);
    const std::string next = " " + std::to_string(percent++) + " %";
    CAPTURE(size.width);
    REQUIRE(watched.terminal.wait_for([&](const VirtualScreen& screen) {
      return row(screen, "uc20-b").find(next) != std::string::npos && row(screen, "job r3 running").size() > 0;
    }));
    const auto screen = watched.terminal.screen();
    const auto seen = screen.seen();
    CHECK(count(seen, "uc20-a") == 1);
    CHECK(count(seen, "uc20-b") == 1);
    CHECK(count(seen, "0 of 3 done") == (size.width > 26 ? 1 : 0));
    CHECK(screen.faults().empty());
  }
}

TEST_CASE("hundreds of modules on a few rows: the active ones, the others by number, and failures at the end") {
  Watched watched(70, 12, {{"queued", 192}, {"running", 8}});
  for (int i = 0; i < 8; ++i) watched.gateway.progress("r3", name(i), "downloading", i);
  REQUIRE(watched.terminal.wait_for(
      [](const VirtualScreen& screen) { return row(screen, "+ ").starts_with("+ 192 queued"); }));
  int seq = 0;
  for (int i = 0; i < 200; ++i) {
    const bool bad = i == 3 || i == 4;
    Json result = {{"seq", ++seq}, {"job", "r3"},
                   {"run", 1},     {"outcome", bad ? "failed" : "succeeded"},
                   {"from", "A"},  {"version", bad ? "A" : "B"}};
    if (bad) result["error"] = error_716("HTTP socket connect error\x1b[31m");
    watched.gateway.progress("r3", name(i), "updating", 50);
    watched.gateway.say("module/" + name(i) + "/result", result);
  }
  REQUIRE(watched.terminal.wait_for_row("m199: succeeded"));
  watched.gateway.state("r3", "partial", nullptr);
  CHECK(watched.terminal.process().wait() == 1);
  REQUIRE(watched.terminal.wait_for_row("not well:"));
  REQUIRE(watched.terminal.wait_for([](const VirtualScreen& screen) {
    return !row(screen, "m4: failed").empty() && !row(screen, "job r3: partial").empty();
  }));
  const auto screen = watched.terminal.screen();
  CHECK_FALSE(row(screen, "not well:").empty());
  CHECK(screen.faults().empty());
  CHECK(row(screen, "m3: failed").starts_with("m3: failed: 716: no request came: HTTP socket connect error?"));
  auto all = screen.history();
  CHECK(count(all, "m0: succeeded") == 1);
  CHECK(count(all, "downloading  [") == 0);  // no bar has scrolled away
  CHECK(count(all, "updating     [") == 0);
  CHECK(count(all, " done") == 0);
}

TEST_CASE("bars are redrawn no more than ten times a second, however much comes") {
  const auto begin = std::chrono::steady_clock::now();
  Watched watched(80, 24, {{"running", 4}});
  for (int i = 0; i < 1000; ++i) {
    watched.gateway.progress("r3", name(i % 4), "downloading", i / 10);
    if (i % 10 == 0)
      watched.gateway.say("module/" + name(i % 4) + "/error/7xx/716",
                          {{"seq", i}, {"job", "r3"}, {"run", 1}, {"attempt", 1}, {"code", 716}, {"source", "http"}});
  }
  watched.gateway.state("r3", "succeeded", nullptr);
  CHECK(watched.terminal.process().wait() == 0);
  REQUIRE(watched.terminal.wait_for_row("job r3: succeeded"));
  const auto tenths = (std::chrono::steady_clock::now() - begin) / std::chrono::milliseconds(100);
  CHECK(watched.terminal.screen().movements() <= 2 * (tenths + 2));
}

TEST_CASE("wide and malicious names keep their columns") {
  Watched watched(80, 12, {{"running", 2}});
  const std::string wide = "\xe4\xb8\xad\xe6\x96\x87", marked =
                                                           "a\xcc\x81"
                                                           "b";
  watched.gateway.progress("r3", wide, "downloading", 10);
  watched.gateway.progress("r3", marked, "up\x1b[2J\xc2\x9b", 20);
  REQUIRE(
      watched.terminal.wait_for([](const VirtualScreen& screen) { return !row(screen, "a?b       up?[2J?").empty(); }));
  const auto screen = watched.terminal.screen();
  CHECK(row(screen, wide).starts_with(wide + "      downloading  ["));
  CHECK(screen.faults().empty());
}
