// What Home Assistant takes, of MQTT device discovery and of an update entity's state (2024.11 and newer), as rules
// without mercy: Home Assistant drops what it does not know, silently or with a line in its log; here it is a fault.
// Each function returns what is wrong, one line each; nothing: all is well. Only the long spelling of keys is known.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

namespace dfota::test {

class HaRules {
 public:
  using Json = nlohmann::json;
  using Faults = std::vector<std::string>;

  /// `foreign`: strings that nothing but the device's own description and the name of no entity may hold.
  static Faults device(const std::string& prefix, const std::string& topic, const Json& config,
                       const std::vector<std::string>& foreign = {}) {
    HaRules rules(foreign);
    rules.check_topic(prefix, topic);
    rules.check_root(config);
    return rules.faults_;
  }

  /// The payload of an update entity's state topic.
  static Faults update_state(const std::string& payload) {
    HaRules rules({});
    const auto state = Json::parse(payload, nullptr, false);
    if (!state.is_object() || state.empty()) return {"the state is no object with keys: " + payload};
    for (const auto& [key, value] : state.items()) {
      if (key == "in_progress") {
        rules.expect(value.is_boolean(), key + " is no boolean");
      } else if (key == "update_percentage") {
        rules.expect(value.is_null() || (value.is_number() && value >= 0 && value <= 100), key + " is " + value.dump());
      } else if (std::set<std::string>{"installed_version", "latest_version", "title", "release_summary"}.contains(
                     key)) {
        rules.expect(value.is_string(), key + " is no string, so that the whole message is dropped");
      } else {
        rules.fault("unknown key " + key + ", so that the whole message is dropped");
      }
    }
    // Keys are sticky: progress that is not told stays as it was.
    rules.expect(state.contains("in_progress") && state.contains("update_percentage"), "progress is not told");
    const bool ends = state.contains("in_progress") && state["in_progress"] == false;
    rules.expect(!ends || state.value("update_percentage", Json()).is_null(), "a percentage without progress");
    rules.expect(state.contains("installed_version") == state.contains("latest_version"), "one version of two");
    rules.expect(characters(state.value("release_summary", "")) <= 255, "release_summary is too long");
    return rules.faults_;
  }

 private:
  using Keys = std::set<std::string>;

  explicit HaRules(std::vector<std::string> foreign) : foreign_(std::move(foreign)) {}

  void fault(const std::string& text) { faults_.push_back(at_.empty() ? text : at_ + ": " + text); }
  void expect(bool right, const std::string& text) {
    if (!right) fault(text);
  }

  static std::size_t characters(const std::string& utf8) {
    std::size_t count = 0;
    for (const char c : utf8) count += (static_cast<unsigned char>(c) & 0xc0) != 0x80;
    return count;
  }

  static bool only(const std::string& text, const std::string& allowed) {
    return !text.empty() && text.find_first_not_of(allowed) == std::string::npos;
  }
  static bool is_id(const std::string& text) {
    return only(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");
  }

  void check_topic(const std::string& prefix, const std::string& topic) {
    const std::string before = prefix + "/device/", behind = "/config";
    const bool framed = topic.starts_with(before) && topic.ends_with(behind) && topic.size() > before.size() + 7;
    expect(framed, "the topic is not <prefix>/device/<id>/config: " + topic);
    if (framed) expect(is_id(topic.substr(before.size(), topic.size() - before.size() - 7)), "its id: " + topic);
  }

  void check_keys(const Json& object, const Keys& required, const Keys& optional) {
    for (const auto& key : required) expect(object.contains(key), key + " is missing");
    for (const auto& [key, value] : object.items()) {
      expect(required.contains(key) || optional.contains(key), "unknown key " + key);
    }
  }

  void check_root(const Json& config) {
    if (!config.is_object()) return fault("is no object");
    check_keys(config, {"device", "origin", "components"}, {});
    if (!faults_.empty()) return;
    at_ = "device";
    const auto& device = config["device"];
    check_keys(device, {"identifiers", "name"},
               {"manufacturer", "model", "model_id", "hw_version", "sw_version", "serial_number", "suggested_area",
                "via_device", "configuration_url"});
    for (const auto& [key, value] : device.items()) {
      if (key == "identifiers") {
        expect(value.is_array() && value.size() == 1 && is_id(value[0].get<std::string>()), "identifiers");
      } else {
        expect(value.is_string() && !value.get<std::string>().empty(), key + " is no text");
      }
    }
    if (device.contains("via_device")) expect(is_id(device["via_device"].get<std::string>()), "via_device is no id");
    at_ = "origin";
    check_keys(config["origin"], {"name", "sw_version"}, {"support_url"});
    at_ = "components";
    expect(config["components"].is_object() && !config["components"].empty(), "there are none");
    for (const auto& [id, component] : config["components"].items()) check_component(id, component);
  }

  void check_component(const std::string& id, const Json& component) {
    at_ = id;
    expect(is_id(id), "is no id");
    const auto platform = component.value("platform", "");
    const auto rule = platforms().find(platform);
    if (rule == platforms().end()) return fault("unknown platform " + platform);
    auto required = rule->second.required;
    required.insert({"platform", "unique_id", "default_entity_id", "name"});
    auto optional = rule->second.optional;
    optional.insert({"availability", "availability_mode", "entity_category", "icon", "qos", "enabled_by_default"});
    if (platform != "button") optional.insert({"json_attributes_topic", "json_attributes_template"});
    check_keys(component, required, optional);
    const auto unique_id = component.value("unique_id", "");
    expect(is_id(unique_id) && unique_ids_.insert(unique_id).second, "unique_id " + unique_id);
    const auto entity_id = component.value("default_entity_id", "");
    expect(entity_id.starts_with(platform + ".") &&
               only(entity_id.substr(platform.size() + 1), "abcdefghijklmnopqrstuvwxyz0123456789_"),
           "default_entity_id " + entity_id);
    expect(component["name"].is_string() || component["name"].is_null(), "name is neither text nor null");
    expect(component.value("entity_category", "config") == "config" || component["entity_category"] == "diagnostic",
           "entity_category");
    if (platform == "sensor") expect(component.value("entity_category", "") == "diagnostic", "a sensor of config");
    if (component.contains("qos")) expect(component["qos"].is_number_integer() && component["qos"] <= 2, "qos");
    check_availability(component);
    check_values(component);
    check_class(platform, component);
  }

  void check_availability(const Json& component) {
    if (!component.contains("availability")) return;
    expect(component["availability"].is_array() && !component["availability"].empty(), "availability is no list");
    for (const auto& one : component["availability"]) {
      check_keys(one, {"topic"}, {"payload_available", "payload_not_available", "value_template"});
    }
    const auto mode = component.value("availability_mode", "latest");
    expect(Keys{"all", "any", "latest"}.contains(mode), "availability_mode " + mode);
    expect(component["availability"].size() == 1 || mode == "all", "available with a part of what it needs");
  }

  void check_values(const Json& component) {
    for (const auto& [key, value] : component.items()) {
      if (key.ends_with("_topic")) check_topic_value(key, value.get<std::string>());
      if (key.ends_with("_template")) check_template(key, value.get<std::string>());
      for (const auto& word : foreign_) {
        expect(value.dump().find(word) == std::string::npos, key + " holds \"" + word + "\", which a module said");
      }
    }
    if (!component.contains("availability")) return;
    for (const auto& one : component["availability"]) check_topic_value("availability", one.value("topic", ""));
  }

  void check_topic_value(const std::string& key, const std::string& topic) {
    const bool may_be_filter = key == "state_topic" || key == "json_attributes_topic";
    expect(!topic.empty() && topic.front() != '/' && topic.find('~') == std::string::npos, key + " " + topic);
    if (!may_be_filter) expect(topic.find_first_of("+#") == std::string::npos, key + " holds a wildcard");
  }

  /// Balanced and closed: nothing more is evaluated here.
  void check_template(const std::string& key, const std::string& text) {
    expect(text.starts_with("{{ ") && text.ends_with(" }}"), key + " is no template: " + text);
    std::string open;
    char quote = 0;
    for (const char c : text) {
      if (quote != 0) {
        if (c == quote) quote = 0;
      } else if (c == '\'' || c == '"') {
        quote = c;
      } else if (c == '{' || c == '(' || c == '[') {
        open += c;
      } else if (c == '}' || c == ')' || c == ']') {
        const char partner = c == '}' ? '{' : c == ')' ? '(' : '[';
        if (open.empty() || open.back() != partner) return fault(key + " is not balanced: " + text);
        open.pop_back();
      }
    }
    expect(open.empty() && quote == 0, key + " is not closed: " + text);
    expect(text.find("value_json") != std::string::npos, key + " reads nothing: " + text);
  }

  void check_class(const std::string& platform, const Json& component) {
    const auto device_class = component.value("device_class", "");
    const auto& classes = platforms().at(platform).classes;
    expect(device_class.empty() || classes.contains(device_class), "device_class " + device_class);
    if (platform == "sensor") {
      const bool with_options = component.contains("options");
      expect((device_class == "enum") == with_options, "options belong to the class enum, and it to them");
      expect(!with_options || !component.contains("state_class"), "an enum has no state_class");
      expect(device_class != "signal_strength" || component.value("unit_of_measurement", "") == "dBm", "its unit");
    }
    if (platform == "event") {
      expect(component["event_types"].is_array() && !component["event_types"].empty(), "event_types");
      expect(component.value("value_template", "").find("'event_type'") != std::string::npos,
             "an event says its event_type");
    }
    if (platform == "update") {
      // Without it the states must be what update_state() takes.
      expect(!component.contains("value_template"), "a template is not needed");
      expect(component["payload_install"].is_string(), "payload_install is text");
      expect(!component.value("retain", false), "a retained install would be refused");
    }
    if (platform == "button") expect(!component.value("retain", false), "a retained command would be refused");
  }

  struct Platform {
    Keys required, optional, classes;
  };
  static const std::map<std::string, Platform>& platforms() {
    static const std::map<std::string, Platform> all = {
        {"update",
         {{"state_topic", "command_topic", "payload_install"},
          {"device_class", "value_template", "latest_version_topic", "latest_version_template", "release_summary",
           "release_url", "title", "retain", "display_precision", "entity_picture"},
          {"firmware"}}},
        {"sensor",
         {{"state_topic"},
          {"value_template", "device_class", "options", "unit_of_measurement", "state_class", "expire_after",
           "suggested_display_precision"},
          {"enum", "signal_strength", "timestamp", "duration", "data_size"}}},
        {"binary_sensor",
         {{"state_topic"},
          {"value_template", "device_class", "payload_on", "payload_off", "expire_after", "off_delay"},
          {"connectivity", "problem", "update"}}},
        {"event",
         {{"state_topic", "event_types"}, {"value_template", "device_class"}, {"button", "doorbell", "motion"}}},
        {"button", {{"command_topic", "payload_press"}, {"device_class", "retain"}, {"restart", "update", "identify"}}},
        {"switch",
         {{"command_topic", "payload_on", "payload_off"},
          {"state_topic", "value_template", "state_on", "state_off", "retain", "optimistic", "device_class"},
          {"switch", "outlet"}}},
    };
    return all;
  }

  const std::vector<std::string> foreign_;
  std::string at_;
  std::set<std::string> unique_ids_;
  Faults faults_;
};

}  // namespace dfota::test
