// Which ports may be asked who is there, and in which order: those that [discovery] names, and, while a module is
// looked for by its IMEI, those of known USB devices. A USB port is only asked when its vid:pid is known or the
// operator named it: to a GPS receiver or a meter nothing is ever written. Pure functions but for glob(3) and
// realpath(3); any thread.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "config/config.hpp"
#include "transport/port_watch.hpp"

namespace dfota {

struct PortChoice {
  std::string device;     ///< the USB device, or the port itself: of one device only one port becomes a module
  int rank = 0;           ///< the lower, the sooner: on most Quectel modules if02 is the AT port, and if03 answers, too
  bool discover = false;  ///< a module that nobody has written down may be made of it
  bool operator==(const PortChoice&) const = default;
};

/// 05c6:9008: Qualcomm's emergency download mode, in which a module with a broken firmware shows itself.
inline constexpr std::string_view kRecoveryUsbId = "05c6:9008";

/// What `name` is of the USB ports here, however it is spelt; null: none of them.
const UsbPort* usb_port_of(const std::vector<UsbPort>& ports, const std::string& name);

/// Whether this port may be asked, or a module that was found be looked for at it: its vid:pid is known or listed, or
/// [discovery] names it in full.
bool may_ask(const DiscoveryConfig& discovery, const UsbPort& port);

/// Hub and socket of a name in /dev/serial/by-path, without the interface: "pci-0000:00:14.0-usb-0:2:1.2-port0" is at
/// "pci-0000:00:14.0-usb-0:2". Empty: it is no such name.
std::string socket_of(const std::string& name);

/// By the port's name. `look_for_missing`: a module with an IMEI of its own is not where it was. `places`: ports that
/// the configuration names for such modules.
std::map<std::string, PortChoice> choose_ports(const DiscoveryConfig& discovery, const std::vector<UsbPort>& ports,
                                               bool look_for_missing, const std::vector<std::string>& places);

/// The id of a module that is called by its port: /dev/serial/by-path/pci-0000:00:14.0-usb-0:2:1.2-port0 ->
/// pci-0000_00_14_0-usb-0_2_1_2-port0; of a longer one its last 64 characters.
std::string id_of_port(const std::string& name);

}  // namespace dfota
