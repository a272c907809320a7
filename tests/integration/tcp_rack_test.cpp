// Modules behind TCP, as behind ser2net or in another container: dfota-rack --tcp plays them, all the way.
// (tests/support/tcp_module.hpp is a module of a few lines for unit tests with very many updates.)
#include <doctest/doctest.h>

#include "tests/support/rig.hpp"

using namespace dfota::test;
using Json = nlohmann::json;

TEST_CASE("modules over TCP are updated, through the reboots that cut their connections off") {
  auto options = rack_of(3, {"m1:split-writes", "m2:hangup-download=50"});
  options.rack.tcp = true;
  Rig rig(options);
  for (int i = 0; i < 3; ++i) CHECK(rig.rack.port(i).find("tcp://127.0.0.1:") == 0);
  rig.accept(rig.job("over-tcp"));
  CHECK(rig.finish("over-tcp")["state"] == "succeeded");
  for (int i = 0; i < 3; ++i) {
    const auto module = Rig::m(i);
    const auto result = rig.result(module);
    CHECK(result["outcome"] == "succeeded");
    CHECK(result["version"] == kTo);
    CHECK(result["attempts"] == 1);
  }
  rig.rack.stop();
  for (int i = 0; i < 3; ++i) {
    const auto module = Rig::m(i);
    CHECK(rig.rack.qfotadl(module) == 1);
    CHECK(rig.rack.version(module) == kTo);
    CHECK(rig.rack.written_while_flashing(module).empty());
    // It is off during the reboot into flashing and the boot with the new version, and m2's port goes once more.
    const std::size_t returns = i == 2 ? 3 : 2;
    CHECK(rig.rack.events(module, "ready").size() == 1 + returns);
    for (const auto& ready : rig.rack.events(module, "ready")) CHECK(ready["port"] == rig.rack.port(i));
    CHECK(rig.rack.events(module, "opened").size() >= 1 + returns);
    CHECK(rig.rack.events(module, "opened").size() == rig.rack.events(module, "closed").size());
  }
}

TEST_CASE("a rack says what is wrong with its ports") {
  const auto complaint = [](std::vector<std::string> arguments) {
    const TempDir dir;
    arguments.insert(arguments.begin(), {program("dfota-rack"), "--dir", dir.path().string()});
    Process rack(arguments);
    CHECK(rack.wait() != 0);
    return rack.err() + rack.out();
  };
  const TempDir sockets;
  const auto directory = sockets.path().string();
  CHECK(complaint({"--tcp", "7000"}).find("'7000' is not of the form HOST:PORT") != std::string::npos);
  CHECK(complaint({"--tcp", "127.0.0.1:65535", "--count", "2"}).find("not 2 ports from") != std::string::npos);
  CHECK(complaint({"--tcp", "127.0.0.1:0", "--chardev", directory}).find("excludes") != std::string::npos);
  CHECK(complaint({"--tcp", "127.0.0.1:0", "--baud", "9600"}).find("excludes") != std::string::npos);
  CHECK(complaint({"--chardev", directory, "--baud", "9600"}).find("excludes") != std::string::npos);
  CHECK(complaint({"--chardev", directory + "/none"}).find("does not exist") != std::string::npos);
}
