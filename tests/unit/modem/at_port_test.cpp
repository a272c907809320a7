#include "modem/at_port.hpp"

#include <doctest/doctest.h>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>

#include "modem/module_port.hpp"
#include "tests/support/scripted_module.hpp"
#include "tests/support/temp_dir.hpp"

using namespace dfota;
using namespace std::chrono_literals;

namespace {

/// Gives one piece for each acknowledgement, and the first one for nothing.
struct Pieces : DataSource {
  std::vector<std::string> pieces = {"one", "AT\r\0two", "three"};
  std::size_t given = 0;
  std::uint64_t acks = 0;
  std::size_t fails_at = SIZE_MAX;

  void acknowledged(std::uint64_t count) override { acks = count; }
  Result<std::string_view> next() override {
    if (given == fails_at) return Error(Errc::refused, "no more");
    if (given == pieces.size() || given > acks) return std::string_view();
    return std::string_view(pieces[given++]);
  }
};

struct Fixture {
  SteppedClock clock;
  asio::io_context loop{1};
  test::TempDir dir;
  test::ScriptedModule module{loop, dir.path()};
  Signal changed{loop};
  ModulePort port{loop, module.port(), LinkOptions(), changed, "module m0"};
  Pieces source;
  std::optional<Result<AtReply>> reply;
  std::optional<Result<void>> written;

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
  /// The module reads nothing meanwhile.
  void spawn_deaf(Awaitable<> work) {
    asio::co_spawn(loop, std::move(work), asio::detached);
    module.settle_deaf();
  }
  Awaitable<> open() {
    const auto opened = co_await port.open();
    CHECK(opened.ok());
  }
  Awaitable<> send(std::string text) {
    reply.reset();
    DataLimits limits;
    limits.connect = 2s;
    limits.idle = 10s;
    auto answer = co_await port.send_data(text, source, limits);
    reply = std::move(answer);
  }
  Awaitable<> write_raw(std::string_view bytes) {
    written.reset();
    auto outcome = co_await port.write_raw(bytes, 10s);
    written = std::move(outcome);
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

TEST_CASE("data after CONNECT: a piece for each acknowledgement, URCs between them, the reply as always") {
  Fixture f;
  f.spawn(f.send("AT+QFUPL=\"d\",14,5,1"));
  CHECK(f.module.unread() == "AT+QFUPL=\"d\",14,5,1\r");
  CHECK(f.source.given == 0);
  f.module.expect("AT+QFUPL=\"d\",14,5,1", "AT+QFUPL=\"d\",14,5,1\r\r\nCONNECT\r\n");
  CHECK(f.module.take_data(3) == "one");
  f.module.say("\r\n+QIND: SMS DONE\r\n");
  CHECK(f.module.unread().empty());
  f.module.say("A");
  CHECK(f.module.take_data(3) == f.source.pieces[1]);
  f.module.say("\r\n+CREG: 1\r\nA");
  CHECK(f.module.take_data(5) == "three");
  CHECK_FALSE(f.reply);
  f.module.say("A\r\n+QFUPL: 14,57");
  f.module.say("69\r\n\r\nOK\r\n");
  REQUIRE(f.reply);
  REQUIRE(f.reply->ok());
  CHECK(f.reply->value().ok());
  CHECK(f.reply->value().lines == std::vector<std::string>{"+QFUPL: 14,5769"});
  CHECK(f.source.acks == 3);
  CHECK(f.port.take_unsolicited() == "+QIND: SMS DONE");
  CHECK(f.port.take_unsolicited() == "+CREG: 1");
  CHECK_FALSE(f.port.take_unsolicited());
  f.spawn(f.ask("AT"));
  f.module.expect("AT", "\r\nOK\r\n");
  REQUIRE(f.reply);
  CHECK(f.reply->ok());
}

TEST_CASE("several acknowledgements and the verdict in one read all count") {
  Fixture f;
  f.source.pieces = {"one"};
  f.spawn(f.send("AT+QFUPL"));
  f.module.expect("AT+QFUPL", "CONNECT\r\n");
  f.module.take_data(3);
  f.module.say("AAAA\r\n+QFUPL: 3,1\r\n\r\nOK\r\n");
  REQUIRE(f.reply);
  REQUIRE(f.reply->ok());
  CHECK(f.source.acks == 4);
}

TEST_CASE("without CONNECT no data is written: a refusal is a reply, silence a timeout") {
  Fixture f;
  f.spawn(f.send("AT+QFUPL"));
  f.module.expect("AT+QFUPL", "\r\n+CME ERROR: 407\r\n");
  REQUIRE(f.reply);
  REQUIRE(f.reply->ok());
  CHECK(f.reply->value().code == 407);
  f.spawn(f.send("AT+QFUPL"));
  CHECK(f.module.next_command() == "AT+QFUPL");
  f.clock.advance(2s);
  f.module.settle();
  REQUIRE(f.reply);
  REQUIRE_FALSE(f.reply->ok());
  CHECK(f.reply->error().code == Errc::timeout);
  f.module.say("CONNECT\r\n");
  CHECK(f.module.unread().empty());
  CHECK(f.source.given == 0);
}

TEST_CASE("the module's own end of the data is its reply, and nothing is written after it") {
  Fixture f;
  f.spawn(f.send("AT+QFUPL"));
  f.module.expect("AT+QFUPL", "CONNECT\r\n");
  f.module.take_data(3);
  f.module.say("\r\n+CME ERROR: 421\r\nAAA\r\n");
  REQUIRE(f.reply);
  REQUIRE(f.reply->ok());
  CHECK(f.reply->value().code == 421);
  CHECK(f.source.acks == 0);
  CHECK(f.module.unread().empty());
}

TEST_CASE("each acknowledgement has its own deadline; after it the port is usable") {
  Fixture f;
  f.spawn(f.send("AT+QFUPL"));
  f.module.expect("AT+QFUPL", "CONNECT\r\n");
  f.module.take_data(3);
  f.clock.advance(9s);
  f.module.say("A");
  f.module.take_data(3);
  f.clock.advance(9s);
  f.module.settle();
  CHECK_FALSE(f.reply);
  f.clock.advance(1s);
  f.module.settle();
  REQUIRE(f.reply);
  REQUIRE_FALSE(f.reply->ok());
  CHECK(f.reply->error().code == Errc::timeout);
  CHECK(f.source.acks == 1);
  f.module.say("AA\r\n");
  CHECK(f.module.unread().empty());
  CHECK(f.port.take_unsolicited() == "AA");
  f.spawn(f.ask("AT"));
  f.module.expect("AT", "\r\nOK\r\n");
  CHECK(f.reply->ok());
}

TEST_CASE("an acknowledgement that lets nothing more go renews the deadline, too") {
  Fixture f;
  f.source.pieces = {"one"};
  f.spawn(f.send("AT+QFUPL"));
  f.module.expect("AT+QFUPL", "CONNECT\r\n");
  f.module.take_data(3);
  f.clock.advance(9s);
  f.module.say("A");
  f.clock.advance(9s);
  f.module.settle();
  CHECK_FALSE(f.reply);
  f.module.say("\r\n+QFUPL: 3,1\r\n\r\nOK\r\n");
  REQUIRE(f.reply);
  CHECK(f.reply->ok());
}

TEST_CASE("a hang-up, a restart and the source's own error end the data at once") {
  Fixture f;
  Errc code = Errc::timeout;
  SUBCASE("hang-up") {
    f.spawn(f.send("AT+QFUPL"));
    f.module.expect("AT+QFUPL", "CONNECT\r\n");
    f.module.take_data(3);
    f.module.say("A");
    f.module.take_data(3);
    f.module.unplug();
    REQUIRE(f.module.run_until([&] { return f.reply.has_value(); }));
    CHECK(f.source.acks == 1);
    code = Errc::link_lost;
  }
  SUBCASE("restart") {
    f.spawn(f.send("AT+QFUPL"));
    f.module.expect("AT+QFUPL", "CONNECT\r\n");
    f.module.take_data(3);
    f.module.say("\r\nRDY\r\nA");
    CHECK(f.module.unread().empty());
    CHECK(f.port.take_unsolicited() == "RDY");
    code = Errc::link_lost;
  }
  SUBCASE("source") {
    f.source.fails_at = 1;
    f.spawn(f.send("AT+QFUPL"));
    f.module.expect("AT+QFUPL", "CONNECT\r\n");
    CHECK(f.module.take_data(3) == "one");
    CHECK(f.module.unread().empty());
    code = Errc::refused;
  }
  REQUIRE(f.reply);
  REQUIRE_FALSE(f.reply->ok());
  CHECK(f.reply->error().code == code);
}

TEST_CASE("a module that takes no more of the data is a timeout") {
  Fixture f;
  f.source.pieces = {std::string(1 << 20, 'x')};
  f.spawn(f.send("AT+QFUPL"));
  CHECK(f.module.next_command() == "AT+QFUPL");
  f.module.say_deaf("CONNECT\r\n");
  CHECK(f.source.given == 1);
  CHECK_FALSE(f.reply);
  f.clock.advance(10s);
  f.module.settle_deaf();
  REQUIRE(f.reply);
  REQUIRE_FALSE(f.reply->ok());
  CHECK(f.reply->error().code == Errc::timeout);
}

TEST_CASE("CONNECT to a command without data is no success") {
  Fixture f;
  f.spawn(f.ask("AT+QFOPEN"));
  f.module.expect("AT+QFOPEN", "CONNECT\r\nOK\r\n");
  REQUIRE(f.reply);
  REQUIRE(f.reply->ok());
  CHECK(f.reply->value().final == AtEvent::Kind::connect);
  CHECK_FALSE(f.reply->value().ok());
}

TEST_CASE("raw bytes go out as they are while the module is heard; a hang-up and a full line end them") {
  Fixture f;
  const std::string much = std::string("AT\r\0+++", 8) + std::string(20000, 'x');
  f.spawn(f.write_raw(much));
  f.module.say("\r\n+QIND: \"FOTA\",\"DOWNLOADING\",50\r\n");
  CHECK(f.module.take_data(much.size()) == much);
  REQUIRE(f.written);
  CHECK(f.written->ok());
  CHECK(f.port.take_unsolicited() == "+QIND: \"FOTA\",\"DOWNLOADING\",50");

  f.spawn(f.ask("AT"));
  f.spawn(f.write_raw(much));
  REQUIRE(f.written);
  REQUIRE_FALSE(f.written->ok());
  CHECK(f.written->error().code == Errc::busy);
  f.module.expect("AT", "\r\nOK\r\n");

  const std::string endless(1 << 20, 'x');
  SUBCASE("hang-up") {
    f.spawn_deaf(f.write_raw(endless));
    CHECK_FALSE(f.written);
    f.module.unplug();
    REQUIRE(f.module.run_until([&] { return f.written.has_value(); }));
    REQUIRE_FALSE(f.written->ok());
    CHECK(f.written->error().code == Errc::link_lost);
    f.spawn(f.write_raw(much));
    REQUIRE_FALSE(f.written->ok());
    CHECK(f.written->error().code == Errc::link_lost);
  }
  SUBCASE("a full line") {
    f.spawn_deaf(f.write_raw(endless));
    CHECK_FALSE(f.written);
    f.clock.advance(10s);
    f.module.settle_deaf();
    REQUIRE(f.written);
    REQUIRE_FALSE(f.written->ok());
    CHECK(f.written->error().code == Errc::timeout);
  }
}
