#include "modem/update_procedure.hpp"

#include <doctest/doctest.h>

#include "tests/support/update_fixture.hpp"

using namespace dfota;
using namespace dfota::test;
using namespace std::chrono_literals;

TEST_CASE(
    "in danger nothing is written; a long silence is ended by one bare AT for each gap, and then it is lost (law 3)") {
  UpdateFixture f;
  f.to_released();
  f.module.say("\r\n+QIND: \"FOTA\",\"HTTPEND\",0\r\n\r\n+QIND: \"FOTA\",\"UPDATING\",40\r\n");
  f.step(299s);
  CHECK(f.module.unread().empty());
  for (int gap = 1; gap <= 11; ++gap) {
    f.step(gap == 1 ? 2s : 301s);
    CHECK(f.module.next_command() == "AT");
    CHECK(f.module.unread().empty());
    f.step(Dialogue::kAnswerLimit);
  }
  f.step(300s);
  CHECK(f.outcome() == Outcome::lost);
  CHECK(f.env.errors.back().name == "update_timeout");
  CHECK(f.module.unread().empty());
}

TEST_CASE("the answer to the bare AT ends the silence, and the version decides") {
  UpdateFixture f;
  f.to_released();
  f.module.say("\r\n+QIND: \"FOTA\",\"HTTPEND\",0\r\n\r\n+QIND: \"FOTA\",\"START\"\r\n");
  f.step(301s);
  f.module.expect("AT", "\r\nOK\r\n");
  f.verify(kTo);
  CHECK(f.outcome() == Outcome::succeeded);
  CHECK(f.result->warnings == std::vector<std::string>{"end_not_seen"});
}

TEST_CASE("only the version read back decides (law 5)") {
  UpdateFixture f;
  f.to_released();
  std::string end = "0", version = kFrom;
  Outcome expected = Outcome::failed;
  SUBCASE("END,0 with the old version") {}
  SUBCASE("END,0 with a third version") {
    version = "UC20GQBR03A09E1G";
  }
  SUBCASE("END,505 with the old version") {
    end = "505";
  }
  SUBCASE("END,505 with the new version") {
    end = "505";
    version = kTo;
    expected = Outcome::succeeded;
  }
  f.module.say("\r\n+QIND: \"FOTA\",\"HTTPEND\",0\r\n\r\n+QIND: \"FOTA\",\"END\"," + end + "\r\n");
  f.step(8s);
  CHECK(f.module.unread().empty());
  f.step(1s);
  f.verify(version);
  CHECK(f.outcome() == expected);
  if (expected == Outcome::succeeded) {
    CHECK(f.result->warnings == std::vector<std::string>{"end_code_505"});
  } else if (end == "505") {
    CHECK(f.env.errors.back().number == 505);
    CHECK(f.env.errors.back().source == "update");
  } else {
    CHECK(f.env.errors.back().name == "target_mismatch");
  }
}

TEST_CASE("FOTA heard while it is asked for its version means hands off again") {
  UpdateFixture f;
  f.to_released();
  f.module.say("\r\n+QIND: \"FOTA\",\"HTTPEND\",0\r\n\r\nRDY\r\n");
  f.step(8s);
  CHECK(f.module.unread().empty());  // the family boots once more before it is through
  f.step(1s);
  CHECK(f.module.next_command() == "AT");
  f.module.say("\r\n+QIND: \"FOTA\",\"UPDATING\",7\r\n");
  f.step(2s);
  CHECK(f.module.unread().empty());
  f.step(200s);
  CHECK(f.module.unread().empty());
}

TEST_CASE("HTTPEND,717 after the last byte is the module's own word: the attempt is over") {
  UpdateFixture f;
  f.to_released();
  f.module.say("\r\n+QIND: \"FOTA\",\"HTTPEND\",717\r\n");
  CHECK(f.outcome() == Outcome::failed);
  CHECK(f.env.errors.back().number == 717);
}

TEST_CASE("an answer with the old version ends no http update while its download may still be on its way") {
  UpdateFixture f;
  f.to_released();  // the last byte has left us, and may lie in a proxy of the operator's network
  const auto ask = [&] {
    f.step(301s);
    f.module.expect("AT", "\r\nOK\r\n");
    f.introduce(kFrom);
    f.module.settle();
  };
  ask();
  REQUIRE_FALSE(f.result);
  SUBCASE("it has the file at last, and flashes") {
    f.module.say("\r\n+QIND: \"FOTA\",\"HTTPEND\",0\r\n\r\n+QIND: \"FOTA\",\"START\"\r\n");
    f.module.say("\r\n+QIND: \"FOTA\",\"END\",0\r\n\r\nRDY\r\n");
    f.step(20s);
    f.verify(kTo);
    CHECK(f.outcome() == Outcome::succeeded);
  }
  SUBCASE("it says nothing more: it has failed when timeouts.download is over, asked once more") {
    for (int gap = 2; gap <= 6; ++gap) ask();
    CHECK_FALSE(f.result);
    f.step(301s);
    f.module.expect("AT", "\r\nOK\r\n");
    f.verify(kFrom);
    CHECK(f.outcome() == Outcome::failed);
    CHECK(f.result->error->name == "target_mismatch");
  }
}

TEST_CASE("a USB device in recovery mode in its place is not opened; the module is lost after timeouts.reboot of it") {
  UpdateFixture f;
  f.to_released();
  f.module.say("\r\n+QIND: \"FOTA\",\"HTTPEND\",0\r\n");
  f.module.unplug();
  f.module.settle();
  f.port.forbid(true);
  f.module.plug();
  f.step(179s);
  CHECK_FALSE(f.result);
  CHECK(f.port.openings() == 1);
  SUBCASE("it stays") {
    f.step(2s);
    CHECK(f.outcome() == Outcome::lost);
    CHECK(f.result->error->name == "recovery_needed");
  }
  SUBCASE("it was passing by") {
    f.port.forbid(false);
    f.step(1s);
    CHECK(f.port.openings() == 2);
    f.module.say("\r\n+QIND: \"FOTA\",\"END\",0\r\n\r\nRDY\r\n");
    f.step(20s);
    f.verify(kTo);
    CHECK(f.outcome() == Outcome::succeeded);
  }
  CHECK(f.module.unread().empty());
}
