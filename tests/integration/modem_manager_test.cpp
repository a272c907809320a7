// ModemManager is kept away from USB devices: over a real D-Bus, from a scripted ModemManager; and from the real one,
// which tests/modem_manager.sh brings.
#include "transport/modem_manager.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/local/stream_protocol.hpp>
#include <asio/write.hpp>
#include <cstdlib>

#include "tests/support/private_bus.hpp"
#include "transport/base/awaitable.hpp"

using namespace dfota;
using namespace dfota::test;
using namespace std::chrono_literals;

namespace {

const std::string kDevice = "/sys/devices/pci0000:00/0000:00:14.0/usb1/1-2", kOther = kDevice + "/1-2.1",
                  kLast = "/sys/devices/last";
const std::string kErrors = "org.freedesktop.ModemManager1.Error.Core.";

/// The loop, and those who are on the bus beside it.
struct Stage {
  PrivateBus bus;
  asio::io_context loop;
  std::vector<BusClient*> others;

  void turn() {
    loop.restart();
    loop.run_for(1ms);
    for (auto* other : others) other->serve();
  }
  template <class Predicate>
  void until(const Predicate& done) {
    const auto deadline = std::chrono::steady_clock::now() + kWatchdog;
    while (!done()) {
      turn();
      REQUIRE(std::chrono::steady_clock::now() < deadline);
    }
  }
  /// Until what was asked before has its answer: they come in the order of the questions.
  void settle(ModemManager& ours, ScriptedModemManager& there) {
    there.announce(kLast);
    ours.inhibit(kLast);
    until([&] { return ours.keeps_away(kLast); });
    ours.release(kLast);
  }
};

}  // namespace

TEST_CASE("modem_manager: a device that ModemManager shows is inhibited, once, and given back") {
  Stage stage;
  ScriptedModemManager there(stage.bus.address());
  stage.others = {&there};
  there.announce(kDevice);
  ModemManager ours(stage.loop);
  ours.inhibit(kDevice);
  ours.inhibit(kDevice);
  stage.until([&] { return ours.keeps_away(kDevice); });
  ours.inhibit(kDevice);
  ours.release(kOther);
  ours.release(kDevice);
  CHECK_FALSE(ours.keeps_away(kDevice));
  stage.settle(ours, there);
  CHECK(there.calls_of(kDevice) == std::vector<bool>{true, false});
}

TEST_CASE("modem_manager: one that it does not know yet is inhibited as soon as it shows it, and no other") {
  Stage stage;
  ScriptedModemManager there(stage.bus.address());
  stage.others = {&there};
  ModemManager ours(stage.loop);
  ours.inhibit(kDevice);
  ours.inhibit(kOther);
  stage.settle(ours, there);
  CHECK_FALSE(ours.keeps_away(kDevice));
  there.announce("/sys/devices/a-strangers");
  there.announce(kDevice);
  stage.until([&] { return ours.keeps_away(kDevice); });
  CHECK_FALSE(ours.keeps_away(kOther));
  CHECK(there.calls_of(kDevice) == std::vector<bool>{true, true});
  CHECK(there.calls_of(kOther) == std::vector<bool>{true});
  CHECK(there.calls_of("/sys/devices/a-strangers").empty());
}

TEST_CASE("modem_manager: one that starts later, or again, is told at once; nobody is started") {
  Stage stage;
  ModemManager ours(stage.loop);
  ours.inhibit(kDevice);
  stage.turn();
  CHECK_FALSE(ours.keeps_away(kDevice));
  for (int life = 0; life < 2; ++life) {
    ScriptedModemManager there(stage.bus.address());
    stage.others = {&there};
    there.announce(kDevice);
    stage.until([&] { return ours.keeps_away(kDevice); });
    stage.others.clear();
  }
  stage.until([&] { return !ours.keeps_away(kDevice); });
  CHECK(stage.bus.log().find("Activating") == std::string::npos);
}

TEST_CASE("modem_manager: a release that overtakes the answer is carried out behind it") {
  Stage stage;
  ScriptedModemManager there(stage.bus.address());
  stage.others = {&there};
  there.announce(kDevice);
  ModemManager ours(stage.loop);
  stage.settle(ours, there);
  ours.inhibit(kDevice);
  ours.release(kDevice);
  stage.until([&] { return there.calls_of(kDevice).size() == 2; });
  CHECK(there.calls_of(kDevice) == std::vector<bool>{true, false});
  ours.inhibit(kDevice);
  ours.release(kDevice);
  ours.inhibit(kDevice);
  stage.until([&] { return ours.keeps_away(kDevice); });
  CHECK(there.calls_of(kDevice) == std::vector<bool>{true, false, true});
}

TEST_CASE("modem_manager: who is refused asks again a minute later; what another has inhibited is left so") {
  SteppedClock clock;
  Stage stage;
  ScriptedModemManager there(stage.bus.address());
  stage.others = {&there};
  there.announce(kDevice);
  ModemManager ours(stage.loop);
  for (const auto* word : {"Unauthorized", "InProgress", "WrongState"}) {
    there.errors[kDevice] = kErrors + word;
    ours.inhibit(kDevice);
    stage.settle(ours, there);
    CHECK_FALSE(ours.keeps_away(kDevice));
    ours.release(kDevice);
  }
  there.errors[kDevice] = "org.freedesktop.DBus.Error.AccessDenied";
  ours.inhibit(kDevice);
  stage.settle(ours, there);
  there.errors.clear();
  CHECK(there.calls_of(kDevice).size() == 4);
  clock.advance(ModemManager::kTryAgain);
  stage.until([&] { return ours.keeps_away(kDevice); });
  CHECK(there.calls_of(kDevice) == std::vector<bool>(5, true));
}

TEST_CASE("modem_manager: a bus that is not there, or goes, is looked for each minute") {
  SteppedClock clock;
  Stage stage;
  stage.bus.stop();
  ModemManager ours(stage.loop);
  ours.inhibit(kDevice);
  stage.bus.start();
  std::unique_ptr<ScriptedModemManager> there;
  for (int life = 0; life < 2; ++life) {
    there = std::make_unique<ScriptedModemManager>(stage.bus.address());
    stage.others = {there.get()};
    there->announce(kDevice);
    stage.turn();
    CHECK_FALSE(ours.keeps_away(kDevice));
    clock.advance(ModemManager::kTryAgain);
    stage.until([&] { return ours.keeps_away(kDevice); });
    stage.others.clear();
    stage.bus.stop();
    stage.until([&] { return !ours.keeps_away(kDevice); });
    stage.bus.start();
  }
}

TEST_CASE("modem_manager: it may go at any moment, with calls under way") {
  Stage stage;
  ScriptedModemManager there(stage.bus.address());
  there.announce(kDevice);
  for (int turns = 0; turns < 12; ++turns) {
    ModemManager ours(stage.loop);
    ours.inhibit(kDevice);
    ours.inhibit(kOther);
    for (int turn = 0; turn < turns; ++turn) {
      stage.loop.restart();
      stage.loop.run_for(1ms);
      if (turn % 3 == 0) there.serve();
    }
  }
  stage.others = {&there};
  ModemManager ours(stage.loop);
  stage.settle(ours, there);
}

namespace {

/// A module's port for ModemManager: it answers OK to everything.
Awaitable<> answer_ok(asio::local::stream_protocol::socket socket) {
  std::array<char, 256> buffer{};
  for (;;) {
    auto [error, size] = co_await socket.async_read_some(asio::buffer(buffer), kNoThrow);
    if (error) co_return;
    const auto lines = std::count(buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(size), '\r');
    std::string reply;
    for (auto i = lines; i > 0; --i) reply += "\r\nOK\r\n";
    asio::error_code ignored;
    asio::write(socket, asio::buffer(reply), ignored);
  }
}

Awaitable<> offer_port(asio::local::stream_protocol::acceptor& door) {
  for (;;) {
    auto [error, socket] = co_await door.async_accept(kNoThrow);
    if (error) co_return;
    asio::co_spawn(door.get_executor(), answer_ok(std::move(socket)), asio::detached);
  }
}

/// ModemManager as Debian has it, with one modem by its own test interface. The port is its name of a local socket.
struct RealModemManager {
  RealModemManager(Stage& stage, const std::string& root, const std::string& libraries)
      : port("abstract:dfota-" + std::to_string(::getpid())),
        door(stage.loop, asio::local::stream_protocol::endpoint(std::string(1, '\0') + port)),
        program({root + "/usr/sbin/ModemManager", "--test-session", "--test-enable", "--test-no-udev",
                 "--test-no-suspend-resume", "--test-no-qrtr", "--test-plugin-dir=" + libraries + "/ModemManager",
                 "--debug"},
                {{"DBUS_SESSION_BUS_ADDRESS", stage.bus.address()}, {"LD_LIBRARY_PATH", libraries}}) {
    asio::co_spawn(stage.loop, offer_port(door), asio::detached);
    stage.until([&] {
      REQUIRE_MESSAGE(told("error while loading") == 0, log());
      return told("was acquired") == 1;
    });
  }
  [[nodiscard]] std::string log() const { return program.out() + program.err(); }
  [[nodiscard]] std::size_t told(const std::string& text) const {
    std::size_t count = 0;
    const auto all = log();
    for (auto at = all.find(text); at != std::string::npos; at = all.find(text, at + 1)) ++count;
    return count;
  }
  void plug(const BusClient& caller) const {
    const int code = sd_bus_call_method(caller.get(), "org.freedesktop.ModemManager1", "/org/freedesktop/ModemManager1",
                                        "org.freedesktop.ModemManager1.Test", "SetProfile", nullptr, nullptr, "ssas",
                                        "m0", "generic", 1, port.c_str());
    REQUIRE(code >= 0);
  }

  std::string port;
  asio::local::stream_protocol::acceptor door;
  Process program;
};

}  // namespace

TEST_CASE("modem_manager: the real one" * doctest::skip()) {
  const char* root = std::getenv("DFOTA_MODEM_MANAGER");
  const char* libraries = std::getenv("DFOTA_MODEM_MANAGER_LIBRARIES");
  REQUIRE(root != nullptr);
  REQUIRE(libraries != nullptr);
  const std::string device = "/virtual/m0", other = "/virtual/m1",
                    setup = "device inhibition setup for uid '" + device + "'",
                    teardown = "device inhibition teardown for uid '" + device + "'";
  Stage stage;
  ScriptedPolkit polkit(stage.bus.address());
  const BusClient caller(stage.bus.address());
  stage.others = {&polkit};
  auto ours = std::make_unique<ModemManager>(stage.loop);
  polkit.allows = false;
  ours->inhibit(device);
  {
    RealModemManager real(stage, root, libraries);
    stage.until([&] { return polkit.asked.size() == 1; });
    CHECK(polkit.asked[0] == "org.freedesktop.ModemManager1.Control");
    polkit.allows = true;
    ours->inhibit(other);  // which it does not know, as it does not know the one before
    stage.until([&] { return polkit.asked.size() == 2; });
    CHECK_FALSE(ours->keeps_away(device));
    real.plug(caller);
    stage.until([&] { return ours->keeps_away(device); });
    stage.until([&] { return real.told(setup) == 1; });
    ours->release(device);
    stage.until([&] { return real.told(teardown) == 1; });
    ours->inhibit(device);  // it probes the device again, and shows it
    stage.until([&] { return ours->keeps_away(device); });
    stage.until([&] { return real.told(setup) == 2; });
  }
  stage.until([&] { return !ours->keeps_away(device); });
  RealModemManager again(stage, root, libraries);
  again.plug(caller);
  stage.until([&] { return ours->keeps_away(device); });
  ours.reset();
  stage.until([&] { return again.told(teardown + " (owner disappeared from bus)") == 1; });
}
