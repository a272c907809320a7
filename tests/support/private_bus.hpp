// A D-Bus of a test's own (a real dbus-daemon in a temporary directory), which is the system bus for this process from
// then on, and what stands on it: a scripted ModemManager and a scripted polkit. Everything belongs to the test's
// thread, which serves the two by serve().
#pragma once

#include <systemd/sd-bus.h>

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/process.hpp"
#include "tests/support/temp_dir.hpp"

namespace dfota::test {

class PrivateBus {
 public:
  PrivateBus();  ///< returns when it listens
  ~PrivateBus();
  PrivateBus(const PrivateBus&) = delete;
  PrivateBus& operator=(const PrivateBus&) = delete;
  void stop();
  void start();

  [[nodiscard]] std::string log() const { return daemon_->err(); }
  [[nodiscard]] std::string address() const { return "unix:path=" + (dir_ / "bus"); }

 private:
  TempDir dir_;
  std::unique_ptr<Process> daemon_;
};

/// One connection to a bus.
class BusClient {
 public:
  explicit BusClient(const std::string& address);
  virtual ~BusClient();
  BusClient(const BusClient&) = delete;
  BusClient& operator=(const BusClient&) = delete;

  void serve();  ///< answers what has come
  [[nodiscard]] sd_bus* get() const { return bus_; }

 protected:
  void offer(const char* path, const char* interface, const sd_bus_vtable* methods, const char* name);

 private:
  sd_bus* bus_ = nullptr;
};

/// As ModemManager 1.20 answers InhibitDevice: NotFound of what it does not know.
class ScriptedModemManager : public BusClient {
 public:
  explicit ScriptedModemManager(const std::string& address);
  /// From now on it knows this device, and says so on the bus.
  void announce(const std::string& uid);
  /// What calls for this device are answered by.
  std::map<std::string, std::string> errors;
  /// What was asked for this device: true is InhibitDevice(uid, true).
  [[nodiscard]] std::vector<bool> calls_of(const std::string& uid) const;

 private:
  static int on_inhibit(sd_bus_message* message, void* self, sd_bus_error* error);
  std::set<std::string> known_;
  std::vector<std::pair<std::string, bool>> calls_;
};

class ScriptedPolkit : public BusClient {
 public:
  explicit ScriptedPolkit(const std::string& address);
  bool allows = true;
  std::vector<std::string> asked;  ///< the actions

 private:
  static int on_check(sd_bus_message* message, void* self, sd_bus_error* error);
};

}  // namespace dfota::test
