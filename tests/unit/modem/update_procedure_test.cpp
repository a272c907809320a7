#include "modem/update_procedure.hpp"

#include <doctest/doctest.h>

#include <asio/co_spawn.hpp>
#include <deque>

#include "tests/support/scripted_module.hpp"
#include "tests/support/temp_dir.hpp"

using namespace dfota;
using namespace std::chrono_literals;

namespace {

constexpr auto kFrom = "UC20GQBR03A11E1G", kTo = "UC20GQBR03A12E1G";
constexpr auto kImei = "861234567890127";

/// The world around the module, as the test wants it. Everything that was asked of it is kept in order.
struct ScriptedEnv : UpdateEnv {
  std::vector<std::string> asked;
  std::vector<std::string> tokens;
  std::vector<UpdateError> errors;
  std::vector<UpdateProgress> reports;
  Transfer state;
  bool commit_fails = false;
  std::string address = "http://192.168.1.10:8480";

  Awaitable<> take_slot() override {
    asked.push_back("take_slot");
    co_return;
  }
  void adopt_slot() override { asked.push_back("adopt_slot"); }
  void download_over() override {
    if (asked.empty() || asked.back() != "download_over") asked.push_back("download_over");
  }
  void slot_over() override { asked.push_back("slot_over"); }
  Result<std::string> offer(const std::string& token) override {
    tokens.push_back(token);
    state = Transfer();
    state.size = 1000;
    return address + "/a/" + token + "/delta.bin";
  }
  [[nodiscard]] Transfer transfer() const override { return state; }
  void release_last_byte() override {
    asked.push_back("release");
    state.released = true;
  }
  bool void_token() override {
    asked.push_back("void");
    return !state.released;
  }
  Awaitable<Result<void>> commit(Checkpoint checkpoint) override {
    if (commit_fails) co_return Error(Errc::no_space, "disk full");
    asked.push_back("commit " + std::string(to_word(checkpoint.step)) + " " + std::to_string(checkpoint.attempt));
    co_return Result<void>();
  }
  void progress(const UpdateProgress& progress) override { reports.push_back(progress); }
  void attempt_failed(const UpdateError& error, unsigned, std::optional<Clock::duration>) override {
    errors.push_back(error);
  }
  Clock::duration backoff(unsigned) override { return 10s; }

  [[nodiscard]] bool was_asked(const std::string& what) const {
    return std::find(asked.begin(), asked.end(), what) != asked.end();
  }
  [[nodiscard]] bool reported(Phase phase) const {
    return std::any_of(reports.begin(), reports.end(), [&](const auto& r) { return r.phase == phase; });
  }
};

/// One update of one scripted module on a stepped clock.
struct Fixture {
  SteppedClock clock;
  asio::io_context loop{1};
  test::TempDir dir;
  test::ScriptedModule module{loop, dir.path()};
  Signal changed{loop};
  ModulePort port{loop, module.port(), LinkOptions(), changed, "module m0"};
  TimeoutsConfig timeouts;
  UpdateOrder order;
  ScriptedEnv env;
  std::optional<UpdateProcedure> procedure;
  std::optional<UpdateResult> result;

  Fixture() {
    order.from = kFrom;
    order.to = kTo;
    order.attempts = 1;
  }
  ~Fixture() {
    port.drop();
    loop.restart();
    loop.poll();
  }

  void begin(Checkpoint entry = {}) {
    procedure.emplace(loop, port, order, timeouts, env);
    asio::co_spawn(loop, procedure->run(entry), [this](std::exception_ptr bug, UpdateResult r) {
      if (bug) std::rethrow_exception(bug);
      result = r;
    });
    module.settle();
  }
  void step(Clock::duration by) {
    clock.advance(by);
    module.settle();
  }
  void greet(const std::string& version = kFrom, const std::string& imei = kImei) {
    step(seconds(timeouts.listen));
    greet_again(version, imei);
  }
  /// The port has been open, and listened to, for long enough.
  void greet_again(const std::string& version = kFrom, const std::string& imei = kImei) {
    module.expect("AT", "\r\nOK\r\n");
    module.expect("ATE0", "ATE0\r\r\nOK\r\n");
    module.expect("AT+CMEE=1", "\r\nOK\r\n");
    module.expect("ATI", "\r\nQuectel\r\nUC20\r\nRevision: " + version + "\r\n\r\nOK\r\n");
    module.expect("AT+GSN", "\r\n" + imei + "\r\n\r\nOK\r\n");
  }
  std::string expect_command() {
    const auto command = module.next_command();
    REQUIRE(command == "AT+QFOTADL=\"HTTP://192.168.1.10:8480/a/" + env.tokens.back() + "/delta.bin\"");
    return command;
  }
  void to_released() {
    begin();
    greet();
    expect_command();
    module.say("\r\nOK\r\n\r\n+QIND: \"FOTA\",\"HTTPSTART\"\r\n");
    env.state.requests = 1;
    env.state.delivered_bytes = 999;
    env.state.last_byte_wanted = true;
    changed.notify();
    module.settle();
    REQUIRE(env.was_asked("release"));
    env.state.delivered_bytes = 1000;
    env.state.complete = true;
  }
  /// Its answers to what is asked after the flashing.
  void verify(const std::string& version, const std::string& imei = kImei) {
    module.expect("AT", "\r\nOK\r\n");
    module.expect("AT", "\r\nOK\r\n");
    module.expect("ATE0", "\r\nOK\r\n");
    module.expect("AT+CMEE=1", "\r\nOK\r\n");
    module.expect("ATI", "\r\nQuectel\r\nUC20\r\nRevision: " + version + "\r\n\r\nOK\r\n");
    module.expect("AT+GSN", "\r\n" + imei + "\r\n\r\nOK\r\n");
    module.run_until([&] { return result.has_value(); });
  }
  Outcome outcome() {
    REQUIRE(module.run_until([&] { return result.has_value(); }));
    return result->outcome;
  }
};

std::size_t place(const std::vector<std::string>& list, const std::string& what) {
  return static_cast<std::size_t>(std::find(list.begin(), list.end(), what) - list.begin());
}

}  // namespace

TEST_CASE("the guide's own transcript of section 3.2 ends in succeeded") {
  Fixture f;
  f.to_released();
  f.module.say("\r\n+QIND: \"FOTA\",\"HTTPEND\",0\r\n");
  CHECK(f.env.was_asked("download_over"));
  f.module.unplug();
  f.module.settle();
  f.step(200ms);
  f.module.plug();
  f.step(200ms);
  f.module.say("\r\n+QIND: \"FOTA\",\"START\"\r\n");
  for (int n = 1; n <= 100; ++n) f.module.say("\r\n+QIND: \"FOTA\",\"UPDATING\"," + std::to_string(n) + "\r\n");
  f.module.say("\r\n+QIND: \"FOTA\",\"END\",0\r\n");
  f.module.say("\r\nRDY\r\n");
  CHECK(f.module.unread().empty());
  f.step(seconds(f.timeouts.listen));
  f.verify(kTo);
  CHECK(f.outcome() == Outcome::succeeded);
  CHECK(f.result->version == kTo);
  CHECK(f.result->attempts == 1);
  CHECK(f.result->warnings.empty());
  CHECK(f.env.errors.empty());
  for (const auto phase : {Phase::preparing, Phase::downloading, Phase::rebooting, Phase::updating, Phase::verifying}) {
    CHECK_MESSAGE(f.env.reported(phase), to_word(phase));
  }
  for (std::size_t i = 1; i < f.env.reports.size(); ++i) {
    CHECK(f.env.reports[i].overall_percent >= f.env.reports[i - 1].overall_percent);
  }
}

TEST_CASE("each step is journalled before it is taken (law 2)") {
  Fixture f;
  f.begin();
  f.greet();
  f.expect_command();
  CHECK(f.env.asked.back() == "commit commanded 1");
  f.module.say("\r\nOK\r\n");
  f.env.state.requests = 1;
  f.env.state.last_byte_wanted = true;
  f.changed.notify();
  f.module.settle();
  CHECK(place(f.env.asked, "commit released 1") + 1 == place(f.env.asked, "release"));
}

TEST_CASE("what the journal cannot take is not done") {
  Fixture f;
  SUBCASE("before the command") {
    f.begin();
    f.env.commit_fails = true;
    f.greet();
    CHECK(f.outcome() == Outcome::rejected);
    CHECK(f.module.unread().empty());
  }
  SUBCASE("before the last byte: the download is cut, and the attempt is over") {
    f.begin();
    f.greet();
    f.expect_command();
    f.module.say("\r\nOK\r\n");
    f.env.commit_fails = true;
    f.env.state.requests = 1;
    f.env.state.last_byte_wanted = true;
    f.changed.notify();
    CHECK(f.outcome() == Outcome::failed);
    CHECK_FALSE(f.env.was_asked("release"));
    CHECK(f.env.was_asked("void"));
  }
  CHECK(f.env.errors.back().name == "journal_unavailable");
}

TEST_CASE("what the module says of itself decides before any command") {
  Fixture f;
  SUBCASE("another base is rejected") {
    f.begin();
    f.greet("UC20GQBR03A10E1G");
    CHECK(f.outcome() == Outcome::rejected);
    CHECK(f.env.errors.back().name == "base_mismatch");
    CHECK(f.result->version == "UC20GQBR03A10E1G");
  }
  SUBCASE("the target is skipped") {
    f.begin();
    f.greet(kTo);
    CHECK(f.outcome() == Outcome::skipped);
    CHECK(f.env.errors.empty());
  }
  SUBCASE("another module in its place is rejected") {
    f.order.imei = "861234567890999";
    f.begin();
    f.greet();
    CHECK(f.outcome() == Outcome::rejected);
    CHECK(f.env.errors.back().name == "module_changed");
  }
  SUBCASE("an IMEI with a wrong check digit names nothing") {
    f.begin();
    f.greet(kFrom, "861234567890123");
    CHECK(f.outcome() == Outcome::rejected);
    CHECK(f.env.errors.back().name == "identity_invalid");
  }
  CHECK(f.env.tokens.empty());
  CHECK(f.module.unread().empty());
}

TEST_CASE("a model that is no UC15 or UC20 is rejected") {
  Fixture f;
  f.begin();
  f.step(3s);
  f.module.expect("AT", "\r\nOK\r\n");
  f.module.expect("ATE0", "\r\nOK\r\n");
  f.module.expect("AT+CMEE=1", "\r\nOK\r\n");
  f.module.expect("ATI", "\r\nQuectel\r\nM66\r\nRevision: M66FAR01A12\r\n\r\nOK\r\n");
  f.module.expect("AT+GSN", "\r\n" + std::string(kImei) + "\r\n\r\nOK\r\n");
  CHECK(f.outcome() == Outcome::rejected);
  CHECK(f.env.errors.back().name == "model_mismatch");
}

TEST_CASE("a port that does not come is rejected as absent, after timeouts.absent") {
  Fixture f;
  f.module.unplug();
  f.begin();
  f.step(59s);
  CHECK_FALSE(f.result);
  f.step(2s);
  CHECK(f.outcome() == Outcome::rejected);
  CHECK(f.env.errors.back().name == "absent");
  CHECK_FALSE(f.env.was_asked("take_slot"));
}

TEST_CASE("FOTA heard after the opening means hands off (law 4)") {
  Fixture f;
  f.begin();
  f.module.say("\r\n+QIND: \"FOTA\",\"UPDATING\",40\r\n");
  CHECK(f.outcome() == Outcome::rejected);
  CHECK(f.env.errors.back().name == "module_updating");
  CHECK(f.module.unread().empty());
}

TEST_CASE("a module that does not answer AT is rejected") {
  Fixture f;
  f.begin();
  f.step(3s);
  for (int i = 0; i < Dialogue::kSynchroniseTries; ++i) {
    CHECK(f.module.next_command() == "AT");
    f.step(Dialogue::kAnswerLimit);
  }
  CHECK(f.outcome() == Outcome::rejected);
  CHECK(f.env.errors.back().name == "no_answer");
}

TEST_CASE("the PDP context is set where it is configured (guide, section 3.2)") {
  Fixture f;
  f.order.pdp = PdpConfig();
  f.order.pdp->apn = "UNINET";
  f.order.pdp->auth = 1;
  f.begin();
  f.greet();
  f.module.expect("AT+QICSGP=1,1,\"UNINET\",\"\",\"\",1", "\r\nOK\r\n");
  SUBCASE("and the command follows") {
    f.module.expect("AT+QCFG=\"fota/cid\",1", "\r\nOK\r\n");
    f.expect_command();
  }
  SUBCASE("its refusal is told, and nothing is commanded") {
    f.module.expect("AT+QCFG=\"fota/cid\",1", "\r\n+CME ERROR: 50\r\n");
    CHECK(f.outcome() == Outcome::rejected);
    CHECK(f.env.errors.back().name == "at_error");
    CHECK(f.env.tokens.empty());
  }
}

TEST_CASE("a refusal of the command ends the attempt") {
  Fixture f;
  f.begin();
  f.greet();
  f.expect_command();
  SUBCASE("ERROR") {
    f.module.say("\r\nERROR\r\n");
    CHECK(f.outcome() == Outcome::failed);
    CHECK(f.env.errors.back().name == "at_error");
  }
  SUBCASE("+CME ERROR") {
    f.module.say("\r\n+CME ERROR: 3\r\n");
    CHECK(f.outcome() == Outcome::failed);
    CHECK(f.env.errors.back().number == 3);
    CHECK(f.env.errors.back().source == "command");
  }
  CHECK(f.env.was_asked("void"));
  CHECK(f.env.errors.size() == 1);
}

TEST_CASE("HTTPEND other than 0 ends the attempt with the module's code") {
  Fixture f;
  f.begin();
  f.greet();
  f.expect_command();
  f.module.say("\r\nOK\r\n\r\n+QIND: \"FOTA\",\"HTTPSTART\"\r\n\r\n+QIND: \"FOTA\",\"HTTPEND\",716\r\n");
  CHECK(f.outcome() == Outcome::failed);
  REQUIRE(f.env.errors.size() == 1);
  CHECK(f.env.errors[0].number == 716);
  CHECK(f.env.errors[0].source == "http");
  CHECK(f.env.errors[0].meaning == "HTTP socket connect error");
  CHECK(f.env.errors[0].message.find("not_reachable") != std::string::npos);
}

TEST_CASE(
    "no HTTPSTART: after timeouts.start the token is void, and only then another attempt is made, with another token") {
  Fixture f;
  f.order.attempts = 2;
  f.begin();
  f.greet();
  f.expect_command();
  f.module.say("\r\nOK\r\n");
  f.step(89s);
  CHECK_FALSE(f.env.was_asked("void"));
  f.step(2s);
  CHECK(f.env.was_asked("void"));
  REQUIRE(f.env.errors.size() == 1);
  CHECK(f.env.errors[0].name == "start_timeout");
  f.step(10s);
  f.greet_again();
  f.expect_command();
  REQUIRE(f.env.tokens.size() == 2);
  CHECK(f.env.tokens[0] != f.env.tokens[1]);
  f.module.say("\r\nOK\r\n");
  f.step(91s);
  CHECK(f.outcome() == Outcome::failed);
  CHECK(f.result->attempts == 2);
  CHECK(f.env.errors.size() == 2);
}

TEST_CASE("FOTA heard in the pause before the next attempt is somebody else's: hands off") {
  Fixture f;
  f.order.attempts = 2;
  f.begin();
  f.greet();
  f.expect_command();
  f.module.say("\r\nOK\r\n\r\n+QIND: \"FOTA\",\"HTTPSTART\"\r\n\r\n+QIND: \"FOTA\",\"HTTPEND\",703\r\n");
  f.module.say("\r\n+QIND: \"FOTA\",\"UPDATING\",1\r\n");
  f.step(20s);
  CHECK(f.outcome() == Outcome::failed);
  CHECK(f.env.errors.back().name == "module_updating");
  CHECK(f.module.unread().empty());
}

TEST_CASE("HTTPSTART without a request is not_reachable") {
  Fixture f;
  f.begin();
  f.greet();
  f.expect_command();
  f.module.say("\r\nOK\r\n\r\n+QIND: \"FOTA\",\"HTTPSTART\"\r\n");
  f.step(91s);
  CHECK(f.outcome() == Outcome::failed);
  CHECK(f.env.errors.back().name == "not_reachable");
}

TEST_CASE("a restart of the module in mid-download voids the token") {
  Fixture f;
  f.begin();
  f.greet();
  f.expect_command();
  f.module.say("\r\nOK\r\n\r\n+QIND: \"FOTA\",\"HTTPSTART\"\r\n");
  f.env.state.requests = 1;
  f.module.say("\r\nRDY\r\n");
  CHECK(f.outcome() == Outcome::failed);
  CHECK(f.env.errors.back().name == "module_reset");
  CHECK(f.env.was_asked("void"));
}

TEST_CASE(
    "in danger nothing is written; a long silence is ended by one bare AT for each gap, and then it is lost (law 3)") {
  Fixture f;
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
  Fixture f;
  f.to_released();
  f.module.say("\r\n+QIND: \"FOTA\",\"HTTPEND\",0\r\n\r\n+QIND: \"FOTA\",\"START\"\r\n");
  f.step(301s);
  f.module.expect("AT", "\r\nOK\r\n");
  f.verify(kTo);
  CHECK(f.outcome() == Outcome::succeeded);
  CHECK(f.result->warnings == std::vector<std::string>{"end_not_seen"});
}

TEST_CASE("only the version read back decides (law 5)") {
  Fixture f;
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
  f.step(3s);
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
  Fixture f;
  f.to_released();
  f.module.say("\r\n+QIND: \"FOTA\",\"HTTPEND\",0\r\n\r\nRDY\r\n");
  f.step(3s);
  CHECK(f.module.next_command() == "AT");
  f.module.say("\r\n+QIND: \"FOTA\",\"UPDATING\",7\r\n");
  f.step(2s);
  CHECK(f.module.unread().empty());
  f.step(200s);
  CHECK(f.module.unread().empty());
}

TEST_CASE("HTTPEND,717 after the last byte is the module's own word: the attempt is over") {
  Fixture f;
  f.to_released();
  f.module.say("\r\n+QIND: \"FOTA\",\"HTTPEND\",717\r\n");
  CHECK(f.outcome() == Outcome::failed);
  CHECK(f.env.errors.back().number == 717);
}

TEST_CASE("after a restart") {
  Fixture f;
  Checkpoint entry;
  entry.attempt = 1;
  entry.token = "00112233445566778899aabbccddeeff";
  SUBCASE("a module whose last byte was released is listened to, not spoken to") {
    entry.step = Step::released;
    f.begin(entry);
    f.step(200ms);
    f.step(290s);
    CHECK(f.module.unread().empty());
    f.module.say("\r\n+QIND: \"FOTA\",\"END\",0\r\n\r\nRDY\r\n");
    f.step(3s);
    f.verify(kTo);
    CHECK(f.outcome() == Outcome::succeeded);
    CHECK(f.env.tokens.empty());
  }
  SUBCASE("one that asks for its file again goes on with it") {
    entry.step = Step::commanded;
    f.begin(entry);
    REQUIRE(f.env.tokens == std::vector<std::string>{entry.token});
    f.env.state.requests = 1;
    f.changed.notify();
    f.module.settle();
    f.step(200ms);
    f.module.say("\r\n+QIND: \"FOTA\",\"HTTPEND\",716\r\n");
    CHECK(f.outcome() == Outcome::failed);
    CHECK(f.env.tokens.size() == 1);
  }
  SUBCASE("one that does not is cut off, and the attempt is made again at no cost") {
    entry.step = Step::commanded;
    f.begin(entry);
    f.step(3s);
    CHECK(f.env.was_asked("void"));
    f.greet_again();
    f.expect_command();
    CHECK(f.env.was_asked("commit commanded 1"));
    CHECK(f.env.errors.empty());
  }
}
