// Keeps ModemManager away from USB devices: its own call InhibitDevice over the system bus. What the udev rule does not
// keep it from, it takes as soon as it has probed it; told so, it lets the device go and leaves it alone, over
// unplugging and back, for as long as this object lives. Without a system bus or a ModemManager nothing happens and
// nothing is logged. Wraps sd-bus. Loop thread only; nothing blocks.
#pragma once

#include <asio/io_context.hpp>
#include <memory>
#include <string>

#include "transport/base/clock.hpp"

namespace dfota {

class ModemManager {
 public:
  /// Between two tries where there is no system bus, or where ModemManager has refused.
  static constexpr auto kTryAgain = std::chrono::minutes(1);

  explicit ModemManager(asio::io_context& loop);
  /// Everything is given back.
  ~ModemManager();
  ModemManager(const ModemManager&) = delete;
  ModemManager& operator=(const ModemManager&) = delete;

  /// `uid` is how ModemManager names the USB device: the property ID_MM_PHYSDEV_UID of udev where it is set, else the
  /// sysfs path of the device (not of its interface): "/sys/devices/pci0000:00/0000:00:14.0/usb1/1-2". It need not be
  /// plugged in, and ModemManager need not know it yet. Again with the same uid: nothing.
  void inhibit(const std::string& uid);
  /// ModemManager may have it back. A uid that is not inhibited: nothing.
  void release(const std::string& uid);

  /// ModemManager has said that it leaves this one alone.
  [[nodiscard]] bool keeps_away(const std::string& uid) const;

 private:
  class Agent;
  std::shared_ptr<Agent> agent_;
};

}  // namespace dfota
