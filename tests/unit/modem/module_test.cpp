#include "modem/module.hpp"

#include <doctest/doctest.h>

#include "tests/support/module_fixture.hpp"

using namespace dfota;
using namespace std::chrono_literals;
using Fixture = test::ModuleFixture;
using test::kModuleImei, test::kModuleVersion;

TEST_CASE("a module is listened to, then greeted, then asked every poll_s") {
  Fixture f;
  f.start();
  f.step(2900ms);
  CHECK(f.scripted.unread().empty());
  f.step(200ms);
  f.greet();
  const auto& state = f.module->state();
  CHECK(state.online);
  CHECK(state.identity.version == kModuleVersion);
  CHECK(state.identity.imei == kModuleImei);
  CHECK(state.profile == "uc20");
  CHECK(state.registered == true);
  CHECK(state.signal_dbm == -81);
  CHECK(state.problem.empty());
  CHECK(f.module->expected_imei() == kModuleImei);
  f.step(59s);
  CHECK(f.scripted.unread().empty());
  f.step(2s);
  f.status();
}

TEST_CASE("a hang-up makes it offline; back again it is greeted anew, and another module in its place is told") {
  Fixture f;
  f.start();
  f.step(3s);
  f.greet();
  f.scripted.unplug();
  f.scripted.settle();
  f.step(200ms);
  CHECK_FALSE(f.module->state().online);
  CHECK(f.module->state().problem == "absent");
  f.scripted.plug();
  f.module->wake();
  f.step(200ms);
  f.step(3s);
  f.greet("490154203237518");
  CHECK(f.module->state().problem == "module_changed");
  CHECK(f.module->expected_imei() == kModuleImei);
}

TEST_CASE("a silent module has a problem, and is asked again later") {
  Fixture f;
  f.start();
  f.step(3s);
  for (int i = 0; i < Dialogue::kSynchroniseTries; ++i) {
    CHECK(f.scripted.next_command() == "AT");
    f.step(Dialogue::kAnswerLimit);
  }
  CHECK(f.module->state().problem == "no_answer");
  CHECK(f.scripted.unread().empty());
  f.step(61s);
  f.greet();
  CHECK(f.module->state().problem.empty());
}

TEST_CASE("FOTA that is not ours: hands off until it has booted and settled (law 4)") {
  Fixture f;
  f.start();
  f.scripted.say("\r\n+QIND: \"FOTA\",\"UPDATING\",40\r\n");
  f.step(3s);
  CHECK(f.module->state().phase == Phase::updating);
  CHECK(f.module->state().problem == "module_updating");
  f.step(200s);
  CHECK(f.scripted.unread().empty());
  f.scripted.say("\r\n+QIND: \"FOTA\",\"END\",0\r\n\r\nRDY\r\n");
  CHECK(f.scripted.unread().empty());
  f.step(3s);
  f.greet();
  CHECK(f.module->state().phase == Phase::idle);
  CHECK(f.module->state().problem.empty());
}

TEST_CASE("FOTA that is not ours, and then silence: one bare AT a gap, and its answer ends it (law 3)") {
  Fixture f;
  f.start();
  f.scripted.say("\r\n+QIND: \"FOTA\",\"START\"\r\n");
  f.step(3s);
  f.step(301s);
  CHECK(f.scripted.next_command() == "AT");
  f.step(2s);
  CHECK(f.scripted.unread().empty());
  f.step(301s);
  f.scripted.expect("AT", "\r\nOK\r\n");
  f.greet();
}

TEST_CASE("FOTA in the spelling of an operator's own family is FOTA, before anybody knows of which family it is") {
  Fixture f;
  const auto family =
      parse_profile("name = 'zz'\nmodels = ['ZZ']\n[stages]\nupdating = 'BURN'\nend = 'DONE'\n", "zz.toml");
  f.modem.profiles.add(std::get<Profile>(family));
  f.start();
  f.scripted.say("\r\n+QIND: \"FOTA\",\"BURN\",4\r\n");
  f.step(200s);
  CHECK(f.scripted.unread().empty());
  CHECK(f.module->state().problem == "module_updating");
  f.scripted.say("\r\n+QIND: \"FOTA\",\"DONE\",0\r\n\r\nRDY\r\n");
  f.step(3s);
  f.greet();
  CHECK(f.module->state().problem.empty());
}

TEST_CASE("an update that is rejected because FOTA was heard leaves hands off behind it (law 4)") {
  Fixture f;
  f.update();
  f.start();
  f.scripted.say("\r\n+QIND: \"FOTA\",\"START\"\r\n");
  REQUIRE(f.result);
  CHECK(f.result->outcome == Outcome::rejected);
  f.step(3s);
  f.step(200s);
  CHECK(f.scripted.unread().empty());
  CHECK(f.module->state().problem == "module_updating");
  f.scripted.say("\r\n+QIND: \"FOTA\",\"END\",0\r\n\r\nRDY\r\n");
  f.step(3s);
  f.greet();
  CHECK(f.module->state().problem.empty());
}

TEST_CASE("an update waits while somebody else updates the module, and is rejected when that never ends") {
  Fixture f;
  f.timeouts.progress_gap = 10000;
  f.start();
  f.scripted.say("\r\n+QIND: \"FOTA\",\"START\"\r\n");
  f.update();
  f.step(3599s);
  CHECK_FALSE(f.result);
  f.step(5s);
  REQUIRE(f.result);
  CHECK(f.result->outcome == Outcome::rejected);
  CHECK(f.env.errors.back().name == "module_updating");
  CHECK_FALSE(f.env.asked);
  CHECK(f.scripted.unread().empty());
}

TEST_CASE(
    "a lost module is not written to, not by another job either, until its port went and came back or RDY came (law "
    "3)") {
  Fixture f;
  f.module->mark_lost();
  f.start();
  f.step(3s);
  CHECK(f.module->state().problem == "module_lost");
  f.step(1000s);
  CHECK(f.scripted.unread().empty());
  CHECK_FALSE(f.module->state().present);
  SUBCASE("an update is refused") {
    f.update();
    f.step(1s);
    REQUIRE(f.result);
    CHECK(f.result->outcome == Outcome::rejected);
    CHECK(f.env.errors.back().name == "module_lost");
    CHECK_FALSE(f.env.asked);
    CHECK(f.scripted.unread().empty());
  }
  SUBCASE("FOTA of it is listened to, without a word even after a long silence") {
    f.scripted.say("\r\n+QIND: \"FOTA\",\"UPDATING\",41\r\n");
    f.step(1000s);
    f.step(1000s);
    CHECK(f.scripted.unread().empty());
  }
  SUBCASE("RDY ends it") {
    f.scripted.say("\r\nRDY\r\n");
    f.step(61s);
    f.greet();
    CHECK(f.module->state().problem.empty());
  }
  SUBCASE("its port going and coming back ends it") {
    f.scripted.unplug();
    f.scripted.settle();
    f.step(200ms);
    f.scripted.plug();
    f.module->wake();
    f.step(200ms);
    f.step(3s);
    f.greet();
  }
}

TEST_CASE("an update of an earlier process is listened to before the first word, from the journalled step") {
  Fixture f;
  Checkpoint entry;
  entry.step = Step::released;
  entry.attempt = 1;
  f.update(entry);
  f.start();
  f.step(290s);
  CHECK(f.scripted.unread().empty());
  CHECK_FALSE(f.result);
}
