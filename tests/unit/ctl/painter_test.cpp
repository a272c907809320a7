#include "gateway/ctl/painter.hpp"

#include <doctest/doctest.h>

#include "tests/support/virtual_screen.hpp"

using namespace dfota::ctl;
using dfota::test::VirtualScreen;
using Texts = std::vector<std::string>;

namespace {
/// What a person sees above the cursor.
Texts seen(const VirtualScreen& screen) {
  auto rows = screen.seen();
  REQUIRE_FALSE(rows.empty());
  CHECK(rows.back().empty());
  rows.pop_back();
  return rows;
}
}  // namespace

TEST_CASE("bars are drawn in place, below the lines that stay") {
  Painter painter;
  VirtualScreen screen(40, 10);
  const Screen size{40, 10};
  screen.write(painter.paint({"job r3: accepted"}, {"a 1 %", "job r3 running"}, size));
  screen.write(painter.paint({}, {"a 2 %", "b 1 %", "job r3 running"}, size));
  CHECK(seen(screen) == Texts{"job r3: accepted", "a 2 %", "b 1 %", "job r3 running"});
  screen.write(painter.paint({"a: succeeded", "b: failed"}, {"job r3 running"}, size));
  CHECK(seen(screen) == Texts{"job r3: accepted", "a: succeeded", "b: failed", "job r3 running"});
  screen.write(painter.paint({"job r3: partial"}, {}, size));
  CHECK(seen(screen) == Texts{"job r3: accepted", "a: succeeded", "b: failed", "job r3: partial"});
  CHECK(screen.faults().empty());
}

TEST_CASE("lines that scroll away leave no bar behind, however many they are") {
  Painter painter;
  VirtualScreen screen(30, 6);
  const Screen size{30, 6};
  for (int i = 0; i < 50; ++i) {
    Texts lasting = {"m" + std::to_string(i) + ": succeeded"};
    if (i % 7 == 0) lasting.push_back("a line that is longer than the terminal is wide, and wraps");
    screen.write(painter.paint(lasting, {"bar 1", "bar 2", "bar 3"}, size));
    const auto rows = seen(screen);
    CHECK(Texts(rows.end() - 3, rows.end()) == Texts{"bar 1", "bar 2", "bar 3"});
  }
  for (const auto& row : screen.history()) CHECK_FALSE(row.starts_with("bar"));
  CHECK(screen.history()[0] == "m0: succeeded");
}

TEST_CASE("a resize leaves no bar behind, and keeps the newest lines") {
  for (const Screen to : {Screen{20, 10}, Screen{80, 30}, Screen{60, 5}, Screen{60, 10}}) {
    CAPTURE(to.width);
    CAPTURE(to.height);
    Painter painter;
    VirtualScreen screen(60, 10);
    const Texts wide = {std::string(59, '#'), std::string(59, '='), "job r3 running"};
    screen.write(painter.paint({"one", "two"}, wide, {60, 10}));
    screen.resize(to.width, to.height);
    painter.resized();
    const Texts bars = {std::string(to.width - 1, '#'), "job r3 running"};
    screen.write(painter.paint({"three"}, bars, to));
    auto rows = seen(screen);
    CHECK(Texts(rows.end() - 2, rows.end()) == bars);
    CHECK(rows[rows.size() - 3] == "three");
    CHECK(std::count(rows.begin(), rows.end(), "job r3 running") == 1);
    screen.write(painter.paint({"four"}, bars, to));
    rows = seen(screen);
    CHECK(Texts(rows.end() - 3, rows.end()) == Texts{"four", bars[0], bars[1]});
    CHECK(screen.faults().empty());
  }
}

TEST_CASE("a size that changed before its signal came is seen, too") {
  Painter painter;
  VirtualScreen screen(60, 10);
  screen.write(painter.paint({}, {std::string(59, '#')}, {60, 10}));
  screen.resize(20, 10);
  screen.write(painter.paint({}, {"bar"}, {20, 10}));
  CHECK(seen(screen) == Texts{"bar"});
}
