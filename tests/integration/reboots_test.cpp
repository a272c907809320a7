// [[limit]] reboots with the real programs: the modules of a shelf download beside each other, and reboot one after the
// other, for their last bytes are held back. The rack's log is the evidence.
#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "tests/support/rig.hpp"

using namespace dfota::test;
using Json = nlohmann::json;

namespace {

/// All modules are on a shelf of which one may reboot at once.
RigOptions shelf(int modules, std::vector<std::string> faults = {}) {
  auto options = rack_of(modules, std::move(faults));
  options.rack.speed = 50;
  options.tags = R"(["shelf"])";
  options.blocks = "[[limit]]\ntag = \"shelf\"\nreboots = 1\n";
  return options;
}

/// How many flashed at once, at most, from their last byte until they ran their new version.
std::size_t most_at_once(Rig& rig) {
  std::set<std::string> flash;
  std::size_t most = 0;
  for (const auto& event : rig.rack.events()) {
    if (event["event"] == "flashing_begin") flash.insert(event["module"]);
    if (event["event"] == "flashing_end") flash.erase(event["module"]);
    most = std::max(most, flash.size());
  }
  return most;
}

}  // namespace

TEST_CASE("a shelf of six reboots one by one, and the next one's download is ready by then") {
  Rig rig(shelf(6));
  rig.accept(rig.job("shelf"));
  CHECK(rig.finish("shelf")["state"] == "succeeded");
  rig.rack.stop();
  CHECK(most_at_once(rig) == 1);
  for (int i = 0; i < 6; ++i) {
    CHECK(rig.rack.qfotadl(Rig::m(i)) == 1);
    CHECK(rig.rack.written_while_flashing(Rig::m(i)).empty());
  }
}

TEST_CASE("modules that do not wait for their last byte are not charged, and reboot one by one, too") {
  Rig rig(shelf(4, {"all:idle=1"}));
  rig.accept(rig.job("hasty"));  // of one attempt
  CHECK(rig.finish("hasty")["state"] == "succeeded");
  rig.rack.stop();
  CHECK(most_at_once(rig) == 1);
  for (int i = 0; i < 4; ++i) {
    CHECK(rig.rack.qfotadl(Rig::m(i)) <= 2);
    CHECK(rig.errors(Rig::m(i)).empty());
  }
}

TEST_CASE("one that did not wait is commanded again only when it may reboot at once") {
  Rig rig(shelf(2, {"m0:stall=50", "m1:idle=1"}));
  rig.accept(rig.job("first", {"m0"}));
  REQUIRE(rig.rack.wait_for_urc("m0", "UPDATING"));
  rig.accept(rig.job("second", {"m1"}));
  REQUIRE(rig.gateway().wait_for_err("module m1: it did not wait for its last byte"));
  CHECK(rig.request("cancel", {{"job", "second"}})["data"]["stopping"] == Json({"m1"}));
  CHECK(rig.finish("second")["state"] == "canceled");
  CHECK(rig.errors("m1").empty());
  rig.rack.stop();
  CHECK(rig.rack.qfotadl("m1") == 1);
}

TEST_CASE("one that stands by is canceled with certainty, and over a restart of the gateway it stays one at a time") {
  Rig rig(shelf(3, {"m0:stall=50"}));
  rig.accept(rig.job("first", {"m0"}));
  REQUIRE(rig.rack.wait_for_urc("m0", "UPDATING"));
  rig.accept(rig.job("second", {"m1"}));
  REQUIRE(rig.gateway().wait_for_err("module m1: it has all but its last byte"));
  SUBCASE("canceled") {
    const auto reply = rig.request("cancel", {{"job", "second"}});
    CHECK(reply["data"]["stopped"] == Json({"m1"}));
    CHECK(rig.finish("second")["state"] == "canceled");
  }
  SUBCASE("restarted") {
    rig.gateway().kill();
    rig.start_gateway();
    REQUIRE(rig.gateway().wait_for_err("module m1: it has all but its last byte"));
  }
  rig.rack.stop();
  CHECK(rig.rack.events("m1", "flashing_begin").empty());
}
