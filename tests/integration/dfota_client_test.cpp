// dfota, the program, against a real broker and a gateway that is played by the test.
#include <doctest/doctest.h>

#include <csignal>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/support/scripted_gateway.hpp"

using namespace dfota;
using namespace dfota::test;
using namespace std::chrono_literals;
using Json = nlohmann::json;

namespace {
const std::string kSha256(64, '0');

std::vector<std::string> update(const Broker& broker, std::vector<std::string> more = {}) {
  std::vector<std::string> words = {"update", "--modules", "a,b", "--url", "http://h/f", "--sha256",
                                    kSha256,  "--from",    "A",   "--to",  "B"};
  words.insert(words.end(), more.begin(), more.end());
  return dfota_call(broker, words);
}

const Json kAccepted = {
    {"status", "ok"}, {"data", {{"job", "r3"}, {"modules", {"a", "b"}}}}, {"warnings", Json::array()}};

/// `argv` with a terminal of so many columns and rows as its output.
std::vector<std::string> on_terminal(const std::vector<std::string>& argv, int width, int height) {
  std::string command = "stty cols " + std::to_string(width) + " rows " + std::to_string(height) + "; exec";
  for (const auto& word : argv) command += " '" + word + "'";
  return {"script", "-qec", command, "/dev/null"};
}
}  // namespace

TEST_CASE("update: the command, its answer, plain lines, and exit code 0") {
  Broker broker;
  ScriptedGateway gateway(broker);
  gateway.online();
  Process client(update(broker, {"--attempts", "2"}));
  const auto command = gateway.command();
  CHECK(command.qos == 1);
  CHECK_FALSE(command.retained);
  CHECK(command.response_topic.value().starts_with("dfota/v1/client/"));
  CHECK_FALSE(command.correlation_data.value().empty());
  CHECK(ScriptedGateway::body(command) == Json{{"modules", {"a", "b"}},
                                               {"artifact", {{"url", "http://h/f"}, {"sha256", kSha256}}},
                                               {"from", "A"},
                                               {"to", "B"},
                                               {"attempts", 2}});

  gateway.state("r3", "queued");  // before the answer
  gateway.answer(command, kAccepted);
  REQUIRE(client.wait_for_out("job r3: accepted, modules: 2\n"));
  gateway.state("r3", "running");
  gateway.progress("r3", "a", "downloading", 10);
  gateway.progress("r3", "a", "downloading", 50);
  gateway.progress("other", "c", "downloading", 50);
  gateway.progress("r3", "a", "updating", 1);
  gateway.result("r3", "a", "succeeded", 1);
  gateway.result("r3", "b", "skipped", 2);
  gateway.state("r3", "succeeded", {{"a", "succeeded"}, {"b", "skipped"}});
  CHECK(client.wait() == 0);
  CHECK(client.out() ==
        "job r3: accepted, modules: 2\njob r3: queued\njob r3: running\na: downloading\na: updating\n"
        "a: succeeded: A -> B\nb: skipped: A -> B\njob r3: succeeded\n");
  CHECK(client.err().empty());
}

TEST_CASE("update: one module that fails makes it exit code 1, with the error told") {
  Broker broker;
  ScriptedGateway gateway(broker);
  Process client(update(broker));
  gateway.answer(gateway.command(), kAccepted);
  REQUIRE(client.wait_for_out("accepted"));
  gateway.say("module/a/error/7xx/703", {{"seq", 1},
                                         {"job", "r3"},
                                         {"run", 1},
                                         {"attempt", 1},
                                         {"code", 703},
                                         {"class", "7xx"},
                                         {"source", "update"},
                                         {"meaning", "bad\x1b[31m"},
                                         {"hint", "look"}});
  gateway.result("r3", "a", "failed", 2);
  gateway.result("r3", "b", "succeeded", 3);
  gateway.state("r3", "partial", {{"a", "failed"}, {"b", "succeeded"}});
  CHECK(client.wait() == 1);
  CHECK(client.out().find("a: error 703 (update): bad?[31m; look\n") != std::string::npos);
  CHECK(client.out().find("a: failed, version B\n") != std::string::npos);
  CHECK(client.out().find('\x1b') == std::string::npos);
}

TEST_CASE("update: a refused command") {
  Broker broker;
  ScriptedGateway gateway(broker);
  Process client(update(broker));
  gateway.answer(
      gateway.command(),
      {{"status", "error"}, {"error", {{"code", "unknown_module"}, {"message", "no b"}, {"pointer", "/modules/1"}}}});
  CHECK(client.wait() == 1);
  CHECK(client.out().empty());
  CHECK(client.err() == "dfota: refused: unknown_module: no b (/modules/1)\n");
}

TEST_CASE("update --no-wait ends with the answer") {
  Broker broker;
  ScriptedGateway gateway(broker);
  Process client(update(broker, {"--no-wait"}));
  gateway.answer(gateway.command(), kAccepted);
  CHECK(client.wait() == 0);
}

TEST_CASE("somebody else's answer is not taken") {
  Broker broker;
  ScriptedGateway gateway(broker);
  Process client(update(broker));
  const auto command = gateway.command();
  auto wrong = command;
  wrong.correlation_data = "another";
  gateway.answer(wrong, {{"status", "error"}, {"error", {{"code", "forged"}}}});
  gateway.answer(command, kAccepted);
  REQUIRE(client.wait_for_out("accepted"));
  gateway.state("r3", "succeeded", {{"a", "succeeded"}});
  CHECK(client.wait() == 0);
}

TEST_CASE("no answer is exit code 3, and says which part is missing") {
  Broker broker({.persistence = false, .extra = {}, .start = false});
  const auto say = [&](const std::vector<std::string>& more) {
    auto argv = dfota_call(broker, more);
    argv.insert(argv.end(), {"--timeout", "1"});
    argv.erase(argv.begin() + 5, argv.begin() + 7);
    Process client(argv);
    CHECK(client.wait() == 3);
    return client.err();
  };
  const std::vector<std::string> watch = {"watch", "r3"},
                                 update_call = {"update", "--modules", "all", "--url", "http://h/f", "--sha256",
                                                kSha256,  "--from",    "A",   "--to",  "B"};
  CHECK(say(watch).starts_with("dfota: the broker at " + broker.uri() + " does not answer: "));
  broker.start();
  CHECK(say(watch).find("has no status on dfota/v1/rack-1/status") != std::string::npos);
  ScriptedGateway gateway(broker);
  gateway.say("status", "offline", true);
  CHECK(say(watch) == "dfota: the broker answers, but gateway rack-1 is offline\n");
  CHECK(say(update_call) == "dfota: the broker answers, but gateway rack-1 is offline\n");
  gateway.online();
  CHECK(say(update_call) == "dfota: gateway rack-1 is online, but did not answer in time\n");
}

TEST_CASE("watch a job that nobody knows") {
  Broker broker;
  ScriptedGateway gateway(broker);
  gateway.online();
  Process client(dfota_call(broker, {"watch", "r3"}));
  CHECK(client.wait() == 1);
  CHECK(client.err() == "dfota: gateway rack-1 knows no job r3\n");
}

TEST_CASE("watch a job that has ended, and one that goes on") {
  Broker broker;
  ScriptedGateway gateway(broker);
  gateway.state("done", "succeeded", {{"a", "succeeded"}});
  gateway.state("bad", "rejected", {{"a", "rejected"}});
  gateway.state("r3", "running");
  gateway.online();
  Process done(dfota_call(broker, {"watch", "done"}));
  CHECK(done.wait() == 0);
  CHECK(done.out() == "a: succeeded\njob done: succeeded\n");
  Process bad(dfota_call(broker, {"watch", "bad"}));
  CHECK(bad.wait() == 1);

  Process going(dfota_call(broker, {"watch", "r3"}));
  REQUIRE(going.wait_for_out("job r3: running\n"));
  gateway.progress("r3", "a", "updating", 5);
  REQUIRE(going.wait_for_out("a: updating\n"));
  gateway.say("status", "offline", true);
  REQUIRE(going.wait_for_out("gateway rack-1: offline; waiting for it\n"));
  gateway.online();
  gateway.result("r3", "a", "succeeded", 9);
  gateway.state("r3", "succeeded", {{"a", "succeeded"}});
  CHECK(going.wait() == 0);
}

TEST_CASE("a broker that restarts in between loses no outcome") {
  Broker broker({.persistence = true, .extra = {}, .start = true});
  ScriptedGateway gateway(broker);
  gateway.state("r3", "running");
  gateway.online();
  Process client(dfota_call(broker, {"watch", "r3"}));
  REQUIRE(client.wait_for_out("job r3: running\n"));
  gateway.progress("r3", "a", "updating", 5);
  REQUIRE(client.wait_for_out("a: updating\n"));
  broker.restart();
  gateway.result("r3", "a", "failed", 9);
  gateway.state("r3", "failed", {{"a", "failed"}});
  CHECK(client.wait() == 1);
  CHECK(client.out().find("a: failed") != std::string::npos);
}

TEST_CASE("watch without a job follows all of them until it is interrupted") {
  Broker broker;
  ScriptedGateway gateway(broker);
  gateway.state("old", "failed", {{"a", "failed"}});
  gateway.state("r3", "running");
  gateway.online();
  Process client(dfota_call(broker, {"watch"}));
  REQUIRE(client.wait_for_out("job r3: running\n"));
  gateway.state("r4", "queued");
  gateway.progress("r4", "b", "updating", 5);
  REQUIRE(client.wait_for_out("r4 b: updating\n"));
  gateway.state("r3", "succeeded", {{"a", "succeeded"}});
  gateway.state("r4", "succeeded", {{"b", "succeeded"}});
  REQUIRE(client.wait_for_out("job r4: succeeded\n"));
  client.signal(SIGINT);
  CHECK(client.wait() == 0);
  CHECK(client.out().find("old") == std::string::npos);
}

TEST_CASE("--json: one line of JSON for each message, and nothing else") {
  Broker broker;
  ScriptedGateway gateway(broker);
  gateway.online();
  Process client(update(broker, {"--json"}));
  gateway.answer(gateway.command(), kAccepted);
  REQUIRE(client.wait_for_out("\"status\":\"ok\""));
  gateway.progress("r3", "a", "updating", 5);
  gateway.progress("other", "c", "updating", 5);
  gateway.result("r3", "a", "failed", 1);
  gateway.state("r3", "failed", {{"a", "failed"}});
  CHECK(client.wait() == 1);
  std::istringstream lines(client.out());
  std::vector<std::string> topics;
  for (std::string line; std::getline(lines, line);) {
    const auto json = Json::parse(line);
    topics.push_back(json.at("topic").get<std::string>());
    CHECK(json.contains("payload"));
    CHECK(json.at("retained").is_boolean());
  }
  CHECK(topics.size() == 5);
  CHECK(topics.front() == ScriptedGateway::kBase + "/status");
  CHECK(topics.back() == ScriptedGateway::kBase + "/job/r3/state");
}

TEST_CASE("update: a job that is paused goes on, and one that is canceled ends") {
  Broker broker;
  ScriptedGateway gateway(broker);
  Process client(update(broker, {"--canary", "1", "--window", "22:00-05:00", "--absent", "wait"}));
  const auto command = gateway.command();
  const auto body = ScriptedGateway::body(command);
  CHECK(body.at("canary") == 1);
  CHECK(body.at("window") == Json{{"start", "22:00"}, {"end", "05:00"}});
  CHECK(body.at("absent") == "wait");
  gateway.answer(command, kAccepted);
  REQUIRE(client.wait_for_out("accepted"));
  gateway.state("r3", "paused");
  REQUIRE(client.wait_for_out("job r3: paused\n"));
  gateway.state("r3", "running");
  gateway.result("r3", "a", "failed", 1);
  gateway.say("module/b/result", {{"seq", 2},
                                  {"job", "r3"},
                                  {"run", 1},
                                  {"outcome", "canceled"},
                                  {"error", {{"code", "canary_failed"}, {"message", "a failed"}}}});
  gateway.state("r3", "failed", {{"a", "failed"}, {"b", "canceled"}});
  CHECK(client.wait() == 1);
  CHECK(client.out() ==
        "job r3: accepted, modules: 2\njob r3: paused\njob r3: running\na: failed, version B\n"
        "b: canceled: canary_failed: a failed\njob r3: failed\n");
}

TEST_CASE("update: a job that was canceled, one that was canceled in part, and one that was forgotten") {
  Broker broker;
  ScriptedGateway gateway(broker);
  for (const std::string state : {"canceled", "partial"}) {
    Process client(update(broker, {"--job", state}));
    gateway.answer(gateway.command(), {{"status", "ok"}, {"data", {{"job", state}, {"run", 1}}}});
    gateway.state(state, state, {{"a", state == "partial" ? "succeeded" : "canceled"}, {"b", "canceled"}});
    CHECK(client.wait() == 1);
    CHECK(client.out().ends_with("b: canceled\njob " + state + ": " + state + "\n"));
  }
  const auto again = [&](const std::string& state) {
    Process client(update(broker, {"--job", "old"}));
    gateway.answer_ok(gateway.command(), {{"job", "old"}, {"run", 1}, {"state", state}, {"forgotten", true}});
    const auto code = client.wait();
    CHECK(client.err() == "dfota: job old has ended before (" + state + ") and was forgotten; nothing runs\n");
    return code;
  };
  CHECK(again("succeeded") == 0);
  CHECK(again("partial") == 1);
}

TEST_CASE("bars on a terminal, in place, and the lines that stay") {
  Broker broker;
  ScriptedGateway gateway(broker);
  gateway.state("r3", "running");
  gateway.online();
  Process client(on_terminal(dfota_call(broker, {"watch", "r3"}), 100, 30), {{"TERM", "xterm"}});
  REQUIRE(client.wait_for_out("job r3: running"));
  gateway.progress("r3", "a", "downloading", 50);
  REQUIRE(client.wait_for_out("] "));
  CHECK(client.out().find("[####################--------------------]  50 %") != std::string::npos);
  gateway.result("r3", "a", "succeeded", 1);
  gateway.state("r3", "succeeded", {{"a", "succeeded"}});
  CHECK(client.wait() == 0);
  const std::string out = client.out();
  CHECK(out.find("\x1b[2A\x1b[K\r\n\x1b[K") != std::string::npos);
  CHECK(out.find("a: downloading") == std::string::npos);
  CHECK(out.find("a: succeeded: A -> B") != std::string::npos);
}
