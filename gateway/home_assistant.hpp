// When the devices of home_assistant_devices.hpp are published: with the first connection, when the broker has
// forgotten us, when a module turns out to be another one or runs another version, and some time after Home Assistant
// has come back, for it needs a moment until it listens to all that it is told. Loop thread.
#pragma once

#include <asio/io_context.hpp>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "config/config.hpp"
#include "gateway/home_assistant_devices.hpp"
#include "transport/base/awaitable.hpp"
#include "transport/base/clock.hpp"

namespace dfota {

class HomeAssistant {
 public:
  static constexpr auto kAfterBirth = std::chrono::seconds(30);

  using Publish = std::function<void(const std::string& topic, const nlohmann::json& document)>;
  /// `loop` must outlive it.
  HomeAssistant(asio::io_context& loop, const Config& config, Publish publish);

  [[nodiscard]] const HomeAssistantDevices& devices() const { return devices_; }
  /// `session_present` false: the broker had forgotten us.
  void connected(bool session_present);
  void module_changed(const std::string& module, const Identity& identity);
  void forget(const std::string& module) { modules_.erase(module); }
  /// Home Assistant has said this on its status topic.
  void status(const std::string& word);

 private:
  void publish_all();
  Awaitable<> publish_later();

  asio::io_context& loop_;
  const bool enabled_;
  HomeAssistantDevices devices_;
  Publish publish_;
  std::map<std::string, Identity> modules_;  ///< as they were published last
  bool published_ = false, waiting_ = false;
};

}  // namespace dfota
