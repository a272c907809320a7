#include "gateway/port_choice.hpp"

#include <glob.h>

#include <algorithm>
#include <filesystem>

#include "config/usb_ids.hpp"
#include "transport/link.hpp"

namespace dfota {
namespace {

constexpr std::size_t kMaxIdBytes = 64;
constexpr int kAtInterface = 2, kModemInterface = 3;

std::vector<std::string> expand(const std::string& pattern) {
  glob_t found{};
  std::vector<std::string> names;
  if (::glob(pattern.c_str(), 0, nullptr, &found) == 0) names.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  ::globfree(&found);
  return names;
}

bool has_wildcard(const std::string& pattern) {
  return pattern.find_first_of("*?[") != std::string::npos;
}

int rank_of(const UsbPort& port) {
  if (port.interface == kAtInterface) return 0;
  if (port.interface == kModemInterface) return 1;
  return 2 + std::max(0, port.interface);
}

bool is_known(const DiscoveryConfig& discovery, const UsbPort& port) {
  const auto id = parse_usb_id(port.usb_id);
  if (!id) return false;
  const auto known = known_usb_ids();
  return std::find(known.begin(), known.end(), *id) != known.end() ||
         std::find(discovery.usb_ids.begin(), discovery.usb_ids.end(), *id) != discovery.usb_ids.end();
}

}  // namespace

// The name first: what it leads to is of this moment, the ports are as they were looked at last, and in between two may
// have changed their numbers.
const UsbPort* usb_port_of(const std::vector<UsbPort>& ports, const std::string& name) {
  if (name.empty() || ports.empty()) return nullptr;
  auto found = std::ranges::find(ports, name, &UsbPort::name);
  if (found == ports.end()) found = std::ranges::find(ports, real_port(name), &UsbPort::device);
  return found == ports.end() ? nullptr : &*found;
}

std::map<std::string, PortChoice> choose_ports(const DiscoveryConfig& discovery, const std::vector<UsbPort>& ports,
                                               bool look_for_missing, const std::vector<std::string>& places) {
  std::map<std::string, PortChoice> choices;
  for (const auto& pattern : discovery.ports) {
    for (const auto& name : expand(pattern)) {
      const auto* usb = usb_port_of(ports, name);
      // Consoles and the machine's own serial ports match a careless pattern, too: they are asked when named.
      if (usb == nullptr && has_wildcard(pattern) && !real_port(name).starts_with("/dev/pts/")) continue;
      if (usb != nullptr && !may_ask(discovery, *usb)) continue;
      choices[usb != nullptr ? usb->name : name] = {usb != nullptr ? usb->usb_device : name,
                                                    usb != nullptr ? rank_of(*usb) : 0, true};
    }
  }
  if (!look_for_missing) return choices;
  for (const auto& port : ports) {
    if (is_known(discovery, port)) choices.try_emplace(port.name, PortChoice{port.usb_device, rank_of(port), false});
  }
  for (const auto& name : places) {
    const auto* usb = usb_port_of(ports, name);
    if (usb != nullptr && usb->usb_id == kRecoveryUsbId) continue;
    choices.try_emplace(usb != nullptr ? usb->name : name,
                        PortChoice{usb != nullptr ? usb->usb_device : name, 0, false});
  }
  return choices;
}

bool may_ask(const DiscoveryConfig& discovery, const UsbPort& port) {
  if (port.usb_id == kRecoveryUsbId) return false;
  if (is_known(discovery, port)) return true;
  return std::any_of(discovery.ports.begin(), discovery.ports.end(), [&](const std::string& name) {
    return !has_wildcard(name) && (name == port.name || real_port(name) == port.device);
  });
}

std::string socket_of(const std::string& name) {
  const auto file = std::filesystem::path(name).filename().string();
  const auto colon = file.rfind(':');
  const bool is_usb = file.find("-usb") != std::string::npos;
  return is_usb && colon != std::string::npos ? file.substr(0, colon) : std::string();
}

std::string id_of_port(const std::string& name) {
  auto id = std::filesystem::path(name).filename().string();
  std::transform(id.begin(), id.end(), id.begin(), [](char c) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
    return plain ? c : '_';
  });
  return id.size() > kMaxIdBytes ? id.substr(id.size() - kMaxIdBytes) : id;
}

}  // namespace dfota
