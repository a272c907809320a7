// One update of one scripted module on a stepped clock, in a world that the test makes. For the tests of the update
// procedure.
#pragma once

#include <doctest/doctest.h>
#include <asio/co_spawn.hpp>
#include <deque>
#include "modem/update_procedure.hpp"
#include "tests/support/scripted_module.hpp"
#include "tests/support/temp_dir.hpp"

namespace dfota::test {

using namespace std::chrono_literals;

constexpr auto kFrom = "UC20GQBR03A11E1G", kTo = "UC20GQBR03A12E1G";
constexpr auto kImei = "861234567890127";

/// The world around the module, as the test wants it. Everything that was asked of it is kept in order.
struct ScriptedEnv : UpdateEnv {
  std::vector<std::string> asked;
  std::vector<std::string> tokens;
  std::vector<UpdateError> errors;
  std::vector<UpdateProgress> reports;
  Transfer state;
  bool commit_fails = false, commit_waits = false, duplicate_imei = false, may_reboot = true;
  std::string address = "http://192.168.1.10:8480";

  Permission allowed = Permission::go;

  [[nodiscard]] Permission permission() const override { return allowed; }
  /// Without permission it waits for a change of it, as a slot that is not free.
  Awaitable<bool> take_slot(bool to_reboot) override {
    asked.push_back(to_reboot ? "take_slot to reboot" : "take_slot");
    if (to_reboot) may_reboot = true;
    while (allowed == Permission::wait) {
      Timer pause(co_await asio::this_coro::executor, Clock::now() + 1ms);
      co_await pause.async_wait(kNoThrow);
    }
    co_return allowed == Permission::go;
  }
  bool take_reboot_slot() override { return may_reboot; }
  void adopt_slot(bool reboots) override {
    asked.push_back(reboots ? "adopt_slot to reboot" : "adopt_slot");
    may_reboot = may_reboot || reboots;
  }
  void download_over() override {
    if (asked.empty() || asked.back() != "download_over") asked.push_back("download_over");
  }
  void slot_over() override { asked.push_back("slot_over"); }
  bool claim_imei(const std::string&) override { return !duplicate_imei; }
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
    while (commit_waits) {
      Timer pause(co_await asio::this_coro::executor, Clock::now() + 1ms);
      co_await pause.async_wait(kNoThrow);
    }
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
struct UpdateFixture {
  SteppedClock clock;
  asio::io_context loop{1};
  test::TempDir dir;
  test::ScriptedModule module{loop, dir.path()};
  Signal changed{loop};
  ModulePort port{loop, module.port(), LinkOptions(), changed, "module m0"};
  Profiles profiles = builtin_profiles();
  std::string model = "UC20";
  TimeoutsConfig timeouts;
  UpdateOrder order;
  ScriptedEnv env;
  std::optional<UpdateProcedure> procedure;
  std::optional<UpdateResult> result;

  UpdateFixture() {
    order.from = kFrom;
    order.to = kTo;
    order.attempts = 1;
  }
  ~UpdateFixture() {
    port.drop();
    loop.restart();
    loop.poll();
  }

  void begin(Checkpoint entry = {}) {
    procedure.emplace(loop, port, order, profiles, timeouts, env);
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
    introduce(version, imei);
    const bool goes_on =
        version == order.from && is_imei(imei) && (order.imei.empty() || imei == order.imei) && !env.duplicate_imei;
    const bool downloads = order.delivery != Delivery::upload && order.delivery != Delivery::file;
    if (goes_on && downloads && !order.pdp) answer_network();
  }
  /// It answers, and says who it is.
  void introduce(const std::string& version, const std::string& imei = kImei) {
    module.expect("AT", "\r\nOK\r\n");
    module.expect("ATE0", "ATE0\r\r\nOK\r\n");
    module.expect("AT+CMEE=1", "\r\nOK\r\n");
    module.expect("ATI", "\r\nQuectel\r\n" + model + "\r\nRevision: " + version + "\r\n\r\nOK\r\n");
    const auto* profile = profiles.choose(order.profile, model);
    if (profile != nullptr && profile->version_command != "ATI") {
      module.expect(profile->version_command, "\r\n" + version + "\r\n\r\nOK\r\n");
    }
    module.expect("AT+GSN", "\r\n" + imei + "\r\n\r\nOK\r\n");
  }
  /// SIM, registration and PDP context are in order.
  void answer_network() {
    module.expect("AT+CPIN?", "\r\n+CPIN: READY\r\n\r\nOK\r\n");
    module.expect("AT+CREG?", "\r\n+CREG: 0,1\r\n\r\nOK\r\n");
    const auto* profile = profiles.choose(order.profile, model);
    if (profile->pdp_command != PdpCommand::none) {
      module.expect("AT+QCFG=\"fota/cid\"", "\r\n+QCFG: \"fota/cid\",1\r\n\r\nOK\r\n");
    }
    module.expect("AT+QICSGP=1", "\r\n+QICSGP: 1,\"internet\",\"\",\"\",1\r\n\r\nOK\r\n");
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
    introduce(version, imei);
    module.run_until([&] { return result.has_value(); });
  }
  Outcome outcome() {
    module.settle();
    if (!result) step(seconds(timeouts.listen));  // a module whose download was cut off is heard out
    REQUIRE(module.run_until([&] { return result.has_value(); }));
    return result->outcome;
  }
};

inline std::size_t place(const std::vector<std::string>& list, const std::string& what) {
  return static_cast<std::size_t>(std::find(list.begin(), list.end(), what) - list.begin());
}

}  // namespace dfota::test
