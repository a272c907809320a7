#include "gateway/home_assistant.hpp"

#include <asio/co_spawn.hpp>
#include <utility>

#include "transport/base/signal.hpp"

namespace dfota {

HomeAssistant::HomeAssistant(asio::io_context& loop, const Config& config, Publish publish)
    : loop_(loop),
      enabled_(config.home_assistant.enabled),
      devices_(config.home_assistant.prefix, config.gateway.id, Topics(config.mqtt.topic_root, config.gateway.id)),
      publish_(std::move(publish)) {}

void HomeAssistant::connected(bool session_present) {
  if (!enabled_ || (published_ && session_present)) return;
  publish_all();
}

void HomeAssistant::module_changed(const std::string& module, const Identity& identity) {
  if (!enabled_) return;
  const auto [known, is_new] = modules_.emplace(module, identity);
  if (!is_new && known->second == identity) return;
  known->second = identity;
  if (published_) publish_(devices_.module_topic(module), devices_.module(module, identity));
}

void HomeAssistant::status(const std::string& word) {
  if (!enabled_ || word != "online" || std::exchange(waiting_, true)) return;
  asio::co_spawn(loop_, publish_later(), rethrow);
}

Awaitable<> HomeAssistant::publish_later() {
  co_await sleep_for(loop_, kAfterBirth);
  waiting_ = false;
  publish_all();
}

void HomeAssistant::publish_all() {
  published_ = true;
  publish_(devices_.gateway_topic(), devices_.gateway());
  for (const auto& [id, identity] : modules_) publish_(devices_.module_topic(id), devices_.module(id, identity));
}

}  // namespace dfota
