#include "config/load_modules.hpp"

#include <algorithm>
#include <filesystem>
#include <map>

#include "config/checks.hpp"

namespace dfota {
namespace {

// One name for one port, as far as spelling goes; links are followed when it is opened.
std::string port_key(const std::string& port) {
  std::string key = port;
  if (port.starts_with("tcp://")) {
    std::ranges::transform(key, key.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    return key;
  }
  return std::filesystem::path(port).lexically_normal().string();
}

}  // namespace

void read_modules(std::vector<Section> sections, std::vector<ModuleConfig>& modules) {
  std::map<std::string, unsigned> ids, ports, imeis;
  const auto unique = [](Section& section, const char* key, const std::string& value, auto& lines) {
    const auto [first, fresh] = lines.try_emplace(value, section.place_of(key).line);
    if (fresh) return;
    section.fault(key, in_quotes(value) + " belongs to another module already, at line " +
                           std::to_string(first->second) + ": each module has its own");
  };
  for (Section& section : sections) {
    ModuleConfig module;
    section.require("id", "give the module a name of its own, as id = \"uc20-a\"");
    if (section.take_string("id", module.id, check_segment)) unique(section, "id", module.id, ids);
    if (!section.has("imei")) {
      section.require("port",
                      "name the port of its AT commands, as port = \"/dev/serial/by-path/...\", or say its imei");
    }
    if (section.take_string("port", module.port, check_module_port)) {
      unique(section, "port", port_key(module.port), ports);
    }
    if (section.take_string("imei", module.imei, check_imei)) unique(section, "imei", module.imei, imeis);
    section.take_strings("tags", module.tags, check_tag);
    section.finish();
    modules.push_back(std::move(module));
  }
}

void read_discovery(Section section, DiscoveryConfig& discovery) {
  section.take_strings("ports", discovery.ports, check_port_glob);
  std::vector<std::string> ids;
  section.take_strings("usb_ids", ids, check_usb_id);
  for (const auto& id : ids) discovery.usb_ids.push_back(parse_usb_id(id).value());
  std::string identify = "imei";
  section.take_string("identify", identify, [](const std::string& text) -> Complaint {
    if (text == "imei" || text == "port") return std::nullopt;
    return "must be \"imei\" or \"port\": what a module that was found is called by, not " + in_quotes(text);
  });
  if (identify == "port") discovery.identify = DiscoveryConfig::Identify::port;
  section.finish();
}

}  // namespace dfota
