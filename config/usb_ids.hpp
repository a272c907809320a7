// Which USB devices are Quectel's modules: what discovery may speak to without being asked, and what the udev rule of
// the package keeps other programs away from (config/service/77-dfota-gateway.rules, compared by a test). Never a
// vendor alone: 05c6 is Qualcomm's, and whose a device of it is, only the product tells. Values only.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace dfota {

struct UsbId {
  std::uint16_t vendor = 0, product = 0;
  std::string_view models;  ///< for people; empty of an id that was parsed

  /// The device's; what it is called does not count.
  friend bool operator==(const UsbId& a, const UsbId& b) { return a.vendor == b.vendor && a.product == b.product; }
};

/// The modules in their normal state, by the drivers of Linux (option, qcserial, qmi_wwan). A module in its recovery
/// mode, 05c6:9008, is not one of them: nothing that speaks AT is there.
std::span<const UsbId> known_usb_ids();

/// "2c7c:0125", four hexadecimal digits each, of either case; nothing of anything else.
std::optional<UsbId> parse_usb_id(std::string_view text);
/// "2c7c:0125".
std::string to_text(const UsbId& id);

}  // namespace dfota
