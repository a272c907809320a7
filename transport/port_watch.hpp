// What serial ports this machine has, and when that changes: the tty and USB devices that udev knows, and the
// directories in which other names come and go (a rack of pseudo-terminals). Every change is told at once, and every
// kRescan without one, for a machine whose udev events do not reach us (a container). Wraps libudev. Loop thread only.
#pragma once

#include <array>
#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "transport/base/awaitable.hpp"
#include "transport/base/clock.hpp"

struct udev;
struct udev_device;
struct udev_monitor;

namespace dfota {

/// One serial port of a USB device.
struct UsbPort {
  std::string device;  ///< /dev/ttyUSB2: the kernel's name, which changes
  std::string name;    ///< its link in /dev/serial/by-path, which stays; the kernel's where udev made none
  std::string
      usb_device;      ///< place of the USB device in sysfs, /sys/devices/.../usb1/1-2: hub and port, not its number
  std::string usb_id;  ///< vid:pid in lower case, "2c7c:0125"
  int interface = -1;  ///< bInterfaceNumber; -1: not known
  bool operator==(const UsbPort&) const = default;
};

class PortWatch {
 public:
  static constexpr auto kRescan = std::chrono::seconds(10);
  /// Several events of one device come together: they are told as one.
  static constexpr auto kGather = std::chrono::milliseconds(50);

  explicit PortWatch(asio::io_context& loop);
  ~PortWatch();
  PortWatch(const PortWatch&) = delete;
  PortWatch& operator=(const PortWatch&) = delete;

  /// From now on `on_change` is called, on the loop.
  void start();
  /// Names that come and go in this directory are a change, too. To be said again for one that did not exist, or that
  /// was made anew.
  void watch_directory(const std::string& directory);
  std::function<void()> on_change;

  /// All that are there now; ports of what is no USB device are not among them.
  [[nodiscard]] std::vector<UsbPort> usb_ports() const;
  /// The places (as UsbPort::usb_device) of those with this vid:pid, with serial ports or without.
  [[nodiscard]] static std::set<std::string> usb_devices(std::string_view usb_id);

 private:
  struct Drop {
    void operator()(udev* context) const;
    void operator()(udev_monitor* monitor) const;
    void operator()(udev_device* device) const;
  };

  Awaitable<> follow_udev();
  Awaitable<> follow_directories();
  Awaitable<> tell();
  void changed();

  asio::io_context& loop_;
  std::unique_ptr<udev, Drop> udev_;
  std::unique_ptr<udev_monitor, Drop> monitor_;
  asio::posix::stream_descriptor udev_events_, directory_events_;
  std::array<char, 4096> buffer_;
  Timer rescan_;
  std::optional<Clock::time_point> changed_at_;
};

}  // namespace dfota
