// A Module at a scripted port, on a clock that the test steps: what it writes while idle, to whom, and when.
#pragma once

#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "modem/module.hpp"
#include "tests/support/scripted_module.hpp"
#include "tests/support/temp_dir.hpp"

namespace dfota::test {

using namespace std::chrono_literals;

inline constexpr auto kModuleVersion = "UC20GQBR03A11E1G";
inline constexpr auto kModuleImei = "861234567890127";

struct ModuleWatch : ModuleObserver {
  void module_changed(const Module&) override { ++changes; }
  int changes = 0;
};

/// An update that must not get as far as the command.
struct UnusedEnv : UpdateEnv {
  std::vector<UpdateError> errors;
  bool asked = false;
  [[nodiscard]] Permission permission() const override { return Permission::go; }
  Awaitable<bool> take_slot(bool) override {
    asked = true;
    co_return true;
  }
  bool take_reboot_slot() override { return asked = true; }
  void adopt_slot(bool) override { asked = true; }
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

struct ModuleFixture {
  SteppedClock clock;
  asio::io_context loop{1};
  TempDir dir;
  ScriptedModule scripted{loop, dir.path()};
  ModemConfig modem;
  TimeoutsConfig timeouts;
  ModuleWatch observer;
  UnusedEnv env;
  std::optional<UpdateResult> result;
  std::optional<std::string> scanned;
  std::optional<NetworkState> found;
  std::unique_ptr<Module> module;

  ModuleFixture() {
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
  void greet(const std::string& imei = kModuleImei) {
    scripted.expect("AT", "\r\nOK\r\n");
    scripted.expect("ATE0", "ATE0\r\r\nOK\r\n");
    scripted.expect("AT+CMEE=1", "\r\nOK\r\n");
    scripted.expect("ATI", "\r\nQuectel\r\nUC20\r\nRevision: " + std::string(kModuleVersion) + "\r\n\r\nOK\r\n");
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
    order.from = kModuleVersion;
    order.to = "UC20GQBR03A12E1G";
    order.attempts = 1;
    module->update(order, entry, env, [this](UpdateResult r) { result = r; });
    scripted.settle();
  }
};

}  // namespace dfota::test
