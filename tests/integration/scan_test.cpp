// cmd/ping and cmd/scan with the real programs: who is there, what would stop a download, what is lost and what has
// changed; and what a restart must not forget of a module.
#include <doctest/doctest.h>

#include <fstream>
#include <sstream>

#include "tests/support/rig.hpp"

using namespace dfota::test;
using Json = Rig::Json;

namespace {

Json scan(Rig& rig, const Json& order = Json::object()) {
  const auto reply = rig.request("scan", order);
  REQUIRE_MESSAGE(reply["status"] == "ok", reply.dump());
  return reply["data"]["modules"];
}

void check_refused(const Json& reply, const std::string& code, const std::string& pointer) {
  CHECK(reply["error"]["code"] == code);
  CHECK(reply["error"]["pointer"] == pointer);
}

/// Stops the gateway and starts it again, after somebody has swapped the modules in their places.
void swap_modules(Rig& rig) {
  REQUIRE(rig.gateway().terminate() == 0);
  std::stringstream text;
  text << std::ifstream(rig.config_file()).rdbuf();
  auto config = text.str();
  const auto first = config.find(rig.rack.port(0)), second = config.find(rig.rack.port(1));
  REQUIRE(first != std::string::npos);
  REQUIRE(second != std::string::npos);
  config.replace(first, rig.rack.port(0).size(), rig.rack.port(1));
  config.replace(second, rig.rack.port(1).size(), rig.rack.port(0));
  std::ofstream(rig.config_file()) << config;
  rig.start_gateway();
}

}  // namespace

TEST_CASE("ping tells who is there, and by which way the command came") {
  auto options = rack_of(1);
  options.absent = 1;
  Rig rig(options);
  scan(rig);
  const auto reply = rig.request("ping", Json::object());
  REQUIRE(reply["status"] == "ok");
  const auto& data = reply["data"];
  CHECK(data["modules"] == Json({{"configured", 2}, {"online", 1}}));
  CHECK(data["mqtt"] == Json({{"version", 5}, {"qos", 1}}));
  CHECK(data["http"].get<std::string>().starts_with("http://127.0.0.1:"));
  CHECK(data["uptime_s"].is_number_unsigned());
  CHECK(data["problems"] == Json::array());
  check_refused(rig.request("ping", {{"loud", true}}), "unknown_key", "/loud");
}

TEST_CASE("scan tells of each module what would stop a download") {
  auto options = rack_of(4, {"m1:sim=pin", "m2:unregistered", "m3:no-pdp"});
  options.absent = 1;
  Rig rig(options);
  const auto rows = scan(rig);
  REQUIRE(rows.size() == 5);
  const auto& absent = rows[0];
  CHECK(absent["module"] == "absent-0");
  CHECK(absent["problem"] == "absent");
  CHECK(absent["online"] == false);
  CHECK(absent["sim"].is_null());
  const auto& good = rows[1];
  CHECK(good["module"] == "m0");
  CHECK(good["problem"].is_null());
  CHECK(good["version"] == kFrom);
  CHECK(good["sim"] == "READY");
  CHECK(good["registered"] == true);
  CHECK(good["network"].is_null());
  CHECK(rows[2]["sim"] == "SIM PIN");
  CHECK(rows[2]["network"]["code"] == "sim_not_ready");
  CHECK(rows[3]["network"]["code"] == "not_registered");
  CHECK(rows[4]["network"]["code"] == "no_pdp_context");
  CHECK(rows[4]["network"]["hint"].get<std::string>().find("QICSGP") != std::string::npos);
  CHECK(scan(rig, {{"module", "m0"}}).size() == 1);
}

TEST_CASE("a scan that cannot be is refused with its place; to all gateways a strange module is silence") {
  Rig rig(rack_of(1));
  check_refused(rig.request("scan", {{"module", "m7"}}), "unknown_module", "/module");
  check_refused(rig.request("scan", {{"module", "a/b"}}), "invalid", "/module");
  check_refused(rig.request("scan", {{"module", 3}}), "invalid", "/module");
  check_refused(rig.request("scan", {{"force", true}}), "invalid", "/force");
  check_refused(rig.request("scan", {{"accept", true}}), "invalid", "/accept");
  check_refused(rig.request("scan", {{"module", "m0"}, {"force", "yes"}}), "invalid", "/force");
  check_refused(rig.request("scan", {{"modules", "all"}}), "unknown_key", "/modules");
  rig.observer.publish(kRoot + "/all/cmd/scan", R"({"module": "m7", "transaction": "stranger"})");
  CHECK(rig.request_text(kRoot + "/all/cmd/scan", R"({"module": "m0"})")["status"] == "ok");
  for (const auto& message : rig.observer.messages()) {
    if (message.topic == rig.topic("rsp/scan")) CHECK(message.payload.find("stranger") == std::string::npos);
  }
}

TEST_CASE("a module that works is not asked, and says so") {
  Rig rig(rack_of(1, {"client=slow:20000"}));
  rig.accept(rig.job("j"));
  REQUIRE(rig.rack.wait_for("m0", "http_request"));
  CHECK(scan(rig)[0]["problem"] == "busy");
  CHECK(rig.finish("j")["state"] == "succeeded");
}

TEST_CASE("a lost module stays lost over restarts, whatever jobs came since; force speaks to it, once (law 3)") {
  RigOptions options = rack_of(1, {"stall=50"});
  options.settings = {{"timeouts.progress_gap", "2"}, {"timeouts.update", "12"}, {"timeouts.absent", "2"}};
  Rig rig(options);
  rig.accept(rig.job("first"));
  REQUIRE(rig.finish("first")["modules"]["m0"] == "lost");
  rig.accept(rig.job("second"));
  REQUIRE(rig.finish("second")["modules"]["m0"] == "rejected");
  const auto asked = rig.rack.events("m0", "bytes_while_flashing").size();
  REQUIRE(rig.gateway().terminate() == 0);
  rig.start_gateway();
  CHECK(scan(rig)[0]["problem"] == "module_lost");
  CHECK(rig.rack.events("m0", "bytes_while_flashing").size() == asked);
  CHECK(scan(rig, {{"module", "m0"}, {"force", true}})[0]["problem"] == "no_answer");
  CHECK(rig.rack.events("m0", "bytes_while_flashing").size() > asked);
  CHECK(scan(rig)[0]["problem"] == "module_lost");
  rig.rack.stop();
  CHECK(rig.rack.qfotadl("m0") == 1);
}

TEST_CASE("a module that was lost and has come back is not lost again by a restart") {
  RigOptions options = rack_of(1);
  options.settings = {{"timeouts.update", "3"}, {"timeouts.absent", "1"}};
  Rig rig(options);
  rig.accept(rig.job("short"));
  REQUIRE(rig.finish("short")["modules"]["m0"] == "lost");
  rig.wait_for_newest(rig.topic("module/m0/state"),
                      [](const Json& now) { return now["version"] == kTo && now["problem"].is_null(); });
  REQUIRE(rig.gateway().terminate() == 0);
  rig.start_gateway();
  CHECK(scan(rig)[0]["problem"].is_null());
  rig.rack.stop();
  CHECK(rig.rack.qfotadl("m0") == 1);
}

TEST_CASE("another module in the place of one that was seen, over a restart: no job until somebody accepts it") {
  Rig rig(rack_of(2));
  const auto seen = scan(rig, {{"module", "m0"}})[0]["imei"];
  swap_modules(rig);
  const auto changed = scan(rig, {{"module", "m0"}})[0];
  CHECK(changed["problem"] == "module_changed");
  CHECK(changed["imei"] != seen);
  rig.accept(rig.job("stopped", {"m0"}));
  CHECK(rig.finish("stopped")["modules"]["m0"] == "rejected");
  CHECK(rig.result("m0")["error"]["code"] == "module_changed");
  CHECK(scan(rig, {{"module", "m0"}, {"accept", true}})[0]["problem"].is_null());
  REQUIRE(rig.gateway().terminate() == 0);
  rig.start_gateway();
  CHECK(scan(rig, {{"module", "m0"}})[0]["problem"].is_null());
  rig.rack.stop();
  CHECK(rig.rack.qfotadl("m0") + rig.rack.qfotadl("m1") == 0);
}
