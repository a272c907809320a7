#include "modem/ask_port.hpp"

#include <doctest/doctest.h>

#include <asio/co_spawn.hpp>

#include "tests/support/module_fixture.hpp"

using namespace dfota;
using namespace std::chrono_literals;
using test::kModuleImei, test::kModuleVersion;

namespace {

struct Fixture {
  SteppedClock clock;
  asio::io_context loop{1};
  test::TempDir dir;
  test::ScriptedModule scripted{loop, dir.path()};
  ModemConfig modem;
  TimeoutsConfig timeouts;
  AskLeave leave = AskLeave::ask;
  std::optional<Result<Identity>> answer;

  Fixture() {
    asio::co_spawn(loop, ask(), [](std::exception_ptr bug) {
      if (bug) std::rethrow_exception(bug);
    });
    scripted.settle();
  }
  Awaitable<> ask() {
    const std::function<AskLeave()> may = [this] { return leave; };
    answer = co_await ask_port(loop, scripted.port(), modem, timeouts, may);
  }
  void step(Clock::duration by) {
    clock.advance(by);
    scripted.settle();
  }
  void answer_all() {
    scripted.expect("AT", "\r\nOK\r\n");
    scripted.expect("ATE0", "\r\nOK\r\n");
    scripted.expect("AT+CMEE=1", "\r\nOK\r\n");
    scripted.expect("ATI", "\r\nQuectel\r\nUC20\r\nRevision: " + std::string(kModuleVersion) + "\r\n\r\nOK\r\n");
    scripted.expect("AT+GSN", "\r\n" + std::string(kModuleImei) + "\r\n\r\nOK\r\n");
    REQUIRE(scripted.run_until([this] { return answer.has_value(); }));
  }
  /// Silence for all of the tries to reach it.
  void stay_silent() {
    for (int i = 0; i < Dialogue::kSynchroniseTries; ++i) {
      CHECK(scripted.next_command() == "AT");
      step(Dialogue::kAnswerLimit);
    }
  }
};

}  // namespace

TEST_CASE("a port is listened to first, and then asked who is there") {
  Fixture f;
  f.step(2900ms);
  CHECK(f.scripted.unread().empty());
  f.step(200ms);
  f.answer_all();
  REQUIRE(f.answer->ok());
  CHECK(f.answer->value() == Identity{"UC20", kModuleVersion, kModuleImei});
}

TEST_CASE("what does not answer, or answers otherwise, is no module") {
  Fixture f;
  f.step(3s);
  SUBCASE("silence") {
    f.stay_silent();
    REQUIRE(f.answer);
    CHECK(f.answer->error().code == Errc::timeout);
  }
  SUBCASE("somebody else's modem") {
    f.scripted.expect("AT", "\r\nOK\r\n");
    f.scripted.expect("ATE0", "\r\nOK\r\n");
    f.scripted.expect("AT+CMEE=1", "\r\nOK\r\n");
    f.scripted.expect("ATI", "\r\nSIMCOM\r\nSIM7600\r\n\r\nOK\r\n");
    REQUIRE(f.scripted.run_until([&] { return f.answer.has_value(); }));
    CHECK(f.answer->error().code == Errc::invalid);
  }
}

TEST_CASE("one that flashes for somebody is not spoken to (law 4)") {
  Fixture f;
  f.scripted.say("\r\n+QIND: \"FOTA\",\"UPDATING\",20\r\n");
  f.scripted.settle();
  REQUIRE(f.answer);
  CHECK(f.answer->error().code == Errc::refused);
  CHECK(f.scripted.unread().empty());
}

TEST_CASE("while a module that flashes is away, an unknown port may be it (law 3)") {
  Fixture f;
  f.leave = AskLeave::listen;
  f.step(1s);
  SUBCASE("it says RDY: it is asked after a settle time") {
    f.scripted.say("\r\nRDY\r\n");
    f.step(2900ms);
    CHECK(f.scripted.unread().empty());
    f.step(200ms);
    f.answer_all();
    CHECK(f.answer->ok());
  }
  SUBCASE("it says nothing: it is asked after progress_gap, no sooner") {
    f.step(298s);
    CHECK(f.scripted.unread().empty());
    f.step(2s);
    f.answer_all();
    CHECK(f.answer->ok());
  }
  SUBCASE("the other one came back: the usual time of listening is enough") {
    f.step(3s);
    CHECK(f.scripted.unread().empty());
    f.leave = AskLeave::ask;
    f.step(1s);
    f.answer_all();
  }
}

TEST_CASE("when the device belongs to a module now, not another word is written") {
  Fixture f;
  SUBCASE("before the first") {
    f.leave = AskLeave::give_up;
    f.step(3s);
  }
  SUBCASE("between two of them") {
    f.step(3s);
    f.scripted.expect("AT", "");
    f.leave = AskLeave::give_up;
    f.scripted.say("\r\nOK\r\n");
  }
  REQUIRE(f.scripted.run_until([&] { return f.answer.has_value(); }));
  CHECK(f.answer->error().code == Errc::refused);
  CHECK(f.scripted.unread().empty());
}
