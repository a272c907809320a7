// Who stands where: which port belongs to which module. A module is its IMEI, its place is the port's by-path name.
// Places sees ports come and go, asks those that belong to nobody who is there, brings modules that moved together with
// their ports, makes new ones where [discovery] says so, keeps ModemManager from all of them, and knows whose place
// shows a USB device in recovery mode. It stands between the modules and the jobs as their observer. Loop thread only.
#pragma once

#include <asio/io_context.hpp>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "config/config.hpp"
#include "gateway/jobs.hpp"
#include "gateway/port_choice.hpp"
#include "modem/ask_port.hpp"
#include "transport/modem_manager.hpp"
#include "transport/port_watch.hpp"

namespace dfota {

class Places : public ModuleObserver {
 public:
  static constexpr std::size_t kMostDiscovered = 1000;
  static constexpr std::size_t kMostAsked = 64;  ///< ports at once
  /// A port where nobody answered is asked again, after a pause that doubles: a module may still be starting.
  static constexpr auto kAskAgain = std::chrono::seconds(10);
  static constexpr auto kAskAgainAtMost = std::chrono::seconds(60);
  static constexpr auto kGather = std::chrono::milliseconds(100);  ///< what changes within is looked at once
  static constexpr std::size_t kMostTold = 10000;

  /// All must outlive it.
  Places(asio::io_context& loop, const Config& config, Jobs::Modules& modules);

  /// The modules of the configuration, and those that an earlier process has found. Before Jobs::recover().
  void make_modules(const std::map<std::string, ModuleFact>& known);
  /// From now on. `jobs` are told of every change of a module.
  void start(ModuleObserver& jobs);
  /// One that was found and is not there any more: it is none from now on. False: it is configured, or it is there.
  bool forget(const std::string& module);

  void module_changed(const Module& module) override;

 private:
  struct Asked {
    unsigned failures = 0;
    Clock::time_point due;
    bool asking = false;
  };
  struct Home {
    std::string device, usb_id;
  };
  /// What of a module's state says where it is.
  struct Sight {
    std::string port, problem;
    bool online = false, open = false;
    bool operator==(const Sight&) const = default;
  };

  Module& add(ModuleConfig module);
  void ports_changed();
  void wake_absent();
  void look_soon();
  Awaitable<> look_later();
  void warn_once(const std::string& text);
  void look();
  void learn_homes();
  void leave_foreign_ports();
  void keep_others_away();
  void tell_recovery();
  void settle_strangers();
  [[nodiscard]] bool may_discover(const std::string& port) const;
  void ask();
  Awaitable<> ask_one(std::string port, PortChoice choice);
  [[nodiscard]] AskLeave leave_for(const std::string& device) const;
  void found(const std::string& port, const PortChoice& choice, const Identity& identity);
  void discover(const std::string& port, const Identity& identity);
  [[nodiscard]] std::set<std::string> taken_devices() const;
  [[nodiscard]] Module* owner_of(const std::string& imei) const;
  void find_directories();

  asio::io_context& loop_;
  const Config& config_;
  Jobs::Modules& modules_;
  ModuleObserver* jobs_ = nullptr;
  PortWatch watch_;
  ModemManager modem_manager_;
  std::set<std::string> in_recovery_;   ///< USB devices, likewise
  std::vector<UsbPort> ports_;          ///< as they were looked at last
  std::set<std::string> kept_;          ///< USB devices that ModemManager is kept from
  std::map<std::string, Home> homes_;   ///< by module: the USB device on which it was last at home
  std::map<std::string, Asked> asked_;  ///< by port
  std::set<std::string> asking_devices_;
  std::map<std::string, Sight> seen_;               ///< by module
  std::set<std::string> directories_;               ///< in which pseudo-terminals come and go
  std::set<std::string> told_;                      ///< what was logged once
  std::vector<std::unique_ptr<Module>> forgotten_;  ///< their coroutines may still be about to end
  bool looking_soon_ = false, wake_soon_ = false, started_ = false;
};

}  // namespace dfota
