// dfota: the client of dfota-gateway, over MQTT only.
#include <csignal>

#include "gateway/ctl/options.hpp"
#include "gateway/ctl/session.hpp"
#include "transport/base/log.hpp"
#include "transport/mqtt_environment.hpp"

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  dfota::keep_proxies_from_mqtt();
  dfota::log::set_level(dfota::log::Level::error);  // the rest dfota tells in its own words
  const auto parsed = dfota::ctl::parse_options(argc, argv);
  if (const int* code = std::get_if<int>(&parsed)) return *code;
  return dfota::ctl::run(std::get<dfota::ctl::Options>(parsed));
}
