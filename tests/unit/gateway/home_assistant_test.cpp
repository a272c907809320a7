#include "gateway/home_assistant.hpp"

#include <doctest/doctest.h>

#include "tests/support/ha_rules.hpp"

using namespace dfota;
using Json = nlohmann::json;
using test::HaRules;

namespace {

const Identity kIdentity{"UC20", "UC20GQBR03A11E1G", "861234567890123"};

HomeAssistantDevices devices(const std::string& gateway = "rack-1") {
  return {"homeassistant", gateway, Topics("dfota/v1", gateway)};
}

void check_rules(const std::string& topic, const Json& config, const std::vector<std::string>& foreign = {}) {
  for (const auto& fault : HaRules::device("homeassistant", topic, config, foreign)) {
    FAIL_CHECK(topic << ": " << fault);
  }
}

struct Bench {
  explicit Bench(bool enabled = true) {
    config.gateway.id = "g";
    config.home_assistant.enabled = enabled;
    home_assistant.emplace(loop, config, [this](const std::string& topic, const Json& document) {
      check_rules(topic, document);
      told.emplace_back(topic.substr(sizeof("homeassistant/device/") - 1), document);
    });
  }
  std::vector<std::string> topics() {
    std::vector<std::string> all;
    for (const auto& [topic, document] : std::exchange(told, {})) all.push_back(topic);
    return all;
  }
  void say(const std::string& word) {
    home_assistant->status(word);
    pass(std::chrono::seconds(0));
  }
  void pass(std::chrono::seconds time) {
    clock.advance(time);
    loop.restart();
    loop.poll();
  }

  SteppedClock clock;
  asio::io_context loop;
  Config config;
  std::vector<std::pair<std::string, Json>> told;
  std::optional<HomeAssistant> home_assistant;
};

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("the device of a module: what Home Assistant shows and what it sends") {
  const auto ha = devices();
  CHECK(ha.module_topic("uc20-a") == "homeassistant/device/dfota_rack-1_uc20-a/config");
  const auto config = ha.module("uc20-a", kIdentity);
  check_rules(ha.module_topic("uc20-a"), config, {kIdentity.version, kIdentity.imei});
  CHECK(config["device"] == Json({{"identifiers", {"dfota_rack-1_uc20-a"}},
                                  {"name", "uc20-a"},
                                  {"manufacturer", "Quectel"},
                                  {"model", "UC20"},
                                  {"sw_version", "UC20GQBR03A11E1G"},
                                  {"serial_number", "861234567890123"},
                                  {"via_device", "dfota_rack-1"}}));
  CHECK(config["origin"]["name"] == "dfota-gateway");
  CHECK_FALSE(config["origin"].contains("support_url"));
  const auto& all = config["components"];
  const auto& update = all["update"];
  CHECK(update["name"].is_null());
  CHECK(update["device_class"] == "firmware");
  CHECK(update["unique_id"] == "dfota_rack-1_uc20-a_update");
  CHECK(update["default_entity_id"] == "update.dfota_rack_1_uc20_a_update");
  CHECK(update["state_topic"] == "dfota/v1/rack-1/module/uc20-a/update");
  CHECK(update["command_topic"] == "dfota/v1/rack-1/cmd/install");
  CHECK(update["payload_install"] == R"({"module":"uc20-a"})");
  CHECK(update["availability_mode"] == "all");
  CHECK(update["availability"] ==
        Json({{{"topic", "dfota/v1/rack-1/status"}}, {{"topic", "dfota/v1/rack-1/module/uc20-a/status"}}}));
  CHECK(all["phase"]["options"] ==
        Json({"idle", "queued", "preparing", "uploading", "downloading", "rebooting", "updating", "verifying"}));
  CHECK(all["error"]["state_topic"] == "dfota/v1/rack-1/module/uc20-a/error/+/+");
  CHECK(all["error"]["event_types"] ==
        Json({"0xx", "1xx", "2xx", "3xx", "4xx", "5xx", "6xx", "7xx", "8xx", "9xx", "other", "gateway"}));
  CHECK(all["cancel"]["command_topic"] == "dfota/v1/rack-1/cmd/cancel");
  CHECK(all["cancel"]["payload_press"] == R"({"module":"uc20-a"})");
  CHECK(all["scan"]["command_topic"] == "dfota/v1/rack-1/cmd/scan");
  CHECK(all["signal"]["unit_of_measurement"] == "dBm");
  for (const auto* key : {"phase", "last_error", "signal", "imei", "port"}) {
    CHECK(all[key]["entity_category"] == "diagnostic");
    CHECK(all[key]["state_topic"] == "dfota/v1/rack-1/module/uc20-a/state");
  }
  // What is known of a module that is gone, and what can be done about it, stays.
  for (const auto* key : {"phase", "last_error", "error", "port", "cancel", "scan"}) {
    CHECK(all[key]["availability"] == Json({{{"topic", "dfota/v1/rack-1/status"}}}));
  }
}

TEST_CASE("the device of the gateway") {
  const auto ha = devices();
  const auto config = ha.gateway();
  check_rules(ha.gateway_topic(), config);
  CHECK(ha.gateway_topic() == "homeassistant/device/dfota_rack-1/config");
  CHECK(config["device"]["identifiers"] == Json({"dfota_rack-1"}));
  const auto& all = config["components"];
  CHECK(all["connectivity"]["state_topic"] == "dfota/v1/rack-1/status");
  CHECK_FALSE(all["connectivity"].contains("availability"));
  CHECK(all["problem"]["state_topic"] == "dfota/v1/rack-1/info");
  CHECK(all["hold"]["command_topic"] == "dfota/v1/rack-1/hold");
  CHECK(all["hold"]["retain"] == true);
  CHECK(Json::parse(all["hold"]["payload_on"].get<std::string>())["hold"] == true);
  CHECK(Json::parse(all["hold"]["payload_off"].get<std::string>()) == Json({{"hold", false}}));
  for (const auto* verb : {"scan", "pause", "resume"}) {
    CHECK(all[verb]["command_topic"] == "dfota/v1/rack-1/cmd/" + std::string(verb));
    CHECK(all[verb]["payload_press"] == "{}");
  }
}

TEST_CASE("what a module says of itself stands in its device only, whatever it is") {
  const auto ha = devices("G_1");
  const Identity hostile{"{{ states('x') }}\"", "{% for x in y %}+#/", "861234567890123"};
  const auto config = ha.module("M-1", hostile);
  check_rules(ha.module_topic("M-1"), config, {"states('x')", "{% for", hostile.imei});
  auto other = ha.module("M-1", {});
  check_rules(ha.module_topic("M-1"), other);
  CHECK(other["components"] == config["components"]);
  for (const auto* key : {"model", "sw_version", "serial_number"}) CHECK_FALSE(other["device"].contains(key));
  CHECK(config["components"]["update"]["default_entity_id"] == "update.dfota_g_1_m_1_update");
}

TEST_CASE("published with the first connection, and when the broker has forgotten; the gateway before its modules") {
  Bench bench;
  bench.home_assistant->module_changed("m0", {});
  CHECK(bench.told.empty());
  bench.home_assistant->connected(true);
  CHECK(bench.topics() == Names{"dfota_g/config", "dfota_g_m0/config"});
  bench.home_assistant->connected(true);
  CHECK(bench.told.empty());
  bench.home_assistant->connected(false);
  CHECK(bench.topics() == Names{"dfota_g/config", "dfota_g_m0/config"});
}

TEST_CASE("a module's device again when it is another one or runs another version; not when it is forgotten") {
  Bench bench;
  bench.home_assistant->connected(false);
  bench.told.clear();
  bench.home_assistant->module_changed("m0", {"UC20", "A11", ""});
  CHECK(bench.topics() == Names{"dfota_g_m0/config"});
  bench.home_assistant->module_changed("m0", {"UC20", "A11", ""});
  CHECK(bench.told.empty());
  bench.home_assistant->module_changed("m0", {"UC20", "A12", ""});
  REQUIRE(bench.told.size() == 1);
  CHECK(bench.told[0].second["device"]["sw_version"] == "A12");
  bench.told.clear();
  bench.home_assistant->forget("m0");
  bench.home_assistant->connected(false);
  CHECK(bench.topics() == Names{"dfota_g/config"});
}

TEST_CASE("thirty seconds after Home Assistant's birth, once for any number of births") {
  Bench bench;
  bench.home_assistant->connected(false);
  bench.told.clear();
  bench.say("offline");
  bench.pass(std::chrono::seconds(40));
  CHECK(bench.told.empty());
  bench.say("online");
  bench.pass(std::chrono::seconds(20));
  bench.say("online");
  bench.pass(std::chrono::seconds(9));
  CHECK(bench.told.empty());
  bench.pass(std::chrono::seconds(1));
  CHECK(bench.topics() == Names{"dfota_g/config"});
  bench.pass(std::chrono::seconds(60));
  CHECK(bench.told.empty());
  bench.say("online");
  bench.pass(std::chrono::seconds(30));
  CHECK(bench.topics() == Names{"dfota_g/config"});
}

TEST_CASE("nothing without home_assistant.enabled") {
  Bench bench(false);
  bench.home_assistant->module_changed("m0", kIdentity);
  bench.home_assistant->connected(false);
  bench.home_assistant->status("online");
  bench.pass(std::chrono::seconds(60));
  CHECK(bench.told.empty());
}

TEST_CASE("the rules of the tests can fail") {
  const auto ha = devices();
  const auto good = ha.module("m0", kIdentity);
  const auto topic = ha.module_topic("m0");
  const auto faults = [&](const std::string& pointer, const Json& value) {
    auto config = good;
    config[Json::json_pointer(pointer)] = value;
    return HaRules::device("homeassistant", topic, config, {"861234567890123"}).size();
  };
  REQUIRE(faults("/device/name", "m0") == 0);
  CHECK(HaRules::device("homeassistant", "homeassistant/device/a b/config", good).size() == 1);
  CHECK(HaRules::device("homeassistant", "homeassistant/update/a/config", good).size() == 1);
  CHECK(faults("/state_topic", "x") == 1);
  CHECK(faults("/device/names", "x") == 1);
  CHECK(faults("/device/model", nullptr) == 1);
  CHECK(faults("/device/identifiers", {"a/b"}) == 1);
  CHECK(faults("/origin/support_url", "https://example.com/") == 0);
  CHECK(faults("/origin/url", "x") == 1);
  CHECK(faults("/components/update/object_id", "x") == 1);
  CHECK(faults("/components/update/value_template", "{{ value_json }}") == 1);
  CHECK(faults("/components/update/device_class", "problem") == 1);
  CHECK(faults("/components/update/unique_id", "dfota_rack-1_m0_phase") == 1);
  CHECK(faults("/components/update/unique_id", "a b") == 1);
  CHECK(faults("/components/update/default_entity_id", "update.A-b") == 1);
  CHECK(faults("/components/update/availability_mode", "latest") == 1);
  CHECK(faults("/components/update/availability/0/pl_avail", "x") == 1);
  CHECK(faults("/components/cancel/command_topic", "a/+/b") == 1);
  CHECK(faults("/components/cancel/retain", true) == 1);
  CHECK(faults("/components/phase/value_template", "{{ value_json.phase") == 2);
  CHECK(faults("/components/phase/value_template", "{{ (value_json.phase }}") == 1);
  CHECK(faults("/components/phase/value_template", "{{ value_json.phase == '861234567890123' }}") == 1);
  CHECK(faults("/components/port/options", Json::array({"x"})) == 1);
  CHECK(faults("/components/port/entity_category", "config") == 1);
  CHECK(faults("/components/error/value_template", "{{ value_json.class }}") == 1);
  CHECK(faults("/components/x", {{"platform", "lock"}}) == 1);

  const auto state = [](const std::string& payload) { return HaRules::update_state(payload).size(); };
  const std::string progress = R"("in_progress":false,"update_percentage":null)";
  CHECK(state("{" + progress + "}") == 0);
  CHECK(state("{" + progress + R"(,"job":"x"})") == 1);
  CHECK(state("{" + progress + R"(,"title":null})") == 1);
  CHECK(state("{" + progress + R"(,"installed_version":"a"})") == 1);
  CHECK(state("{" + progress + R"(,"release_summary":")" + std::string(256, 'x') + "\"}") == 1);
  CHECK(state(R"({"in_progress":false,"update_percentage":5})") == 1);
  CHECK(state(R"({"in_progress":true,"update_percentage":101})") == 1);
  CHECK(state(R"({"in_progress":true})") == 1);
  CHECK(state("{}") == 1);
  CHECK(state("A11") == 1);
}
