#include "gateway/port_choice.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "tests/support/temp_dir.hpp"

using namespace dfota;

namespace {

/// An EC25 with its four ports, a GPS receiver, and a file that is no port at all.
struct Machine {
  test::TempDir dir;
  std::vector<UsbPort> ports;

  Machine() {
    for (int i = 0; i < 4; ++i) plug("ec25-if0" + std::to_string(i), "/sys/devices/usb1/1-2", "2c7c:0125", i);
    plug("gps", "/sys/devices/usb1/1-3", "1546:01a7", 0);
  }
  std::string path(const std::string& name) const { return dir / name; }
  void plug(const std::string& name, const std::string& usb_device, const std::string& usb_id, int interface) {
    // The kernel's name, and the one that stays.
    std::ofstream(path("tty-" + name)).put(' ');
    std::filesystem::create_symlink(path("tty-" + name), path(name));
    const auto device = std::filesystem::canonical(path(name)).string();
    ports.push_back({device, path(name), usb_device, usb_id, interface});
  }
  std::map<std::string, PortChoice> choose(const DiscoveryConfig& discovery, bool missing = false,
                                           const std::vector<std::string>& places = {}) const {
    return choose_ports(discovery, ports, missing, places);
  }
};

std::vector<std::string> names(const std::map<std::string, PortChoice>& choices) {
  std::vector<std::string> all;
  for (const auto& [name, choice] : choices) all.push_back(std::filesystem::path(name).filename());
  return all;
}

}  // namespace

TEST_CASE("without [discovery], and with every module in its place, nobody is asked") {
  const Machine machine;
  CHECK(machine.choose({}).empty());
}

TEST_CASE("a pattern reaches the ports of known USB devices and never those of other things") {
  const Machine machine;
  DiscoveryConfig discovery;
  discovery.ports = {machine.path("*")};
  const auto choices = machine.choose(discovery);
  CHECK(names(choices) == std::vector<std::string>{"ec25-if00", "ec25-if01", "ec25-if02", "ec25-if03"});
  for (const auto& [name, choice] : choices) {
    CHECK(choice.device == "/sys/devices/usb1/1-2");
    CHECK(choice.discover);
  }
  SUBCASE("the AT port is asked first, then the modem port") {
    CHECK(choices.at(machine.path("ec25-if02")).rank < choices.at(machine.path("ec25-if03")).rank);
    CHECK(choices.at(machine.path("ec25-if03")).rank < choices.at(machine.path("ec25-if00")).rank);
  }
  SUBCASE("a vid:pid that the operator lists is asked, too") {
    discovery.usb_ids = {parse_usb_id("1546:01a7").value()};
    CHECK(machine.choose(discovery).contains(machine.path("gps")));
  }
  SUBCASE("and so is a port that he names in full") {
    discovery.ports = {machine.path("gps")};
    CHECK(names(machine.choose(discovery)) == std::vector<std::string>{"gps"});
  }
}

TEST_CASE("while a module is missing, all ports of known USB devices are asked, but make no new modules") {
  const Machine machine;
  const auto choices = machine.choose({}, true);
  CHECK(choices.size() == 4);
  for (const auto& [name, choice] : choices) CHECK_FALSE(choice.discover);
  SUBCASE("and the port that the configuration names for it, whatever it is") {
    const auto with_place = machine.choose({}, true, {machine.path("gps")});
    CHECK(with_place.contains(machine.path("gps")));
    CHECK_FALSE(with_place.at(machine.path("gps")).discover);
  }
}

TEST_CASE("a module in recovery mode is never asked, not even by name") {
  Machine machine;
  machine.plug("bricked", "/sys/devices/usb1/1-4", std::string(kRecoveryUsbId), 0);
  DiscoveryConfig discovery;
  discovery.ports = {machine.path("bricked")};
  discovery.usb_ids = {parse_usb_id(kRecoveryUsbId).value()};
  CHECK(machine.choose(discovery).empty());
  CHECK_FALSE(machine.choose({}, true, {machine.path("bricked")}).contains(machine.path("bricked")));
}

TEST_CASE("a port is the same by either of its names, and unknown is no port") {
  const Machine machine;
  const auto* by_link = usb_port_of(machine.ports, machine.path("gps"));
  REQUIRE(by_link != nullptr);
  CHECK(usb_port_of(machine.ports, by_link->device) == by_link);
  CHECK(usb_port_of(machine.ports, "/nowhere") == nullptr);
  CHECK(usb_port_of(machine.ports, "") == nullptr);
}

TEST_CASE("ports that have changed their numbers since they were looked at are still themselves") {
  const Machine machine;
  const auto gps = machine.path("gps"), modem = machine.path("ec25-if02");
  std::filesystem::remove(gps);
  std::filesystem::remove(modem);
  std::filesystem::create_symlink(machine.path("tty-ec25-if02"), gps);
  std::filesystem::create_symlink(machine.path("tty-gps"), modem);
  CHECK(usb_port_of(machine.ports, gps)->name == gps);
  CHECK(usb_port_of(machine.ports, modem)->name == modem);
}

TEST_CASE("a module that is called by its port has an id that fits into a topic") {
  CHECK(id_of_port("/dev/serial/by-path/pci-0000:00:14.0-usb-0:2:1.2-port0") == "pci-0000_00_14_0-usb-0_2_1_2-port0");
  CHECK(id_of_port("/tmp/rack/m0") == "m0");
  CHECK(id_of_port("/dev/" + std::string(80, 'x') + "end") == std::string(61, 'x') + "end");
}

TEST_CASE("two ports are at one socket whatever their interfaces") {
  const auto at = socket_of("/dev/serial/by-path/pci-0000:00:14.0-usb-0:2.4:1.2-port0");
  CHECK(at == "pci-0000:00:14.0-usb-0:2.4");
  CHECK(socket_of("/dev/serial/by-path/pci-0000:00:14.0-usb-0:2.4:1.0-port0") == at);
  CHECK(socket_of("/dev/serial/by-path/pci-0000:00:14.0-usb-0:2.5:1.0-port0") != at);
  CHECK(socket_of("/dev/ttyUSB0").empty());
  CHECK(socket_of("/tmp/rack/m0").empty());
}
