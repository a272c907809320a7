#include "tests/support/private_bus.hpp"

#include <cstdlib>
#include <fstream>
#include <stdexcept>

namespace dfota::test {
namespace {

constexpr const char* kModemManager = "org.freedesktop.ModemManager1";
constexpr const char* kModemManagerPath = "/org/freedesktop/ModemManager1";

void must(int code, const char* what) {
  if (code < 0) throw std::runtime_error(std::string(what) + ": " + std::to_string(code));
}

}  // namespace

PrivateBus::PrivateBus() {
  std::ofstream(dir_ / "bus.conf") << "<busconfig><type>system</type><listen>" << address() << "</listen>"
                                   << "<auth>EXTERNAL</auth><servicedir>" << dir_.path().string() << "</servicedir>"
                                   << R"(<policy context="default"><allow user="*"/><allow own="*"/>)"
                                   << R"(<allow send_type="method_call"/><allow send_destination="*"/>)"
                                   << R"(<allow receive_sender="*"/></policy></busconfig>)";
  // It would be started by a call: the log tells of it.
  std::ofstream(dir_ / "mm.service") << "[D-BUS Service]\nName=" << kModemManager << "\nUser=root\nExec=/bin/false\n";
  ::setenv("DBUS_SYSTEM_BUS_ADDRESS", address().c_str(), 1);
  start();
}

PrivateBus::~PrivateBus() {
  ::unsetenv("DBUS_SYSTEM_BUS_ADDRESS");
}

void PrivateBus::start() {
  daemon_ = std::make_unique<Process>(std::vector<std::string>{"dbus-daemon", "--config-file=" + (dir_ / "bus.conf"),
                                                               "--nofork", "--nopidfile", "--print-address"});
  if (!daemon_->wait_for_out("unix:")) throw std::runtime_error("dbus-daemon: " + daemon_->err());
}

void PrivateBus::stop() {
  daemon_.reset();
}

BusClient::BusClient(const std::string& address) {
  must(sd_bus_new(&bus_), "sd_bus_new");
  must(sd_bus_set_address(bus_, address.c_str()), "sd_bus_set_address");
  must(sd_bus_set_bus_client(bus_, 1), "sd_bus_set_bus_client");
  must(sd_bus_start(bus_), "sd_bus_start");
}

BusClient::~BusClient() {
  sd_bus_close_unref(bus_);
}

void BusClient::serve() {
  while (sd_bus_process(bus_, nullptr) > 0) {
  }
}

void BusClient::offer(const char* path, const char* interface, const sd_bus_vtable* methods, const char* name) {
  must(sd_bus_add_object_vtable(bus_, nullptr, path, interface, methods, this), path);
  must(sd_bus_request_name(bus_, name, 0), name);
}

ScriptedModemManager::ScriptedModemManager(const std::string& address) : BusClient(address) {
  static const sd_bus_vtable kMethods[] = {
      SD_BUS_VTABLE_START(0),
      SD_BUS_METHOD("InhibitDevice", "sb", "", &ScriptedModemManager::on_inhibit, SD_BUS_VTABLE_UNPRIVILEGED),
      SD_BUS_VTABLE_END};
  offer(kModemManagerPath, kModemManager, kMethods, kModemManager);
}

int ScriptedModemManager::on_inhibit(sd_bus_message* message, void* self, sd_bus_error* error) {
  auto& manager = *static_cast<ScriptedModemManager*>(self);
  const char* uid = nullptr;
  int inhibit = 0;
  must(sd_bus_message_read(message, "sb", &uid, &inhibit), "InhibitDevice");
  manager.calls_.emplace_back(uid, inhibit != 0);
  if (manager.errors.contains(uid)) return sd_bus_error_set(error, manager.errors[uid].c_str(), "scripted");
  if (!manager.known_.contains(uid)) {
    return sd_bus_error_set(error, "org.freedesktop.ModemManager1.Error.Core.NotFound", "No device found");
  }
  return sd_bus_reply_method_return(message, nullptr);
}

std::vector<bool> ScriptedModemManager::calls_of(const std::string& uid) const {
  std::vector<bool> found;
  for (const auto& [device, inhibit] : calls_) {
    if (device == uid) found.push_back(inhibit);
  }
  return found;
}

void ScriptedModemManager::announce(const std::string& uid) {
  known_.insert(uid);
  must(sd_bus_emit_signal(get(), kModemManagerPath, "org.freedesktop.DBus.ObjectManager", "InterfacesAdded",
                          "oa{sa{sv}}", "/org/freedesktop/ModemManager1/Modem/0", 2,
                          "org.freedesktop.ModemManager1.Modem.Simple", 0, "org.freedesktop.ModemManager1.Modem", 3,
                          "MaxBearers", "u", 1U, "Device", "s", uid.c_str(), "Drivers", "as", 1, "option"),
       "InterfacesAdded");
}

ScriptedPolkit::ScriptedPolkit(const std::string& address) : BusClient(address) {
  static const sd_bus_vtable kMethods[] = {SD_BUS_VTABLE_START(0),
                                           SD_BUS_METHOD("CheckAuthorization", "(sa{sv})sa{ss}us", "(bba{ss})",
                                                         &ScriptedPolkit::on_check, SD_BUS_VTABLE_UNPRIVILEGED),
                                           SD_BUS_VTABLE_END};
  offer("/org/freedesktop/PolicyKit1/Authority", "org.freedesktop.PolicyKit1.Authority", kMethods,
        "org.freedesktop.PolicyKit1");
}

int ScriptedPolkit::on_check(sd_bus_message* message, void* self, sd_bus_error*) {
  auto& polkit = *static_cast<ScriptedPolkit*>(self);
  const char* action = nullptr;
  must(sd_bus_message_skip(message, "(sa{sv})"), "CheckAuthorization");
  must(sd_bus_message_read(message, "s", &action), "CheckAuthorization");
  polkit.asked.emplace_back(action);
  return sd_bus_reply_method_return(message, "(bba{ss})", polkit.allows ? 1 : 0, 0, 0);
}

}  // namespace dfota::test
