#include "modem/module.hpp"

#include <doctest/doctest.h>

#include "tests/support/scripted_module.hpp"
#include "tests/support/temp_dir.hpp"

using namespace dfota;
using namespace std::chrono_literals;

namespace {

constexpr auto kFrom = "UC20GQBR03A11E1G";
constexpr auto kImei = "861234567890127";

struct Observer : ModuleObserver {
  void module_changed(const Module&) override { ++changes; }
  int changes = 0;
};

/// An update that must not get as far as the command.
struct UnusedEnv : UpdateEnv {
  std::vector<UpdateError> errors;
  bool asked = false;
  [[nodiscard]] Permission permission() const override { return Permission::go; }
  Awaitable<bool> take_slot() override {
    asked = true;
    co_return true;
  }
  void adopt_slot() override { asked = true; }
  void download_over() override {}
  void slot_over() override {}
  bool claim_imei(const std::string&) override { return true; }
  Result<std::string> offer(const std::string&) override {
    asked = true;
    return Error(Errc::absent, "no file");
  }
  [[nodiscard]] Transfer transfer() const override { return {}; }
  void release_last_byte() override { asked = true; }
  bool void_token() override { return true; }
  Awaitable<Result<void>> commit(Checkpoint) override {
    asked = true;
    co_return Result<void>();
  }
  void progress(const UpdateProgress&) override {}
  void attempt_failed(const UpdateError& error, unsigned, std::optional<Clock::duration>) override {
    errors.push_back(error);
  }
  Clock::duration backoff(unsigned) override { return 1s; }
};

struct Fixture {
  SteppedClock clock;
  asio::io_context loop{1};
  test::TempDir dir;
  test::ScriptedModule scripted{loop, dir.path()};
  ModemConfig modem;
  TimeoutsConfig timeouts;
  Observer observer;
  UnusedEnv env;
  std::optional<UpdateResult> result;
  std::optional<std::string> scanned;
  std::optional<NetworkState> found;
  std::unique_ptr<Module> module;

  Fixture() {
    ModuleConfig config;
    config.id = "m0";
    config.port = scripted.port();
    module = std::make_unique<Module>(loop, config, modem, timeouts, observer);
  }
  void start() {
    module->start();
    scripted.settle();
  }
  void step(Clock::duration by) {
    clock.advance(by);
    scripted.settle();
  }
  void greet(const std::string& imei = kImei) {
    scripted.expect("AT", "\r\nOK\r\n");
    scripted.expect("ATE0", "ATE0\r\r\nOK\r\n");
    scripted.expect("AT+CMEE=1", "\r\nOK\r\n");
    scripted.expect("ATI", "\r\nQuectel\r\nUC20\r\nRevision: " + std::string(kFrom) + "\r\n\r\nOK\r\n");
    scripted.expect("AT+GSN", "\r\n" + imei + "\r\n\r\nOK\r\n");
    status();
  }
  void status() {
    scripted.expect("AT+CREG?", "\r\n+CREG: 0,5\r\n\r\nOK\r\n");
    scripted.expect("AT+CSQ", "\r\n+CSQ: 16,99\r\n\r\nOK\r\n");
  }
  /// SIM and PDP context, as check_network asks for them.
  void network(const std::string& sim = "READY") {
    scripted.expect("AT+CPIN?", "\r\n+CPIN: " + sim + "\r\n\r\nOK\r\n");
    if (sim != "READY") return;
    scripted.expect("AT+CREG?", "\r\n+CREG: 0,5\r\n\r\nOK\r\n");
    scripted.expect("AT+QCFG=\"fota/cid\"", "\r\n+QCFG: \"fota/cid\",1\r\n\r\nOK\r\n");
    scripted.expect("AT+QICSGP=1", "\r\n+QICSGP: 1,\"internet\",\"\",\"\",1\r\n\r\nOK\r\n");
  }
  void scan(bool force = false, bool accept = false) {
    scanned.reset();
    Scan scan{force, accept, nullptr};
    scan.done = [this](const std::string& problem, const std::optional<NetworkState>& network) {
      scanned = problem;
      found = network;
    };
    module->scan(std::move(scan));
    scripted.settle();
  }
  void update(Checkpoint entry = {}) {
    UpdateOrder order;
    order.from = kFrom;
    order.to = "UC20GQBR03A12E1G";
    order.attempts = 1;
    module->update(order, entry, env, [this](UpdateResult r) { result = r; });
    scripted.settle();
  }
};

}  // namespace

TEST_CASE("a module is listened to, then greeted, then asked every poll_s") {
  Fixture f;
  f.start();
  f.step(2900ms);
  CHECK(f.scripted.unread().empty());
  f.step(200ms);
  f.greet();
  const auto& state = f.module->state();
  CHECK(state.online);
  CHECK(state.identity.version == kFrom);
  CHECK(state.identity.imei == kImei);
  CHECK(state.profile == "uc20");
  CHECK(state.registered == true);
  CHECK(state.signal_dbm == -81);
  CHECK(state.problem.empty());
  CHECK(f.module->expected_imei() == kImei);
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
  f.step(200ms);
  f.step(3s);
  f.greet("490154203237518");
  CHECK(f.module->state().problem == "module_changed");
  CHECK(f.module->expected_imei() == kImei);
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
