// dfota --gateway all: several gateways, played by the test, on one broker.
#include <doctest/doctest.h>

#include <csignal>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "tests/support/scripted_gateway.hpp"

using namespace dfota;
using namespace dfota::test;
using Json = nlohmann::json;
using Texts = std::vector<std::string>;

namespace {
struct Two {
  Broker broker;
  ScriptedGateway one{broker, "rack-1"}, two{broker, "rack-2"};
  Two() {
    one.online();
    two.online();
  }
  Texts call(const Texts& more) const { return dfota_call(broker, more, "all"); }
  /// With another --timeout.
  Texts call(const std::string& timeout, const Texts& more) const {
    auto argv = call(more);
    argv.at(6) = timeout;
    return argv;
  }
};

Texts lines_of(const std::string& out) {
  Texts lines;
  std::istringstream text(out);
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  return lines;
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

Json pong() {
  return {{"status", "ok"}, {"data", Json::object()}, {"warnings", Json::array()}};
}

Json refusal(const std::string& code) {
  return {{"status", "error"}, {"error", {{"code", code}, {"message", "no"}, {"pointer", ""}}}};
}

Json module_row(const std::string& module) {
  return {{"module", module}, {"status", "online"}, {"phase", "idle"}, {"version", "V1"}, {"job", nullptr}};
}

Json page(const std::vector<Json>& modules, const Json& next) {
  return {{"jobs", Json::array()}, {"modules", modules}, {"next", next}};
}

const Texts kUpdate = {"update", "--modules", "all", "--target", "B"};
}  // namespace

TEST_CASE("modules of all gateways, over all pages of each") {
  Two fleet;
  Process client(fleet.call({"modules"}));
  const auto first = fleet.one.command_to_all("list");
  fleet.one.answer_ok(first, page({module_row("a")}, "module/a"));
  fleet.two.answer_ok(fleet.two.command_to_all("list"), page({module_row("a")}, nullptr));
  const auto second = fleet.one.command("list");
  CHECK(ScriptedGateway::body(second) == Json{{"after", "module/a"}});
  fleet.one.answer_ok(second, page({module_row("b")}, nullptr));
  CHECK(client.wait() == 0);
  const auto lines = lines_of(client.out());
  REQUIRE(lines.size() == 4);
  CHECK(lines[1].starts_with("rack-1/a  online"));
  CHECK(lines[2].starts_with("rack-1/b  online"));
  CHECK(lines[3].starts_with("rack-2/a  online"));
  CHECK(client.err().empty());
}

TEST_CASE("modules --json: one document a module, which names its gateway") {
  Two fleet;
  Process client(fleet.call({"modules", "--json"}));
  fleet.one.answer_ok(fleet.one.command_to_all("list"), page({module_row("a")}, nullptr));
  fleet.two.answer_ok(fleet.two.command_to_all("list"), page({module_row("a")}, nullptr));
  CHECK(client.wait() == 0);
  std::set<std::string> gateways;
  for (const auto& line : lines_of(client.out())) {
    CHECK(Json::parse(line).at("module") == "a");
    gateways.insert(Json::parse(line).at("gateway"));
  }
  CHECK(gateways == std::set<std::string>{"rack-1", "rack-2"});
}

TEST_CASE("a gateway that does not answer is named, and one that is offline is not waited for: exit code 3") {
  Two fleet;
  ScriptedGateway three(fleet.broker, "rack-3");
  three.say("status", "offline", true);
  Process client(fleet.call("2", {"modules"}));
  fleet.one.answer_ok(fleet.one.command_to_all("list"), page({module_row("a")}, nullptr));
  CHECK(client.wait() == 3);
  CHECK(has(client.out(), "rack-1/a"));
  CHECK(client.err() ==
        "dfota: gateway rack-3 is offline, and was not asked\ndfota: gateway rack-2 is online, but did not answer in "
        "time\n");
}

TEST_CASE("no gateway at all is exit code 3") {
  Broker broker;
  Process client(dfota_call(broker, {"modules"}, "all"));
  CHECK(client.wait() == 3);
  CHECK(client.err() == "dfota: the broker answers, but no gateway has a status on dfota/v1/+/status\n");
}

TEST_CASE("cancel: who has nothing of it is silent, and is not waited for") {
  Two fleet;
  Process client(fleet.call({"cancel", "r3"}));
  fleet.one.answer_ok(fleet.one.command_to_all("cancel"), {{"stopped", {"a"}}});
  for (auto* gateway : {&fleet.one, &fleet.two}) gateway->answer(gateway->command_to_all("ping"), pong());
  CHECK(client.wait() == 0);
  CHECK(client.out() == "rack-1/a: stopped\n");
  Process unknown(fleet.call({"cancel", "r9"}));
  for (auto* gateway : {&fleet.one, &fleet.two}) {
    gateway->command_to_all("cancel");
    gateway->answer(gateway->command_to_all("ping"), pong());
  }
  CHECK(unknown.wait() == 1);
  CHECK(unknown.err() == "dfota: no gateway that is online has what the command names\n");
}

TEST_CASE("pause: each tells its own; one that refuses makes it exit code 1") {
  Two fleet;
  Process client(fleet.call({"pause"}));
  fleet.one.answer_ok(fleet.one.command_to_all("pause"), {{"jobs", {"r3"}}});
  fleet.two.answer(fleet.two.command_to_all("pause"), refusal("job_ended"));
  CHECK(client.wait() == 1);
  CHECK(client.out() == "job rack-1/r3: paused\n");
  CHECK(client.err() == "dfota: rack-2: refused: job_ended: no\n");
}

TEST_CASE("update: a job of its own on each gateway, each followed to its own end") {
  Two fleet;
  Process client(fleet.call(kUpdate));
  const auto command = fleet.one.command_to_all("update");
  CHECK(ScriptedGateway::body(command) == Json{{"modules", "all"}, {"target", "B"}});
  fleet.one.answer_ok(command, {{"job", "job-1"}, {"run", 1}, {"modules", {"a"}}});
  fleet.one.result("job-1", "a", "succeeded", 1);  // it has ended before the other one answers
  fleet.one.state("job-1", "succeeded", {{"a", "succeeded"}});
  fleet.two.answer_ok(fleet.two.command_to_all("update"), {{"job", "job-2"}, {"run", 1}, {"modules", {"a", "b"}}});
  REQUIRE(client.wait_for_out("job rack-2/job-2: accepted, modules: 2\n"));
  REQUIRE(client.wait_for_out("job rack-1/job-1: succeeded\n"));
  fleet.two.result("job-2", "a", "succeeded", 1);  // the same seq on another gateway is another message
  fleet.two.result("job-2", "b", "failed", 2);
  fleet.two.state("job-2", "partial", {{"a", "succeeded"}, {"b", "failed"}});
  CHECK(client.wait() == 1);
  CHECK(has(client.out(), "rack-1/a: succeeded: A -> B\n"));
  CHECK(has(client.out(), "rack-2/a: succeeded: A -> B\n"));
  CHECK(has(client.out(), "rack-2/b: failed, version B\n"));
  CHECK(has(client.out(), "job rack-2/job-2: partial\n"));
}

TEST_CASE("update of modules that one gateway has; --no-wait and --dry-run") {
  Two fleet;
  Process client(fleet.call({"update", "--modules", "b", "--target", "B", "--no-wait"}));
  fleet.two.answer_ok(fleet.two.command_to_all("update"), {{"job", "j"}, {"run", 1}, {"modules", {"b"}}});
  for (auto* gateway : {&fleet.one, &fleet.two}) gateway->answer(gateway->command_to_all("ping"), pong());
  CHECK(client.wait() == 0);
  CHECK(client.out() == "job rack-2/j: accepted, modules: 1\n");
  Process dry(fleet.call({"update", "--modules", "all", "--target", "B", "--dry-run"}));
  fleet.one.command_to_all("update");  // that of the call before
  const auto planned = [](const std::string& module) -> Json {
    return {{"modules", {{{"module", module}, {"version", "A"}, {"target", "B"}, {"bytes", 1}}}}};
  };
  fleet.one.answer_ok(fleet.one.command_to_all("update"), planned("a"));
  fleet.two.answer_ok(fleet.two.command_to_all("update"), planned("b"));
  CHECK(dry.wait() == 0);
  CHECK(has(dry.out(), "rack-1/a"));
  CHECK(has(dry.out(), "rack-2/b"));
}

TEST_CASE("watch a job that two gateways have, over one that goes offline") {
  Two fleet;
  ScriptedGateway three(fleet.broker, "rack-3");
  three.online();
  fleet.one.state("r3", "running");
  fleet.two.state("r3", "succeeded", {{"a", "succeeded"}});
  Process client(fleet.call({"watch", "r3"}));
  REQUIRE(client.wait_for_out("job rack-2/r3: succeeded\n"));
  REQUIRE(client.wait_for_out("job rack-1/r3: running\n"));
  fleet.one.progress("r3", "a", "updating", 5);
  REQUIRE(client.wait_for_out("rack-1/a: updating\n"));
  fleet.one.say("status", "offline", true);
  REQUIRE(client.wait_for_out("gateway rack-1: offline; waiting for it\n"));
  fleet.one.online();
  fleet.one.result("r3", "a", "succeeded", 3);
  fleet.one.state("r3", "succeeded", {{"a", "succeeded"}});
  CHECK(client.wait() == 0);
  Process unknown(fleet.call({"watch", "r9"}));
  CHECK(unknown.wait() == 1);
  CHECK(unknown.err() == "dfota: no gateway that is online knows job r9\n");
}

TEST_CASE("watch a job of a gateway that is offline: told, and exit code 3") {
  Two fleet;
  fleet.one.state("r3", "succeeded", {{"a", "succeeded"}});
  fleet.two.state("r3", "running");
  fleet.two.say("status", "offline", true);
  Process client(fleet.call({"watch", "r3"}));
  CHECK(client.wait() == 3);
  CHECK(client.err() == "dfota: gateway rack-2 is offline, and is not waited for\n");
}

TEST_CASE("watch follows the jobs of all until it is interrupted") {
  Two fleet;
  fleet.one.state("old", "failed", {{"a", "failed"}});
  fleet.one.state("r3", "running");
  Process client(fleet.call({"watch"}));
  REQUIRE(client.wait_for_out("job rack-1/r3: running\n"));
  fleet.two.state("r4", "queued");
  fleet.two.progress("r4", "b", "updating", 5);
  REQUIRE(client.wait_for_out("r4 rack-2/b: updating\n"));
  fleet.one.state("r3", "succeeded", {{"a", "succeeded"}});
  fleet.two.state("r4", "succeeded", {{"b", "succeeded"}});
  REQUIRE(client.wait_for_out("job rack-2/r4: succeeded\n"));
  REQUIRE(client.wait_for_out("job rack-1/r3: succeeded\n"));
  client.signal(SIGINT);
  CHECK(client.wait() == 0);
  CHECK_FALSE(has(client.out(), "old"));
}

TEST_CASE("ping and scan over the fleet") {
  Two fleet;
  Process ping(fleet.call({"ping"}));
  for (auto* gateway : {&fleet.one, &fleet.two}) {
    gateway->answer_ok(gateway->command_to_all("ping"), {{"version", "1.2.3"}});
  }
  CHECK(ping.wait() == 0);
  CHECK(has(ping.out(), "rack-1: dfota-gateway 1.2.3"));
  CHECK(has(ping.out(), "rack-2: dfota-gateway 1.2.3"));

  fleet.two.say("module/b/status", "online", true);
  Process scan(fleet.call({"scan", "b"}));  // only its own gateway is asked
  fleet.two.answer_ok(fleet.two.command("scan"),
                      {{"modules", {{{"module", "b"}, {"online", true}, {"sim", "READY"}}}}});
  CHECK(scan.wait() == 0);
  CHECK(has(scan.out(), "rack-2/b  online"));
  Process unknown(fleet.call({"scan", "c"}));
  CHECK(unknown.wait() == 1);
  CHECK(unknown.err() == "dfota: no gateway has a module c\n");
}
