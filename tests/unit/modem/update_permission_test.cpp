// What the world around a module says of its update: not yet, or not any more. Nothing is commanded without permission,
// and whose download was cut off is heard out before anybody else may speak to it.
#include <doctest/doctest.h>

#include "modem/update_procedure.hpp"
#include "tests/support/update_fixture.hpp"

using namespace dfota;
using namespace dfota::test;
using namespace std::chrono_literals;

namespace {

using Permission = UpdateEnv::Permission;

/// As the jobs do it: who waits for the module is woken.
void permit(UpdateFixture& f, Permission permission) {
  f.env.allowed = permission;
  f.changed.notify();
  f.module.settle();
  f.step(1ms);  // for the slot that is waited for
}

/// AT+QFOTADL is acknowledged, and the module has asked for its file.
void to_download(UpdateFixture& f) {
  f.begin();
  f.greet();
  f.expect_command();
  f.module.say("\r\nOK\r\n\r\n+QIND: \"FOTA\",\"HTTPSTART\"\r\n");
  f.env.state.requests = 1;
  f.env.state.open_connections = 1;
  f.env.state.delivered_bytes = 400;
  f.changed.notify();
  f.module.settle();
}

}  // namespace

TEST_CASE("held before it is spoken to: silence for as long as that lasts, then it goes on") {
  UpdateFixture f;
  f.env.allowed = Permission::wait;
  f.begin();
  f.step(seconds(f.timeouts.listen));
  REQUIRE(f.env.was_asked("take_slot"));
  for (int hour = 0; hour < 10; ++hour) f.step(1h);
  CHECK(f.module.unread().empty());
  CHECK(f.env.tokens.empty());
  permit(f, Permission::go);
  f.greet_again();
  f.expect_command();
  CHECK(f.env.asked.back() == "commit commanded 1");
  CHECK(f.env.errors.empty());
}

TEST_CASE("held while it is asked who it is: it is not commanded, its place is free, and later it begins anew") {
  UpdateFixture f;
  f.begin();
  f.step(seconds(f.timeouts.listen));
  f.introduce(kFrom);
  permit(f, Permission::wait);
  f.answer_network();
  f.module.settle();
  CHECK(f.env.asked == std::vector<std::string>{"take_slot", "slot_over", "take_slot"});
  for (int hour = 0; hour < 10; ++hour) f.step(1h);
  CHECK(f.module.unread().empty());
  CHECK(f.env.tokens.empty());
  permit(f, Permission::go);
  f.greet_again();
  f.expect_command();
  CHECK(f.env.asked.back() == "commit commanded 1");
  CHECK(f.env.errors.empty());
}

TEST_CASE("held while the journal is written: the command is taken back, and the attempt is none") {
  UpdateFixture f;
  f.env.commit_waits = true;
  f.begin();
  f.greet();
  permit(f, Permission::wait);
  f.env.commit_waits = false;
  f.step(1ms);
  CHECK(f.env.was_asked("void"));
  CHECK(f.env.was_asked("commit preparing 0"));
  f.step(1h);
  CHECK(f.module.unread().empty());
  permit(f, Permission::go);
  f.greet_again();
  f.expect_command();
  CHECK(f.env.asked.back() == "commit commanded 1");
  REQUIRE(f.env.tokens.size() == 2);
  CHECK(f.env.tokens[0] != f.env.tokens[1]);
}

TEST_CASE("stopped before the command: canceled, and no AT+QFOTADL") {
  UpdateFixture f;
  SUBCASE("while it is listened to") {
    f.begin();
    permit(f, Permission::stop);
    CHECK_FALSE(f.env.was_asked("take_slot"));
  }
  SUBCASE("while it waits for its place") {
    f.env.allowed = Permission::wait;
    f.begin();
    f.step(seconds(f.timeouts.listen));
    permit(f, Permission::stop);
    CHECK(f.env.was_asked("slot_over"));
  }
  SUBCASE("while it is asked who it is") {
    f.begin();
    f.step(seconds(f.timeouts.listen));
    f.introduce(kFrom);
    permit(f, Permission::stop);
    f.answer_network();
  }
  SUBCASE("while the journal is written") {
    f.env.commit_waits = true;
    f.begin();
    f.greet();
    permit(f, Permission::stop);
    f.env.commit_waits = false;
    f.step(1ms);
    CHECK(f.env.was_asked("void"));
    CHECK(f.env.was_asked("commit preparing 0"));
  }
  f.module.settle();
  REQUIRE(f.result);
  CHECK(f.result->outcome == Outcome::canceled);
  CHECK(f.result->attempts == 0);
  CHECK(f.env.errors.empty());
  CHECK(f.module.unread().empty());
}

TEST_CASE("stopped between two attempts: canceled, after one command") {
  UpdateFixture f;
  f.order.attempts = 2;
  to_download(f);
  f.module.say("\r\n+QIND: \"FOTA\",\"HTTPEND\",703\r\n");
  REQUIRE(f.env.errors.size() == 1);
  permit(f, Permission::stop);
  REQUIRE(f.result);
  CHECK(f.result->outcome == Outcome::canceled);
  CHECK(f.result->attempts == 1);
  CHECK(f.env.errors.size() == 1);
  CHECK(f.module.unread().empty());
}

TEST_CASE("canceled in mid-download: it is cut off at once, and heard out before that is its result") {
  UpdateFixture f;
  to_download(f);
  CHECK_FALSE(f.env.was_asked("void"));
  f.env.allowed = Permission::stop;
  f.changed.notify();
  f.module.settle();
  CHECK(f.env.was_asked("void"));
  CHECK(f.env.asked.back() == "void");  // its places are not free yet
  CHECK_FALSE(f.result);
  SUBCASE("until it says HTTPEND") {
    f.step(seconds(f.timeouts.listen) / 2);
    CHECK_FALSE(f.result);
    f.module.say("\r\n+QIND: \"FOTA\",\"HTTPEND\",702\r\n");
    f.module.settle();
  }
  SUBCASE("or, when it says nothing, for timeouts.listen") {
    f.step(seconds(f.timeouts.listen) - 1ms);
    CHECK_FALSE(f.result);
    f.step(1ms);
  }
  SUBCASE("or until its port goes") {
    f.module.unplug();
    f.module.settle();
  }
  REQUIRE(f.result);
  CHECK(f.env.asked.back() == "slot_over");
  CHECK(f.result->outcome == Outcome::canceled);
  CHECK(f.result->attempts == 1);
  CHECK_FALSE(f.env.was_asked("release"));
  CHECK(f.env.errors.empty());
  CHECK(f.module.unread().empty());
}

TEST_CASE("canceled when its last byte has left: it goes on to its own end") {
  UpdateFixture f;
  f.to_released();
  permit(f, Permission::stop);
  f.module.say("\r\n+QIND: \"FOTA\",\"HTTPEND\",0\r\n\r\n+QIND: \"FOTA\",\"UPDATING\",40\r\n");
  f.step(200s);
  CHECK_FALSE(f.result);
  CHECK_FALSE(f.env.was_asked("void"));
  CHECK(f.module.unread().empty());
  f.module.say("\r\n+QIND: \"FOTA\",\"END\",0\r\n\r\nRDY\r\n");
  f.step(3 * seconds(f.timeouts.listen));
  f.verify(kTo);
  CHECK(f.outcome() == Outcome::succeeded);
}
