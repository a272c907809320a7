// cmd/scan as a module takes it: when it is asked, what it is asked, and who is not asked.
#include "modem/module.hpp"

#include <doctest/doctest.h>

#include "tests/support/module_fixture.hpp"

using namespace dfota;
using namespace std::chrono_literals;
using Fixture = test::ModuleFixture;

TEST_CASE("a scan asks at once: who is there, its signal, SIM and PDP context") {
  Fixture f;
  f.start();
  f.step(3s);
  f.greet();
  f.scan();
  f.greet();
  SUBCASE("it could download") {
    f.network();
    REQUIRE(f.scanned == "");
    REQUIRE(f.found);
    CHECK(f.found->sim == "READY");
    CHECK_FALSE(f.found->problem);
  }
  SUBCASE("its SIM wants a PIN") {
    f.network("SIM PIN");
    REQUIRE(f.found);
    CHECK(f.found->sim == "SIM PIN");
    REQUIRE(f.found->problem);
    CHECK(f.found->problem->finding == Finding::sim_not_ready);
  }
  SUBCASE("it falls silent") {
    CHECK(f.scripted.next_command() == "AT+CPIN?");
    f.step(Dialogue::kAnswerLimit);
    CHECK(f.scanned == "no_answer");
    CHECK_FALSE(f.found);
  }
  CHECK(f.scripted.unread().empty());
}

TEST_CASE("a scan waits until the port was listened to, and answers at once when nobody can be asked") {
  Fixture f;
  SUBCASE("listening") {
    f.start();
    f.scan();
    f.step(2900ms);
    CHECK(f.scripted.unread().empty());
    f.step(200ms);
    f.greet();
    f.network();
    CHECK(f.scanned == "");
  }
  SUBCASE("no port") {
    f.scripted.unplug();
    f.start();
    f.scan();
    CHECK(f.scanned == "absent");
  }
  SUBCASE("somebody else updates it") {
    f.start();
    f.scripted.say("\r\n+QIND: \"FOTA\",\"UPDATING\",40\r\n");
    f.step(3s);
    f.scan();
    CHECK(f.scanned == "module_updating");
    CHECK(f.scripted.unread().empty());
  }
  SUBCASE("an update of ours") {
    f.update();
    f.start();
    f.scan();
    CHECK(f.scanned == "busy");
  }
  REQUIRE(f.scanned);
  CHECK(f.found.has_value() == f.scanned->empty());
}

TEST_CASE("a lost module is spoken to when a person forces it, and only then (law 3)") {
  Fixture f;
  f.module->mark_lost();
  f.start();
  f.step(3s);
  f.scan();
  CHECK(f.scanned == "module_lost");
  CHECK(f.scripted.unread().empty());
  f.scan(true);
  SUBCASE("it answers, and is lost no more") {
    f.greet();
    f.network();
    CHECK(f.scanned == "");
    CHECK_FALSE(f.module->is_lost());
    CHECK(f.module->state().present);
    f.step(61s);
    f.status();
  }
  SUBCASE("it does not answer, and stays lost") {
    for (int i = 0; i < Dialogue::kSynchroniseTries; ++i) {
      CHECK(f.scripted.next_command() == "AT");
      f.step(Dialogue::kAnswerLimit);
    }
    CHECK(f.scanned == "no_answer");
    CHECK(f.module->is_lost());
    CHECK_FALSE(f.module->state().present);
    CHECK(f.module->state().problem == "module_lost");
    f.step(1000s);
    CHECK(f.scripted.unread().empty());
  }
}

TEST_CASE("another module in its place: a change until somebody accepts it") {
  Fixture f;
  f.module->expect("861234567890127");
  f.start();
  f.step(3s);
  f.greet("490154203237518");
  CHECK(f.module->state().problem == "module_changed");
  f.scan();
  f.greet("490154203237518");
  CHECK(f.scanned == "module_changed");
  f.scan(false, true);
  f.greet("490154203237518");
  f.network();
  CHECK(f.scanned == "");
  CHECK(f.module->expected_imei() == "490154203237518");
  CHECK(f.module->state().problem.empty());
}
