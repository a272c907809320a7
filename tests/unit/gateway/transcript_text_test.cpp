#include "gateway/transcript_text.hpp"

#include <doctest/doctest.h>

#include "gateway/transcript_line.hpp"

using namespace dfota;
using nlohmann::json;
using Kind = TranscriptEvent::Kind;

namespace {

TranscriptHead head() {
  TranscriptHead out;
  out.gateway = "rack-1";
  out.module = "uc20-3";
  out.imei = "861234567890123";
  out.model = "UC20";
  out.job = "j-1";
  out.run = 2;
  out.from = "A";
  out.delivery = "http";
  out.started_at = *parse_rfc3339("2026-11-23T12:00:00.000Z");
  return out;
}

/// One of each kind.
const std::string kText =
    R"({"transcript":1,"delivery":"http","from":"A","gateway":"rack-1","imei":"861234567890123","job":"j-1","model":"UC20","module":"uc20-3","profile":null,"run":2,"started_at":"2026-11-23T12:00:00.000Z","to":null}
{"t":0.0,"open":"/dev/ttyUSB2"}
{"t":0.102,"cmd":"AT+GSN"}
{"t":0.12,"line":"861234567890123"}
{"t":0.121,"final":"OK"}
{"t":0.2,"data":4096}
{"t":1.0,"attempt":1}
{"t":1.0,"hop":1}
{"t":1.0,"step":"downloading"}
{"t":3.005,"file":{"delivered":1,"released":false,"size":9}}
{"t":3.005,"urc":"+QIND: \"FOTA\",\"HTTPSTART\""}
{"t":4.0,"noise":"\\ ~"}
{"t":5.0,"closed":"the link was lost"}
{"t":6.0,"dropped":12}
{"t":100.0,"error":{"code":716}}
{"t":100.0,"outcome":"failed"}
)";

}  // namespace

TEST_CASE("each kind of line is read and written as it was") {
  const auto read = read_transcript(kText);
  REQUIRE(read);
  CHECK(read->events.size() == 15);
  CHECK(read->ended());
  CHECK(read->events[1].at.count() == 102);
  CHECK(transcript_line(to_json(read->head)) + "\n" + lines_of(read->events) == kText);
  CHECK(to_json(head()) == to_json(read->head));
}

TEST_CASE("a half last line, and what is no event, is left out; without a head there is nothing") {
  const auto half = read_transcript(kText.substr(0, kText.size() - 5));
  REQUIRE(half);
  CHECK(half->events.size() == 14);
  CHECK_FALSE(half->ended());
  const auto line = transcript_line(to_json(head())) + "\n";
  for (const auto* bad : {"", "nonsense\n", "[1]\n", "{\"t\":1}\n", "{\"cmd\":\"AT\"}\n", "{\"t\":-1,\"cmd\":\"AT\"}\n",
                          "{\"t\":1e99,\"cmd\":\"AT\"}\n", "{\"t\":\"1\",\"cmd\":\"AT\"}\n", "{\"t\":1,\"cmd\":7}\n",
                          "{\"t\":1,\"data\":-7}\n", "{\"t\":1,\"file\":3}\n", "{\"t\":1,\"error\":[]}\n", "\xff\n"}) {
    CAPTURE(bad);
    const auto read = read_transcript(line + bad);
    REQUIRE(read);
    CHECK(read->events.empty());
  }
  CHECK_FALSE(read_transcript(""));
  CHECK_FALSE(read_transcript("{\"t\":1,\"cmd\":\"AT\"}\n"));
  CHECK_FALSE(read_transcript("{\"transcript\":2}\n"));
  CHECK_FALSE(read_transcript("{\"transcript\":1,\"started_at\":\"yesterday\"}\n"));
  CHECK_FALSE(read_transcript(line.substr(0, line.size() - 1)));
}

TEST_CASE("a line is printable ASCII, whatever stands in it") {
  CHECK(transcript_line({{"t", 1.5}, {"noise", "\x01\xff\xc3\xa4"}}) == R"({"t":1.5,"noise":"\u0001\ufffd\u00e4"})");
  CHECK(transcript_line({{"t", 1.5}}) == R"({"t":1.5})");
  CHECK(transcript_line(json::object()) == "{}");
}
