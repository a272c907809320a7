#include "gateway/ctl/messages.hpp"

#include <doctest/doctest.h>

using namespace dfota::ctl;

namespace {
const std::string kBase = "dfota/v1/rack-1";

Message parse(const std::string& below, const std::string& payload) {
  return parse_message(kBase, kBase + "/" + below, payload);
}
}  // namespace

TEST_CASE("the status is a word") {
  CHECK(std::get<GatewayStatus>(parse("status", "online")).online);
  CHECK_FALSE(std::get<GatewayStatus>(parse("status", "offline")).online);
}

TEST_CASE("progress, with what is unknown left out") {
  const auto message = parse("module/uc20-a/progress",
                             R"({"ts":"2026-01-01T00:00:00.000Z","job":"r3","run":2,"module":"lies","attempt":3,
                                 "phase":"downloading","percent":12.5,"overall_percent":6,"bytes":125,"total_bytes":1000,
                                 "bytes_per_second":null,"eta_s":null,"hop":1,"hops":2})");
  const auto& progress = std::get<Progress>(message);
  CHECK(progress.module == "uc20-a");  // the topic is what the gateway's ACL guards
  CHECK(progress.job == "r3");
  CHECK(progress.run == 2);
  CHECK(progress.attempt == 3);
  CHECK(progress.phase == "downloading");
  CHECK(progress.percent == 12.5);
  CHECK(progress.total_bytes == 1000);
  CHECK_FALSE(progress.bytes_per_second);
  CHECK(progress.hops == 2);
}

TEST_CASE("a result, with its error as an object, as text and as nothing") {
  const std::string head =
      R"({"seq":7,"job":"r3","run":1,"outcome":"failed","from":"A","to":"B","version":"A","attempts":3,
                               "duration_s":61.5,"warnings":["one",{"code":"two","message":"more"}],"error":)";
  const auto with_object =
      std::get<ModuleResult>(parse("module/m/result", head + R"({"code":701,"meaning":"flash"}})"));
  CHECK(with_object.error == "701: flash");
  CHECK(with_object.outcome == "failed");
  CHECK(with_object.seq == 7);
  CHECK(with_object.duration_s == 61.5);
  CHECK(with_object.warnings == std::vector<std::string>{"one", "two: more"});
  CHECK(std::get<ModuleResult>(parse("module/m/result", head + R"("base_mismatch"})")).error == "base_mismatch");
  CHECK(std::get<ModuleResult>(parse("module/m/result", head + "null}")).error.empty());
}

TEST_CASE("an error, its code a number or a word") {
  const auto number = std::get<ModuleError>(
      parse("module/m/error/7xx/701",
            R"({"job":"r3","code":701,"class":"7xx","source":"update","meaning":"x","message":"z","hint":"y"})"));
  CHECK(number.code == "701");
  CHECK(number.source == "update");
  CHECK(number.message == "z");
  const auto word = std::get<ModuleError>(parse("module/m/error/gateway/absent", R"({"job":"r3","code":"absent"})"));
  CHECK(word.code == "absent");
}

TEST_CASE("a job's state") {
  const auto state = std::get<JobState>(
      parse("job/r3/state", R"({"job":"r3","run":1,"state":"partial","counts":{"succeeded":1,"failed":1,"x":"y"},
                                "modules":{"a":"succeeded","b":"failed","c":5}})"));
  CHECK(state.job == "r3");
  CHECK(state.state == "partial");
  CHECK(state.counts == std::map<std::string, std::int64_t>{{"succeeded", 1}, {"failed", 1}});
  CHECK(state.modules == std::map<std::string, std::string>{{"a", "succeeded"}, {"b", "failed"}});
}

TEST_CASE("what is not for us, or not what the contract says, is nothing") {
  for (const auto& [topic, payload] : std::vector<std::pair<std::string, std::string>>{
           {"module/m/state", "{}"},
           {"module/m/progress", ""},
           {"module/m/progress", "not json"},
           {"module/m/progress", "[]"},
           {"module/m/progress", "{\"a\":1"},
           {"module/m/progress/more", "{}"},
           {"job/r3", "{}"},
           {"info", "{}"},
           {"module/m/progress", std::string(100, '[') + std::string(100, ']')},
           {"module/m/progress", "{\"a\":" + std::string(50000, '[') + std::string(50000, ']') + "}"},
           {"module/m/progress", "{\"a\":\"" + std::string(1024 * 1024, 'x') + "\"}"}}) {
    CAPTURE(topic);
    CHECK(parse(topic, payload).index() == 0);
  }
  CHECK(parse_message(kBase, "dfota/v1/rack-12/status", "online").index() == 0);
  CHECK(parse_message(kBase, "elsewhere", "online").index() == 0);
}

TEST_CASE("fields of the wrong type are left out") {
  const auto progress = std::get<Progress>(
      parse("module/m/progress",
            R"({"job":5,"run":"x","phase":["a"],"percent":"50","bytes":-1,"eta_s":"soon","attempt":1.5})"));
  CHECK(progress.job == "5");
  CHECK(progress.run == 1);
  CHECK(progress.phase.empty());
  CHECK_FALSE(progress.percent);
  CHECK_FALSE(progress.bytes);
  CHECK_FALSE(progress.eta_s);
  CHECK(progress.attempt == 1);
}

TEST_CASE("a line of JSON is one line of ASCII, whatever came") {
  CHECK(json_line("t", R"({"b":[1,2]})", true) == R"({"payload":{"b":[1,2]},"retained":true,"topic":"t"})");
  CHECK(json_line("t", "online", false) == R"({"payload":"online","retained":false,"topic":"t"})");
  const auto nasty = json_line("t\n\x1b", "{\"a\":\"\\u009b\xc2\x9b\xff\n\"}", false);
  for (const char c : nasty) CHECK((c >= 0x20 && c < 0x7f));
}
