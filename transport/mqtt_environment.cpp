#include "transport/mqtt_environment.hpp"

#include <cstdlib>
#include <string>

namespace dfota {
namespace {

std::string value_of(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

}  // namespace

void keep_proxies_from_mqtt() {
  const auto http = value_of("http_proxy");
  auto https = value_of("https_proxy");
  for (const char* other : {"HTTPS_PROXY", "all_proxy", "ALL_PROXY"}) {
    if (https.empty()) https = value_of(other);
  }
  ::unsetenv("http_proxy");
  ::unsetenv("https_proxy");
  if (!https.empty()) ::setenv("HTTPS_PROXY", https.c_str(), 1);
  if (!http.empty()) ::setenv("all_proxy", http.c_str(), 1);
}

}  // namespace dfota
