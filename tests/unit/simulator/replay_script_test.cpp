// A transcript as the rack reads it: what is understood, and what is refused, by line.
#include "modem/simulator/replay_script.hpp"

#include <doctest/doctest.h>

#include <filesystem>

using namespace dfota;
using namespace dfota::sim;

namespace {

const std::string kHead =
    R"({"transcript":1,"gateway":"g","module":"m","imei":"861850030000031","model":"UC20","job":"j","run":1,)"
    R"("from":"A","to":"B","delivery":"http","started_at":"2026-11-23T12:00:00.000Z"})"
    "\n";

ReplayScript read(const std::string& events) {
  auto script = parse_replay(kHead + events, "x.jsonl");
  REQUIRE_MESSAGE(script.ok(), script.error().message);
  return *script;
}

std::string fault_of(const std::string& text) {
  const auto script = parse_replay(text, "x.jsonl");
  REQUIRE_FALSE(script.ok());
  CHECK(script.error().code == Errc::invalid);
  return script.error().message;
}

}  // namespace

TEST_CASE("every event of version 1") {
  const auto script = read(R"({"t":0,"open":"/dev/ttyUSB2"}
{"t":0.5,"attempt":1}
{"t":0.5,"step":"preparing"}
{"t":1.25,"cmd":"AT+GSN"}
{"t":1.5,"line":"861850030000031"}
{"t":1.5,"final":"OK"}
{"t":2,"urc":"+QIND: \"FOTA\",\"HTTPSTART\""}
{"t":2,"noise":"^boot"}
{"t":3,"file":{"size":65536,"delivered":4096,"released":true}}
{"t":3,"data":512}
{"t":4,"closed":"the port hung up"}
{"t":5,"open":"/dev/ttyUSB3"}
{"t":6,"hop":2}
{"t":7,"error":{"code":716,"name":"http_socket_connect_error"}}
{"t":7,"dropped":12}
{"t":8,"outcome":"failed"}
{"t":9,"cmd":"behind the outcome nothing is read"}
)");
  using Kind = ReplayEvent::Kind;
  REQUIRE(script.events.size() == 15);
  CHECK(script.from == "A");
  CHECK(script.to == "B");
  CHECK(script.outcome == "failed");
  CHECK(script.events[3].kind == Kind::command);
  CHECK(script.events[3].t == 1.25);
  CHECK(script.events[3].text == "AT+GSN");
  CHECK(script.events[8].kind == Kind::file);
  CHECK(script.events[8].size == 65536);
  CHECK(script.events[8].bytes == 4096);
  CHECK(script.events[8].released);
  CHECK(script.events[9].bytes == 512);
  CHECK(script.events[10].kind == Kind::closed);
  CHECK(script.events[11].kind == Kind::open);
  CHECK(script.events[13].text == "716");
  REQUIRE(script.notes.size() == 1);
  CHECK(script.notes[0].find("12 events are missing") != std::string::npos);
}

TEST_CASE("a port that the gateway closed did not go") {
  const auto script = read(R"({"t":0,"open":"/dev/ttyUSB2"}
{"t":1,"closed":"the gateway ended"}
{"t":2,"open":"/dev/ttyUSB2"}
{"t":3,"closed":"by the gateway"}
{"t":4,"open":"/dev/ttyUSB2"}
)");
  for (const auto& event : script.events) CHECK(event.kind == ReplayEvent::Kind::step);
}

TEST_CASE("what is no transcript is refused by file and line") {
  CHECK(fault_of("").starts_with("x.jsonl:1: no transcript"));
  CHECK(fault_of("DFOTA-RACK-DELTA 1\n").starts_with("x.jsonl:1: no transcript"));
  CHECK(fault_of("{\"event\":\"rack_ready\"}\n").starts_with("x.jsonl:1: no transcript"));
  CHECK(fault_of("{\"transcript\":2}\n").starts_with("x.jsonl:1: a transcript of version 2"));
  CHECK(fault_of("{\"transcript\":\"1\"}\n").starts_with("x.jsonl:1: a transcript of version \"1\""));
  CHECK(fault_of(kHead + "{\"t\":0,\"dance\":1}\n")
            .starts_with("x.jsonl:2: an event that is not understood: {\"dance\""));
  CHECK(fault_of(kHead + "{\"t\":0,\"cmd\":1}\n").starts_with("x.jsonl:2: an event that is not understood"));
  CHECK(fault_of(kHead + "{\"t\":0,\"data\":-1}\n").starts_with("x.jsonl:2: an event that is not understood"));
  CHECK(fault_of(kHead + "{\"t\":0,\"file\":{\"size\":1,\"delivered\":2}}\n").starts_with("x.jsonl:2: an event"));
  CHECK(fault_of(kHead + "{\"t\":0,\"cmd\":\"AT\",\"final\":\"OK\"}\n").starts_with("x.jsonl:2: no event: it is both"));
  CHECK(read("{\"t\":0,\"cmd\":\"AT\",\"of a later version\":1}\n").events.size() == 1);
  CHECK(fault_of(kHead + "{\"cmd\":\"AT\"}\n").starts_with("x.jsonl:2: no event"));
  CHECK(fault_of(kHead + "{\"t\":0,\"cmd\":\"AT\"}\n{\"t\":0,\n").starts_with("x.jsonl:3: no JSON"));
  CHECK(fault_of(kHead + kHead).starts_with("x.jsonl:2: a second head"));
  CHECK(load_replay("/nowhere/x.jsonl").error().code == Errc::absent);
}

TEST_CASE("half a line at the end is left out, and noted") {
  const auto script = read("{\"t\":0,\"cmd\":\"AT\"}\n{\"t\":0.1,\"fin");
  CHECK(script.events.size() == 1);
  CHECK(script.outcome.empty());
  REQUIRE(script.notes.size() == 1);
  CHECK(script.notes[0].starts_with("x.jsonl:3: half a line"));
  CHECK(read("{\"t\":0,\"cmd\":\"AT\"}").events.size() == 1);  // whole, only without its end
}

TEST_CASE("a module that nobody had met is who it said it was") {
  auto script = parse_replay(R"({"transcript":1,"from":"A","to":"B"}
{"t":0,"cmd":"ATI"}
{"t":0,"line":"Quectel"}
{"t":0,"line":"EC25"}
{"t":0,"line":"Revision: A"}
{"t":0,"final":"OK"}
{"t":0,"cmd":"AT+GSN"}
{"t":0,"line":"861850030000031"}
{"t":0,"final":"OK"}
)",
                             "x");
  REQUIRE(script.ok());
  CHECK(script->model == "EC25");
  CHECK(script->imei == "861850030000031");
  script = parse_replay("{\"transcript\":1}\n", "x");
  REQUIRE(script.ok());
  CHECK(script->model == "UC20");
  CHECK(script->imei.size() == 15);
  CHECK_FALSE(script->from.empty());
}

TEST_CASE("the transcripts of the tests are transcripts") {
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(std::string(DFOTA_SOURCE_DIR) + "/tests/transcripts")) {
    const auto script = load_replay(entry.path().string());
    REQUIRE_MESSAGE(script.ok(), script.error().message);
    CHECK_FALSE(script->outcome.empty());
    CHECK(script->notes.empty());
    ++files;
  }
  CHECK(files >= 8);
}
