#include "gateway/home_assistant_devices.hpp"

#include <algorithm>

#include "modem/update_types.hpp"

namespace dfota {
namespace {

using nlohmann::json;

/// Home Assistant's own default; said at each entity, for not all of them want the same.
json available_with(const std::vector<std::string>& topics) {
  json list = json::array();
  for (const auto& topic : topics) list.push_back({{"topic", topic}});
  return list;
}

/// What an entity may be called: [a-z0-9_].
std::string entity_id(const char* platform, std::string object) {
  std::transform(object.begin(), object.end(), object.begin(), [](char c) {
    if (c >= 'A' && c <= 'Z') return static_cast<char>(c - 'A' + 'a');
    return c == '-' ? '_' : c;
  });
  return std::string(platform) + "." + object;
}

json phases() {
  json words = json::array();
  for (const auto phase : {Phase::idle, Phase::queued, Phase::preparing, Phase::uploading, Phase::downloading,
                           Phase::rebooting, Phase::updating, Phase::verifying}) {
    words.push_back(to_word(phase));
  }
  return words;
}

json error_classes() {
  json classes = json::array();
  for (int hundreds = 0; hundreds < 10; ++hundreds) classes.push_back(code_class(100 * hundreds));
  classes.push_back(code_class(-1));
  classes.push_back("gateway");
  return classes;
}

json origin() {
  return {{"name", "dfota-gateway"}, {"sw_version", DFOTA_VERSION}};
}

}  // namespace

/// Available with the gateway: what is known of a module that is gone, and what can be done about it, stays.
json HomeAssistantDevices::entity(const std::string& object, const char* platform, const std::string& key,
                                  const json& name) const {
  return {{"platform", platform},
          {"unique_id", object + "_" + key},
          {"default_entity_id", entity_id(platform, object + "_" + key)},
          {"name", name},
          {"qos", 1},
          {"availability", available_with({topics_.status()})},
          {"availability_mode", "all"}};
}

json HomeAssistantDevices::button(const std::string& object, const std::string& key, const std::string& name,
                                  const std::string& verb, const json& command) const {
  auto out = entity(object, "button", key, name);
  out["entity_category"] = "config";
  out["command_topic"] = topics_.command(verb);
  out["payload_press"] = command.dump();
  return out;
}

/// A diagnostic sensor of the module's state.
json HomeAssistantDevices::reading(const std::string& module, const std::string& key, const std::string& name,
                                   const std::string& value) const {
  auto out = entity(object(module), "sensor", key, name);
  out["entity_category"] = "diagnostic";
  out["state_topic"] = topics_.module(module, "state");
  out["value_template"] = "{{ " + value + " }}";
  return out;
}

/// A state has 255 characters; all of the error stands in the attributes.
json HomeAssistantDevices::last_error(const std::string& module) const {
  auto out = reading(module, "last_error", "Last error",
                     "((value_json.last_error.code ~ ': ' ~ value_json.last_error.meaning) if value_json.last_error "
                     "else 'none')[:255]");
  out["icon"] = "mdi:alert-circle-outline";
  out["json_attributes_topic"] = topics_.module(module, "state");
  out["json_attributes_template"] = "{{ (value_json.last_error or {}) | to_json }}";
  return out;
}

/// An event says its type in a JSON of its own.
json HomeAssistantDevices::error_event(const std::string& module) const {
  auto out = entity(object(module), "event", "error", "Error");
  out["entity_category"] = "diagnostic";
  out["icon"] = "mdi:alert";
  out["state_topic"] = topics_.module(module, "error/+/+");
  out["event_types"] = error_classes();
  std::string members = "'event_type': value_json['class']";
  for (const std::string key : {"code", "name", "meaning", "hint", "phase", "job", "attempt", "retryable"}) {
    members += ", '" + key + "': value_json." + key;
  }
  out["value_template"] = "{{ {" + members + "} | to_json }}";
  return out;
}

json HomeAssistantDevices::module(const std::string& id, const Identity& identity) const {
  const auto name = object(id);
  const auto with_module = available_with({topics_.status(), topics_.module(id, "status")});
  const json itself = {{"module", id}};
  json components;

  auto& update = components["update"] = entity(name, "update", "update", nullptr);
  update["device_class"] = "firmware";
  update["entity_category"] = "config";
  update["state_topic"] = topics_.module(id, "update");
  update["command_topic"] = topics_.command("install");
  update["payload_install"] = itself.dump();
  update["availability"] = with_module;

  auto& phase = components["phase"] = reading(id, "phase", "Phase", "value_json.phase");
  phase["device_class"] = "enum";
  phase["options"] = phases();
  components["last_error"] = last_error(id);
  auto& signal = components["signal"] = reading(id, "signal", "Signal", "value_json.signal_dbm");
  signal["device_class"] = "signal_strength";
  signal["unit_of_measurement"] = "dBm";
  signal["state_class"] = "measurement";
  signal["availability"] = with_module;
  components["imei"] = reading(id, "imei", "IMEI", "value_json.imei or ''");
  components["imei"]["availability"] = with_module;
  components["port"] = reading(id, "port", "Port", "value_json.port");
  components["error"] = error_event(id);
  components["cancel"] = button(name, "cancel", "Cancel", "cancel", itself);
  components["scan"] = button(name, "scan", "Scan", "scan", itself);

  json device = {{"identifiers", {name}}, {"name", id}, {"manufacturer", "Quectel"}, {"via_device", object()}};
  for (const auto& [key, value] :
       {std::pair{"model", identity.model}, {"sw_version", identity.version}, {"serial_number", identity.imei}}) {
    if (!value.empty()) device[key] = value;
  }
  return {{"device", std::move(device)}, {"origin", origin()}, {"components", std::move(components)}};
}

/// Retained, as R/hold is; what it does comes back in R/info.
json HomeAssistantDevices::hold_switch() const {
  auto out = entity(object(), "switch", "hold", "Hold");
  out["entity_category"] = "config";
  out["icon"] = "mdi:hand-back-right";
  out["command_topic"] = topics_.hold();
  out["retain"] = true;
  out["payload_on"] = json{{"hold", true}, {"reason", "Home Assistant"}}.dump();
  out["payload_off"] = json{{"hold", false}}.dump();
  out["state_topic"] = topics_.info();
  out["value_template"] = "{{ 'OFF' if value_json.hold is none else 'ON' }}";
  out["state_on"] = "ON";
  out["state_off"] = "OFF";
  return out;
}

json HomeAssistantDevices::gateway() const {
  const auto name = object();
  json components;

  auto& connectivity = components["connectivity"] = entity(name, "binary_sensor", "connectivity", "Connectivity");
  connectivity["device_class"] = "connectivity";
  connectivity["entity_category"] = "diagnostic";
  connectivity["state_topic"] = topics_.status();
  connectivity["payload_on"] = "online";
  connectivity["payload_off"] = "offline";
  // It tells whether the others are available.
  connectivity.erase("availability");
  connectivity.erase("availability_mode");

  auto& problem = components["problem"] = entity(name, "binary_sensor", "problem", "Problem");
  problem["device_class"] = "problem";
  problem["entity_category"] = "diagnostic";
  problem["state_topic"] = topics_.info();
  problem["value_template"] = "{{ 'ON' if value_json.problems else 'OFF' }}";
  problem["payload_on"] = "ON";
  problem["payload_off"] = "OFF";
  problem["json_attributes_topic"] = topics_.info();
  problem["json_attributes_template"] = "{{ {'problems': value_json.problems} | to_json }}";

  components["hold"] = hold_switch();
  for (const auto& [verb, label] : {std::pair{"scan", "Scan all"}, {"pause", "Pause all"}, {"resume", "Resume all"}}) {
    components[verb] = button(name, verb, label, verb, json::object());
  }
  const json device = {{"identifiers", {name}},
                       {"name", "dfota " + gateway_},
                       {"model", "dfota-gateway"},
                       {"sw_version", DFOTA_VERSION}};
  return {{"device", device}, {"origin", origin()}, {"components", std::move(components)}};
}

}  // namespace dfota
