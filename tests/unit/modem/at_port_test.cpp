#include "modem/at_port.hpp"

#include <doctest/doctest.h>

#include <asio/co_spawn.hpp>

#include "modem/module_port.hpp"
#include "tests/support/scripted_module.hpp"
#include "tests/support/temp_dir.hpp"

using namespace dfota;
using namespace std::chrono_literals;

namespace {

struct Fixture {
  SteppedClock clock;
  asio::io_context loop{1};
  test::TempDir dir;
  test::ScriptedModule module{loop, dir.path()};
  Signal changed{loop};
  ModulePort port{loop, module.port(), LinkOptions(), changed, "module m0"};
  std::optional<Result<AtReply>> reply;

  Fixture() {
    spawn(open());
    REQUIRE(module.run_until([&] { return port.is_open(); }));
  }
  ~Fixture() {
    port.drop();
    module.settle();
  }
  void spawn(Awaitable<> work) {
    asio::co_spawn(loop, std::move(work), [](std::exception_ptr bug) {
      if (bug) std::rethrow_exception(bug);
    });
    module.settle();
  }
  Awaitable<> open() {
    const auto opened = co_await port.open();
    CHECK(opened.ok());
  }
  Awaitable<> ask(std::string text) {
    reply.reset();
    auto answer = co_await port.command(text, 2s);
    reply = std::move(answer);
  }
};

}  // namespace

TEST_CASE("an answer with URCs in its middle: both arrive, in order") {
  Fixture f;
  f.spawn(f.ask("AT+GSN"));
  f.module.expect(
      "AT+GSN",
      "AT+GSN\r\r\n+QIND: SMS DONE\r\n\r\n861234567890127\r\n\r\n+QIND: \"FOTA\",\"START\"\r\n\r\nOK\r\n\r\nRDY\r\n");
  REQUIRE(f.reply);
  REQUIRE(f.reply->ok());
  CHECK(f.reply->value().lines == std::vector<std::string>{"861234567890127"});
  CHECK(f.port.take_unsolicited() == "+QIND: SMS DONE");
  CHECK(f.port.take_unsolicited() == "+QIND: \"FOTA\",\"START\"");
  CHECK(f.port.take_unsolicited() == "RDY");
  CHECK_FALSE(f.port.take_unsolicited());
}

TEST_CASE("a refusal is a reply") {
  Fixture f;
  f.spawn(f.ask("AT+QFOTADL=1"));
  f.module.expect("AT+QFOTADL=1", "\r\n+CME ERROR: 50\r\n");
  REQUIRE(f.reply);
  REQUIRE(f.reply->ok());
  CHECK_FALSE(f.reply->value().ok());
  CHECK(f.reply->value().code == 50);
}

TEST_CASE("no answer is a timeout, and its late lines are noise") {
  Fixture f;
  f.spawn(f.ask("AT"));
  CHECK(f.module.next_command() == "AT");
  f.clock.advance(2s);
  f.module.settle();
  REQUIRE(f.reply);
  CHECK(f.reply->error().code == Errc::timeout);
  f.module.say("\r\nOK\r\n");
  CHECK(f.port.take_unsolicited() == "OK");
}

TEST_CASE("a hang-up ends the command at once; what was said before is still read") {
  Fixture f;
  f.spawn(f.ask("AT"));
  CHECK(f.module.next_command() == "AT");
  f.module.say("\r\nPOWERED DOWN\r\n");
  f.module.unplug();
  REQUIRE(f.module.run_until([&] { return f.reply.has_value(); }));
  CHECK(f.reply->error().code == Errc::link_lost);
  CHECK_FALSE(f.port.is_open());
  CHECK(f.port.take_unsolicited() == "POWERED DOWN");
  CHECK_FALSE(f.port.take_unsolicited());
  f.spawn(f.ask("AT"));
  REQUIRE(f.reply);
  CHECK(f.reply->error().code == Errc::link_lost);
}

TEST_CASE("the port is found again behind its name") {
  Fixture f;
  CHECK(f.port.openings() == 1);
  f.module.unplug();
  REQUIRE(f.module.run_until([&] { return !f.port.is_open(); }));
  f.module.plug();
  f.spawn(f.open());
  CHECK(f.port.is_open());
  CHECK(f.port.openings() == 2);
}

TEST_CASE("URCs that nobody reads are bounded: the oldest go") {
  Fixture f;
  for (std::size_t i = 0; i < AtPort::kMaxUrcs + 5; ++i)
    f.module.say("\r\n+QIND: \"FOTA\",\"UPDATING\"," + std::to_string(i) + "\r\n");
  CHECK(f.port.take_unsolicited() == "+QIND: \"FOTA\",\"UPDATING\",5");
}
