#include "transport/mqtt_uri.hpp"

#include <doctest/doctest.h>

using namespace dfota;

TEST_CASE("the URIs that name a broker") {
  struct Case {
    const char* uri;
    bool tls;
    const char* host;
    int port;
    const char* name;
  };
  for (const Case& c : {Case{"mqtt://127.0.0.1:1883", false, "127.0.0.1", 1883, "127.0.0.1:1883"},
                        Case{"mqtt://broker.lan", false, "broker.lan", 1883, "broker.lan:1883"},
                        Case{"mqtts://broker.lan", true, "broker.lan", 8883, "broker.lan:8883"},
                        Case{"mqtts://broker.lan:8884/", true, "broker.lan", 8884, "broker.lan:8884"},
                        Case{"mqtt://[::1]", false, "::1", 1883, "[::1]:1883"},
                        Case{"mqtt://[fe80::1]:1884", false, "fe80::1", 1884, "[fe80::1]:1884"},
                        Case{"mqtt://me:secret@broker.lan:1", false, "broker.lan", 1, "broker.lan:1"}}) {
    CAPTURE(c.uri);
    const auto broker = parse_mqtt_uri(c.uri);
    REQUIRE(broker.ok());
    CHECK(broker->tls == c.tls);
    CHECK(broker->host == c.host);
    CHECK(broker->port == c.port);
    CHECK(broker->name() == c.name);
  }
}

TEST_CASE("and those that do not") {
  for (const char* uri : {"", "broker.lan", "tcp://broker.lan", "mqtt://", "mqtt://:1883", "mqtt://a:0",
                          "mqtt://a:65536", "mqtt://a:12x", "mqtt://a:", "http://a"}) {
    CAPTURE(uri);
    const auto broker = parse_mqtt_uri(uri);
    REQUIRE_FALSE(broker.ok());
    CHECK(broker.error().code == Errc::invalid);
  }
}
