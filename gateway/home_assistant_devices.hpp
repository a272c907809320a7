// What Home Assistant is told to make of the gateway and of each module: MQTT device discovery, for 2024.11 and newer.
// Pure functions; any thread. What a module says of itself (model, version, IMEI) stands here as a plain value of its
// device only, never in a template, a topic or an id: Home Assistant would run, subscribe to, or be confused by it.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "gateway/payloads.hpp"
#include "modem/identity.hpp"

namespace dfota {

class HomeAssistantDevices {
 public:
  HomeAssistantDevices(std::string prefix, std::string gateway, Topics topics)
      : prefix_(std::move(prefix)), gateway_(std::move(gateway)), topics_(std::move(topics)) {}

  /// Where it says `online` when it has started.
  [[nodiscard]] std::string status_topic() const { return prefix_ + "/status"; }
  [[nodiscard]] std::string gateway_topic() const { return prefix_ + "/device/" + object() + "/config"; }
  [[nodiscard]] std::string module_topic(const std::string& module) const {
    return prefix_ + "/device/" + object(module) + "/config";
  }

  [[nodiscard]] nlohmann::json gateway() const;
  /// `identity`: as the module last said; empty strings before.
  [[nodiscard]] nlohmann::json module(const std::string& id, const Identity& identity) const;

 private:
  [[nodiscard]] std::string object() const { return "dfota_" + gateway_; }
  [[nodiscard]] std::string object(const std::string& module) const { return object() + "_" + module; }
  [[nodiscard]] nlohmann::json entity(const std::string& object, const char* platform, const std::string& key,
                                      const nlohmann::json& name) const;
  [[nodiscard]] nlohmann::json button(const std::string& object, const std::string& key, const std::string& name,
                                      const std::string& verb, const nlohmann::json& command) const;
  [[nodiscard]] nlohmann::json reading(const std::string& module, const std::string& key, const std::string& name,
                                       const std::string& value) const;
  [[nodiscard]] nlohmann::json last_error(const std::string& module) const;
  [[nodiscard]] nlohmann::json error_event(const std::string& module) const;
  [[nodiscard]] nlohmann::json hold_switch() const;

  std::string prefix_, gateway_;
  Topics topics_;
};

}  // namespace dfota
