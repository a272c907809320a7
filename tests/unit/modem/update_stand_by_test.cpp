// A module that has all but its last byte stands by while others of its tag reboot ([[limit]] reboots): it is still one
// that can be cut with certainty, and what it does meanwhile is not its fault.
#include <doctest/doctest.h>

#include "modem/update_procedure.hpp"
#include "tests/support/update_fixture.hpp"

using namespace dfota;
using namespace dfota::test;
using namespace std::chrono_literals;

namespace {

/// It has asked for its last byte.
void to_last_byte(UpdateFixture& f) {
  f.expect_command();
  f.module.say("\r\nOK\r\n\r\n+QIND: \"FOTA\",\"HTTPSTART\"\r\n");
  f.env.state.requests = 1;
  f.env.state.open_connections = 1;
  f.env.state.delivered_bytes = 999;
  f.env.state.last_byte_wanted = true;
  f.changed.notify();
  f.module.settle();
}

void to_stand_by(UpdateFixture& f) {
  f.env.may_reboot = false;
  f.begin();
  f.greet();
  to_last_byte(f);
  f.step(1s);
  REQUIRE_FALSE(f.env.was_asked("commit released 1"));
}

void make_room(UpdateFixture& f) {
  f.env.may_reboot = true;
  f.changed.notify();
  f.module.settle();
}

}  // namespace

TEST_CASE("the last byte waits for a place to reboot for as long as that takes, and the download's time-out with it") {
  UpdateFixture f;
  to_stand_by(f);
  for (int hour = 0; hour < 5; ++hour) f.step(1h);
  CHECK(f.env.reports.back().phase == Phase::downloading);
  CHECK(f.env.was_asked("download_over"));  // it loads nothing meanwhile
  CHECK(f.module.unread().empty());
  CHECK_FALSE(f.env.was_asked("release"));
  make_room(f);
  REQUIRE(f.env.was_asked("release"));
  CHECK(place(f.env.asked, "commit released 1") < place(f.env.asked, "release"));
  CHECK(f.env.errors.empty());
}

TEST_CASE("one that does not wait is not charged, and has its place before the next command") {
  UpdateFixture f;
  to_stand_by(f);
  f.module.say("\r\n+QIND: \"FOTA\",\"HTTPEND\",722\r\n");
  f.module.settle();
  CHECK(f.env.errors.empty());
  CHECK(f.env.was_asked("commit preparing 0"));
  CHECK(f.env.asked.back() == "take_slot to reboot");  // which it has, in this world, at once
  f.greet_again();
  CHECK(f.env.tokens.size() == 2);
  to_last_byte(f);
  CHECK(f.env.was_asked("release"));
  CHECK(std::count(f.env.asked.begin(), f.env.asked.end(), "commit commanded 1") == 2);
  SUBCASE("what goes wrong then is its own") {
    f.module.say("\r\n+QIND: \"FOTA\",\"HTTPEND\",722\r\n");
    CHECK(f.outcome() == Outcome::failed);
    CHECK(f.env.errors.back().number == 722);
  }
}

TEST_CASE("canceled while it stands by: it is cut with certainty") {
  UpdateFixture f;
  to_stand_by(f);
  f.env.allowed = UpdateEnv::Permission::stop;
  f.changed.notify();
  f.module.settle();
  CHECK(f.env.was_asked("void"));
  CHECK(f.outcome() == Outcome::canceled);
  CHECK_FALSE(f.env.was_asked("release"));
}

TEST_CASE("one that restarts while it stands by has lost its download") {
  UpdateFixture f;
  to_stand_by(f);
  f.module.say("\r\nRDY\r\n");
  CHECK(f.outcome() == Outcome::failed);
  CHECK(f.env.errors.back().name == "module_reset");
}

TEST_CASE("one that closes its connection and says nothing has timeouts.start to ask again") {
  UpdateFixture f;
  f.timeouts.download = 10;
  to_stand_by(f);
  f.step(1h);
  REQUIRE_FALSE(f.result);
  f.env.state.last_byte_wanted = false;
  f.env.state.open_connections = 0;
  f.step(seconds(f.timeouts.start) - 2s);
  CHECK(f.env.errors.empty());
  SUBCASE("it does") {
    f.env.state.last_byte_wanted = true;
    f.step(1h);
    CHECK_FALSE(f.result);
    make_room(f);
    CHECK(f.env.was_asked("release"));
  }
  SUBCASE("it does not") {
    f.step(4s);
    CHECK(f.outcome() == Outcome::failed);
    CHECK(f.env.errors.back().name == "download_timeout");
  }
}

TEST_CASE("one that flashes without its last byte has its place, whatever the limits say") {
  UpdateFixture f;
  to_stand_by(f);
  f.module.say("\r\n+QIND: \"FOTA\",\"START\"\r\n");
  f.module.settle();
  CHECK(f.env.was_asked("adopt_slot to reboot"));
  CHECK(f.env.was_asked("commit released 1"));
}

TEST_CASE("where the command is the border the place is taken before it") {
  UpdateFixture f;
  f.order.delivery = Delivery::url;
  f.order.url = "http://192.168.1.2/d.bin";
  f.begin();
  f.step(seconds(f.timeouts.listen));
  CHECK(f.env.asked == std::vector<std::string>{"take_slot to reboot"});
}
