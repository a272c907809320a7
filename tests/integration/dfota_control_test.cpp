// The verbs of dfota that steer and list jobs, the program against a real broker and a gateway that is played by the
// test.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/support/scripted_gateway.hpp"

using namespace dfota;
using namespace dfota::test;
using Json = nlohmann::json;
using Texts = std::vector<std::string>;

namespace {
Json refusal(const std::string& code, const std::string& message) {
  return {{"status", "error"}, {"error", {{"code", code}, {"message", message}, {"pointer", ""}}}};
}

Json job_row(const std::string& job, int run, const std::string& state, const Json& modules) {
  return {{"job", job},
          {"run", run},
          {"state", state},
          {"counts", {{state, modules.size()}}},
          {"from", "V1"},
          {"to", "V2"},
          {"delivery", "http"},
          {"accepted_at", "2026-03-01T00:00:00.000Z"},
          {"expires_at", nullptr},
          {"modules", modules}};
}

Json module_row(const std::string& module, const std::string& phase, const Json& job) {
  return {{"module", module}, {"status", "online"},     {"phase", phase},    {"version", "V1"},
          {"job", job},       {"last_result", nullptr}, {"problem", nullptr}};
}

/// Vectors: a list of one in braces would be taken for its only element.
Json page(const std::vector<Json>& jobs, const std::vector<Json>& modules, const Json& next) {
  return {{"jobs", jobs}, {"modules", modules}, {"seq", 9}, {"next", next}};
}

/// Three pages: r3 goes on on the second one, the modules begin there.
void answer_three_pages(ScriptedGateway& gateway) {
  const auto first = gateway.command("list");
  CHECK(ScriptedGateway::body(first) == Json::object());
  gateway.answer_ok(first, page({job_row("r2", 1, "succeeded", {{"a", "succeeded"}}),
                                 job_row("r3", 2, "running", {{"a", "running"}, {"b", "queued"}})},
                                {}, "job/r3/2"));
  const auto second = gateway.command("list");
  CHECK(ScriptedGateway::body(second) == Json{{"after", "job/r3/2"}});
  gateway.answer_ok(
      second, page({job_row("r3", 2, "running", {{"c", "queued"}})}, {module_row("a", "updating", "r3")}, "module/a"));
}

void answer_last_page(ScriptedGateway& gateway) {
  const auto third = gateway.command("list");
  CHECK(ScriptedGateway::body(third) == Json{{"after", "module/a"}});
  gateway.answer_ok(third, page({}, {module_row("b", "idle", nullptr)}, nullptr));
}

std::vector<Json> documents(const std::string& out) {
  std::vector<Json> result;
  std::istringstream lines(out);
  for (std::string line; std::getline(lines, line);) result.push_back(Json::parse(line));
  return result;
}
}  // namespace

TEST_CASE("jobs: a table of all pages") {
  Broker broker;
  ScriptedGateway gateway(broker);
  Process client(dfota_call(broker, {"jobs"}));
  answer_three_pages(gateway);
  CHECK(client.wait() == 0);
  CHECK(client.out() ==
        "job  run  state      modules      from -> to\n"
        "r2   1    succeeded  1 succeeded  V1 -> V2\n"
        "r3   2    running    1 running    V1 -> V2\n");
  CHECK(client.err().empty());
}

TEST_CASE("jobs --json: one document a job, its modules of all pages in it") {
  Broker broker;
  ScriptedGateway gateway(broker);
  gateway.online();
  Process client(dfota_call(broker, {"jobs", "--json"}));
  answer_three_pages(gateway);
  CHECK(client.wait() == 0);
  const auto jobs = documents(client.out());
  REQUIRE(jobs.size() == 2);
  CHECK(jobs[0] == job_row("r2", 1, "succeeded", {{"a", "succeeded"}}));
  CHECK(jobs[1].at("job") == "r3");
  CHECK(jobs[1].at("delivery") == "http");
  CHECK(jobs[1].at("modules") == Json{{"a", "running"}, {"b", "queued"}, {"c", "queued"}});
}

TEST_CASE("modules: a table, and one document a module") {
  Broker broker;
  ScriptedGateway gateway(broker);
  Process table(dfota_call(broker, {"modules"}));
  answer_three_pages(gateway);
  answer_last_page(gateway);
  CHECK(table.wait() == 0);
  CHECK(table.out() ==
        "module  status  phase     version  job  last result  problem\n"
        "a       online  updating  V1       r3   -            -\n"
        "b       online  idle      V1       -    -            -\n");
  Process json(dfota_call(broker, {"modules", "--json"}));
  answer_three_pages(gateway);
  answer_last_page(gateway);
  CHECK(json.wait() == 0);
  CHECK(documents(json.out()) ==
        std::vector<Json>{module_row("a", "updating", "r3"), module_row("b", "idle", nullptr)});
}

TEST_CASE("pages that go in a circle are not followed") {
  Broker broker;
  ScriptedGateway gateway(broker);
  Process client(dfota_call(broker, {"jobs"}));
  gateway.answer_ok(gateway.command("list"), page({}, {}, "job/r3/2"));
  gateway.answer_ok(gateway.command("list"), page({}, {}, "job/r3/2"));
  CHECK(client.wait() == 3);
  CHECK(client.err() == "dfota: the gateway's pages do not end\n");
}

TEST_CASE("cancel a job: what becomes of each module, nothing of it for the terminal to obey") {
  Broker broker;
  ScriptedGateway gateway(broker);
  Process client(dfota_call(broker, {"cancel", "r3"}));
  const auto command = gateway.command("cancel");
  CHECK(command.qos == 1);
  CHECK_FALSE(command.retained);
  CHECK(ScriptedGateway::body(command) == Json{{"job", "r3"}});
  gateway.answer_ok(command, {{"stopped", {"a", "e\x1b[2J"}}, {"stopping", {"b"}}, {"will_end", {"c"}}},
                    {"clock_untrusted: x\x1b]0;y"});
  CHECK(client.wait() == 0);
  CHECK(client.out() ==
        "a: stopped\ne?[2J: stopped\nb: stopping, no command is sent\n"
        "c: has been commanded and cannot be cut; it ends by itself\n");
  CHECK(client.err() == "dfota: warning: clock_untrusted: x?]0;y\n");
}

TEST_CASE("cancel, forget, pause and resume: what is asked, and what is said") {
  struct Row {
    Texts line;
    Json body, data;
    std::string out;
  };
  const Json none = Json::array();
  for (const Row& row :
       std::vector<Row>{{{"cancel", "--module", "a"},
                         {{"module", "a"}},
                         {{"stopped", {"r3"}}, {"stopping", none}, {"will_end", none}},
                         "job r3: stopped\n"},
                        {{"forget", "r3"}, {{"job", "r3"}}, {{"job", "r3"}}, "job r3: forgotten\n"},
                        {{"forget", "--module", "a"}, {{"module", "a"}}, {{"module", "a"}}, "module a: forgotten\n"},
                        {{"pause", "r3"}, {{"job", "r3"}}, {{"jobs", {"r3"}}}, "job r3: paused\n"},
                        {{"pause"}, Json::object(), {{"jobs", {"r3", "r4"}}}, "job r3: paused\njob r4: paused\n"},
                        {{"resume"}, Json::object(), {{"jobs", none}}, "no job was resumed\n"}}) {
    CAPTURE(row.out);
    Broker broker;
    ScriptedGateway gateway(broker);
    Process client(dfota_call(broker, row.line));
    const auto command = gateway.command(row.line[0]);
    CHECK(ScriptedGateway::body(command) == row.body);
    gateway.answer_ok(command, row.data);
    CHECK(client.wait() == 0);
    CHECK(client.out() == row.out);
  }
}

TEST_CASE("what the gateway refuses is exit code 1") {
  Broker broker;
  ScriptedGateway gateway(broker);
  for (const Texts& line : std::vector<Texts>{{"cancel", "r3"},
                                              {"retry", "r3", "--run", "1"},
                                              {"pause", "r3"},
                                              {"resume", "r3"},
                                              {"forget", "r3"},
                                              {"replay", "--after", "5"}}) {
    CAPTURE(line[0]);
    Process client(dfota_call(broker, line));
    gateway.answer(gateway.command(line[0]), refusal("unknown_job", "there is no job r3"));
    CHECK(client.wait() == 1);
    CHECK(client.out().empty());
    CHECK(client.err() == "dfota: refused: unknown_job: there is no job r3\n");
  }
}

TEST_CASE("--json: the reply as it came, and nothing else") {
  Broker broker;
  ScriptedGateway gateway(broker);
  gateway.online();
  Process client(dfota_call(broker, {"cancel", "r3", "--json"}));
  const auto command = gateway.command("cancel");
  gateway.answer_ok(command, {{"stopped", {"a"}}});
  CHECK(client.wait() == 0);
  const auto lines = documents(client.out());
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].at("topic") == command.response_topic.value());
  CHECK(lines[0].at("payload").at("data") == Json{{"stopped", {"a"}}});
  Process refused(dfota_call(broker, {"pause", "r3", "--json"}));
  gateway.answer(gateway.command("pause"), refusal("job_ended", "r3 has ended"));
  CHECK(refused.wait() == 1);
  CHECK(documents(refused.out()).at(0).at("payload").at("error").at("code") == "job_ended");
}

TEST_CASE("an answer that is none, and no answer, are exit code 3") {
  Broker broker;
  ScriptedGateway gateway(broker);
  gateway.online();
  Process nonsense(dfota_call(broker, {"jobs"}));
  gateway.answer(gateway.command("list"), Json::array());
  CHECK(nonsense.wait() == 3);
  CHECK(nonsense.err() == "dfota: the gateway's answer is not a JSON object\n");
  auto argv = dfota_call(broker, {"pause"});
  argv.at(6) = "1";  // --timeout
  Process unanswered(argv);
  CHECK(unanswered.wait() == 3);
  CHECK(unanswered.err() == "dfota: gateway rack-1 is online, but did not answer in time\n");
}

TEST_CASE("an answer that comes twice answers one question") {
  Broker broker;
  ScriptedGateway gateway(broker);
  Process client(dfota_call(broker, {"jobs"}));
  const auto first = gateway.command("list");
  const auto one = page({job_row("r2", 1, "failed", {{"a", "failed"}})}, {}, "job/r3/2");
  gateway.answer_ok(first, one);
  const auto second = gateway.command("list");
  gateway.answer_ok(first, one);
  gateway.answer_ok(second, page({job_row("r3", 1, "failed", {{"a", "failed"}})}, {}, nullptr));
  CHECK(client.wait() == 0);
  CHECK(client.out().find("r2") == client.out().rfind("r2"));
  CHECK(client.out().find("r3") != std::string::npos);
}

TEST_CASE("retry: the newest run is looked up, and the next one is followed to its own end") {
  Broker broker;
  ScriptedGateway gateway(broker);
  gateway.state("r3", "partial", {{"a", "succeeded"}, {"b", "failed"}}, 2);  // of the run before
  gateway.online();
  Process client(dfota_call(broker, {"retry", "r3"}));
  gateway.answer_ok(gateway.command("list"), page({job_row("r2", 7, "failed", {{"a", "failed"}})}, {}, "job/r3/2"));
  gateway.answer_ok(gateway.command("list"), page({job_row("r3", 2, "partial", {{"b", "failed"}})}, {}, "module/a"));
  const auto command = gateway.command("retry");
  CHECK(ScriptedGateway::body(command) == Json{{"job", "r3"}, {"run", 2}});
  gateway.answer_ok(command, {{"job", "r3"}, {"run", 3}, {"state", "queued"}, {"modules", {"b"}}});
  REQUIRE(client.wait_for_out("job r3: accepted, run 3, modules: 1\n"));
  gateway.state("r3", "running", nullptr, 3);
  gateway.result("r3", "b", "failed", 4, 2);  // late, of the run before
  gateway.result("r3", "b", "succeeded", 5, 3);
  gateway.state("r3", "succeeded", {{"b", "succeeded"}}, 3);
  CHECK(client.wait() == 0);
  CHECK(client.out() ==
        "job r3: accepted, run 3, modules: 1\njob r3: running\nb: succeeded: A -> B\njob r3: succeeded\n");
}

TEST_CASE("retry of a run by its number, --no-wait, and of a job that is not there") {
  Broker broker;
  ScriptedGateway gateway(broker);
  Process numbered(dfota_call(broker, {"retry", "r3", "--run", "1", "--no-wait"}));
  const auto command = gateway.command("retry");
  CHECK(ScriptedGateway::body(command) == Json{{"job", "r3"}, {"run", 1}});
  gateway.answer_ok(command, {{"job", "r3"}, {"run", 2}, {"state", "queued"}, {"modules", {"b"}}});
  CHECK(numbered.wait() == 0);
  Process unknown(dfota_call(broker, {"retry", "r9"}));
  answer_three_pages(gateway);
  CHECK(unknown.wait() == 1);
  CHECK(unknown.err() == "dfota: gateway rack-1 knows no job r9\n");
}

TEST_CASE("replay: page after page, and how many they were") {
  Broker broker;
  ScriptedGateway gateway(broker);
  Process client(dfota_call(broker, {"replay", "--after", "5"}));
  const auto first = gateway.command("replay");
  CHECK(ScriptedGateway::body(first) == Json{{"after", 5}});
  gateway.answer_ok(first, {{"count", 1000}, {"next", 1005}});
  const auto second = gateway.command("replay");
  CHECK(ScriptedGateway::body(second) == Json{{"after", 1005}});
  gateway.answer_ok(second, {{"count", 7}, {"next", nullptr}});
  CHECK(client.wait() == 0);
  CHECK(client.out() == "1007 messages published again\n");
}
