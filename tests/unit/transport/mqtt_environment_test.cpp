#include "transport/mqtt_environment.hpp"

#include <doctest/doctest.h>

#include "tests/support/fetch_fixture.hpp"

using namespace dfota;
using namespace dfota::test;

namespace {

std::string value_of(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

}  // namespace

TEST_CASE("what Paho reads is gone, and curl finds the same proxies by other names") {
  struct Row {
    const char *http, *https, *all, *for_https, *for_http;
  };
  const Row rows[] = {{"", "", "", "", ""},
                      {"http://a:1", "http://b:2", "", "http://b:2", "http://a:1"},
                      {"", "http://b:2", "", "http://b:2", ""},
                      {"http://a:1", "", "http://c:3", "http://c:3", "http://a:1"},
                      {"http://a:1", "", "", "", "http://a:1"},
                      {"", "", "http://c:3", "http://c:3", "http://c:3"}};
  for (const auto& row : rows) {
    CAPTURE(row.http);
    const Environment http("http_proxy", row.http), https("https_proxy", row.https), upper("HTTPS_PROXY", ""),
        all("all_proxy", row.all), all_upper("ALL_PROXY", "");
    keep_proxies_from_mqtt();
    CHECK(value_of("http_proxy").empty());
    CHECK(value_of("https_proxy").empty());
    CHECK(value_of("HTTPS_PROXY") == row.for_https);
    CHECK(value_of("all_proxy") == row.for_http);
  }
}
