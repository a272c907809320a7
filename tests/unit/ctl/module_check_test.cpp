#include "gateway/ctl/module_check.hpp"

#include <doctest/doctest.h>

using namespace dfota::ctl;
using Texts = std::vector<std::string>;

TEST_CASE("what a scan told, as far as it can be read") {
  const Json data = Json::parse(R"({"modules": [
    {"module": "a", "online": true, "problem": null, "model": "UC20", "version": "V1", "imei": "861", "registered": true,
     "signal_dbm": -71, "sim": "READY", "network": {"code": "no_pdp_context", "message": "none", "hint": "set it"}},
    {"module": "b", "online": false, "problem": "busy", "signal_dbm": "loud", "registered": 1, "network": "bad"},
    {"online": true}, 5]})");
  const auto modules = scanned_modules(data);
  REQUIRE(modules.size() == 2);
  CHECK(modules[0].online);
  CHECK(modules[0].problem.empty());
  CHECK(modules[0].registered == true);
  CHECK(modules[0].signal_dbm == -71);
  REQUIRE(modules[0].network);
  CHECK(modules[0].network->hint == "set it");
  CHECK(modules[1].problem == "busy");
  CHECK_FALSE(modules[1].signal_dbm);
  CHECK_FALSE(modules[1].registered);
  CHECK_FALSE(modules[1].network);
  CHECK(scan_table(modules) ==
        Texts{"module  status   model  version  IMEI  SIM    registered  signal   what is wrong",
              "a       online   UC20   V1       861   READY  yes         -71 dBm  no_pdp_context: none",
              "b       offline  -      -        -     -      -           -        busy"});
  for (const char* text : {"{}", R"({"modules": {}})", R"({"modules": 1})"}) {
    CHECK(scanned_modules(Json::parse(text)).empty());
  }
}

TEST_CASE("what a gateway says of itself, as far as it says it") {
  CHECK(ping_line(Json::parse(R"({"version": "1.0", "uptime_s": 61, "http": "http://h:1", "modules":
    {"configured": 2, "online": 1}, "mqtt": {"version": 5, "qos": 1}})")) ==
        "dfota-gateway 1.0, up 1:01, modules 1 of 2 online, http://h:1, MQTT 5 at QoS 1");
  CHECK(ping_line(Json::object()) == "dfota-gateway ?");
}
