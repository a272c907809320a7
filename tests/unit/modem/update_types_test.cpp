#include "modem/update_types.hpp"

#include <doctest/doctest.h>

#include "tests/support/update_fixture.hpp"

using namespace dfota;
using namespace dfota::test;

namespace {

constexpr auto kFromToo = "UC20GQBR03A11E1G_01.001", kToToo = "UC20GQBR03A12E1G_01.001";

}  // namespace

TEST_CASE("an alias of the base is the base, and one of the target is the target") {
  UpdateFixture f;
  f.order.from_aliases = {kFromToo};
  f.order.to_aliases = {kToToo};
  SUBCASE("it reports them") {
    f.begin();
    f.greet(kFromToo);
    f.answer_network();
    f.expect_command();
    f.module.say("\r\nOK\r\n\r\n+QIND: \"FOTA\",\"HTTPSTART\"\r\n");
    f.env.state.requests = 1;
    f.env.state.last_byte_wanted = true;
    f.changed.notify();
    f.module.settle();
    REQUIRE(f.env.was_asked("release"));
    f.module.say("\r\n+QIND: \"FOTA\",\"END\",0\r\n\r\nRDY\r\n");
    f.step(seconds(f.timeouts.listen));
    f.verify(kToToo);
    CHECK(f.outcome() == Outcome::succeeded);
    CHECK(f.result->version == kToToo);
  }
  SUBCASE("it is there already") {
    f.begin();
    f.greet(kToToo);
    CHECK(f.outcome() == Outcome::skipped);
  }
  SUBCASE("any other version is still another") {
    f.begin();
    f.greet("UC20GQBR03A11E1G_01.002");
    CHECK(f.outcome() == Outcome::rejected);
    CHECK(f.env.errors.at(0).name == "base_mismatch");
  }
}

TEST_CASE("a delta for another model is not sent, whatever its version says") {
  UpdateFixture f;
  f.order.model = "UC15";
  f.begin();
  f.step(seconds(f.timeouts.listen));
  f.introduce(kFrom);
  CHECK(f.outcome() == Outcome::rejected);
  CHECK(f.env.errors.at(0).name == "model_mismatch");
  CHECK(f.env.errors.at(0).message == "the module is a UC20, the delta is for UC15");
}

TEST_CASE("an order without a base asks for the version, and commands nothing") {
  UpdateFixture f;
  f.order.from.clear();
  SUBCASE("another version is told") {
    f.begin();
    f.greet(kFrom);
    CHECK(f.outcome() == Outcome::rejected);
    CHECK(f.env.errors.at(0).name == "base_mismatch");
    CHECK(f.result->version == kFrom);
  }
  SUBCASE("the target is enough") {
    f.begin();
    f.greet(kTo);
    CHECK(f.outcome() == Outcome::skipped);
  }
  CHECK(f.env.tokens.empty());
}
