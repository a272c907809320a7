// ping, scan, install, rehearse, release and claim of dfota, the program against a real broker and a gateway that is
// played by the test.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/support/scripted_gateway.hpp"

using namespace dfota;
using namespace dfota::test;
using Json = nlohmann::json;
using Texts = std::vector<std::string>;

namespace {
const Json kPong = {{"version", "1.2.3"},
                    {"started_at", "2026-03-01T00:00:00.000Z"},
                    {"uptime_s", 3723},
                    {"zone", "+0100"},
                    {"http", "http://192.168.1.10:8480"},
                    {"modules", {{"configured", 4}, {"online", 3}}},
                    {"mqtt", {{"version", 5}, {"qos", 1}}}};

Json scanned(const std::string& module) {
  return {{"module", module}, {"online", true},     {"problem", nullptr}, {"model", "UC20"}, {"version", "V1"},
          {"imei", "861"},    {"registered", true}, {"signal_dbm", -71},  {"sim", "READY"},  {"network", nullptr}};
}

Json refusal(const std::string& code, const std::string& message) {
  return {{"status", "error"}, {"error", {{"code", code}, {"message", message}, {"pointer", "/module"}}}};
}
}  // namespace

TEST_CASE("ping: what the gateway says of itself") {
  Broker broker;
  ScriptedGateway gateway(broker);
  Process client(dfota_call(broker, {"ping"}));
  const auto command = gateway.command("ping");
  CHECK(ScriptedGateway::body(command) == Json::object());
  gateway.answer_ok(command, kPong);
  CHECK(client.wait() == 0);
  CHECK(
      client.out().starts_with("rack-1: dfota-gateway 1.2.3, up 1:02:03, modules 3 of 4 online, "
                               "http://192.168.1.10:8480, MQTT 5 at QoS 1, answered in "));
  Process json(dfota_call(broker, {"ping", "--json"}));
  gateway.answer_ok(gateway.command("ping"), kPong);
  CHECK(json.wait() == 0);
  CHECK(Json::parse(json.out()).at("payload").at("data") == kPong);
}

TEST_CASE("a command that dfota gives up on is not carried out later: it expires with --timeout") {
  Broker broker;
  ScriptedGateway gateway(broker);
  Process client(dfota_call(broker, {"pause"}));
  const auto command = gateway.command("pause");
  CHECK(command.content_type == "application/json");
  REQUIRE(command.expires);
  CHECK(*command.expires > Clock::now());
  CHECK(*command.expires <= Clock::now() + std::chrono::seconds(60));
  gateway.answer_ok(command, {{"jobs", Json::array()}});
  CHECK(client.wait() == 0);
}

TEST_CASE("scan: a table, and what to look at") {
  Broker broker;
  ScriptedGateway gateway(broker);
  Process client(dfota_call(broker, {"scan"}));
  const auto command = gateway.command("scan");
  CHECK(ScriptedGateway::body(command) == Json::object());
  auto bad = scanned("b");
  bad["sim"] = "SIM PIN\x1b[2J";
  bad["registered"] = false;
  bad["network"] = {{"code", "sim_not_ready"}, {"message", "AT+CPIN? was answered by SIM PIN"}, {"hint", "enter it"}};
  const Json away = {{"module", "c"}, {"online", false}, {"problem", "absent"}};
  gateway.answer_ok(command, {{"modules", {scanned("a"), bad, away}}});
  CHECK(client.wait() == 0);
  CHECK(client.out() ==
        "module  status   model  version  IMEI  SIM          registered  signal   what is wrong\n"
        "a       online   UC20   V1       861   READY        yes         -71 dBm  -\n"
        "b       online   UC20   V1       861   SIM PIN?[2J  no          -71 dBm  sim_not_ready: AT+CPIN? was answered "
        "by "
        "SIM PIN\n"
        "c       offline  -      -        -     -            -           -        absent\n"
        "b: sim_not_ready: enter it\n");
}

TEST_CASE("scan of one module, forced or accepted; as JSON; refused") {
  Broker broker;
  ScriptedGateway gateway(broker);
  Process forced(dfota_call(broker, {"scan", "a", "--force", "--json"}));
  const auto command = gateway.command("scan");
  CHECK(ScriptedGateway::body(command) == Json{{"module", "a"}, {"force", true}});
  const auto one = scanned("a");
  gateway.answer_ok(command, {{"modules", Json::array({one})}});
  CHECK(forced.wait() == 0);
  CHECK(Json::parse(forced.out()) == one);
  Process accepted(dfota_call(broker, {"scan", "b", "--accept"}));
  const auto second = gateway.command("scan");
  CHECK(ScriptedGateway::body(second) == Json{{"module", "b"}, {"accept", true}});
  gateway.answer(second, refusal("unknown_module", "there is no module b"));
  CHECK(accepted.wait() == 1);
  CHECK(accepted.err() == "dfota: refused: unknown_module: there is no module b (/module)\n");
}

TEST_CASE("install follows its job as update does") {
  Broker broker;
  ScriptedGateway gateway(broker);
  Process client(dfota_call(broker, {"install", "a"}));
  const auto command = gateway.command("install");
  CHECK(ScriptedGateway::body(command) == Json{{"module", "a"}});
  gateway.answer_ok(command, {{"job", "install-1"}, {"run", 1}, {"state", "queued"}, {"modules", {"a"}}});
  REQUIRE(client.wait_for_out("job install-1: accepted, modules: 1\n"));
  gateway.progress("install-1", "a", "updating", 5);
  gateway.result("install-1", "a", "succeeded", 1);
  gateway.state("install-1", "succeeded", {{"a", "succeeded"}});
  CHECK(client.wait() == 0);
  CHECK(client.out() ==
        "job install-1: accepted, modules: 1\na: updating\na: succeeded: A -> B\njob install-1: succeeded\n");
  Process other(dfota_call(broker, {"install", "a", "--target", "V9", "--no-wait"}));
  const auto targeted = gateway.command("install");
  CHECK(ScriptedGateway::body(targeted) == Json{{"module", "a"}, {"target", "V9"}});
  gateway.answer_ok(targeted, {{"job", "install-2"}, {"run", 1}, {"state", "queued"}, {"modules", {"a"}}});
  CHECK(other.wait() == 0);
  Process refused(dfota_call(broker, {"install", "a"}));
  gateway.answer(gateway.command("install"), refusal("up_to_date", "a runs the newest version"));
  CHECK(refused.wait() == 1);
  CHECK(refused.err() == "dfota: refused: up_to_date: a runs the newest version (/module)\n");
}

TEST_CASE("rehearse, release and claim: what the gateway did, in words") {
  Broker broker;
  ScriptedGateway gateway(broker);
  Process release(dfota_call(broker, {"release", "a"}));
  const auto released = gateway.command("release");
  CHECK(ScriptedGateway::body(released) == Json{{"module", "a"}});
  gateway.answer_ok(released, {{"module", "a"}, {"port", "/dev/ttyUSB2"}});
  CHECK(release.wait() == 0);
  CHECK(release.out() ==
        "module a: released; open /dev/ttyUSB2 with your own terminal, and then take it back: dfota claim a\n");
  Process claim(dfota_call(broker, {"claim", "a"}));
  gateway.answer(gateway.command("claim"), refusal("unknown_module", "there is no module \"a\""));
  CHECK(claim.wait() == 1);
  Process rehearse(dfota_call(broker, {"rehearse", "a", "--size", "1000"}));
  const auto command = gateway.command("rehearse");
  CHECK(ScriptedGateway::body(command) == Json{{"module", "a"}, {"size", 1000}});
  gateway.answer_ok(command, {{"module", "a"},
                              {"url", "http://h:1"},
                              {"reached", false},
                              {"bytes", 0},
                              {"error", {{"code", "absent"}, {"name", "absent"}, {"meaning", "M"}, {"hint", "H"}}}});
  CHECK(rehearse.wait() == 1);
  CHECK(rehearse.out() == "a: did not fetch the file: absent: M\na: no request of it reached http://h:1\na: H\n");
}
