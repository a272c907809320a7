#include "gateway/ctl/transcript.hpp"

#include <doctest/doctest.h>

using namespace dfota::ctl;

TEST_CASE("whose transcript it is") {
  CHECK(transcript_head_text({{"transcript", 1},
                              {"gateway", "rack-1"},
                              {"module", "m0"},
                              {"imei", "861"},
                              {"model", "UC20"},
                              {"job", "j-1"},
                              {"run", 1},
                              {"from", "A11"},
                              {"to", nullptr},
                              {"delivery", "http"},
                              {"started_at", "2026-11-23T12:00:00.000Z"}}) ==
        "module m0, job j-1, run 1: UC20 IMEI 861, A11 -> ? by http, begun 2026-11-23T12:00:00.000Z");
}

TEST_CASE("each kind of event, and who spoke") {
  const auto is = [](const char* key, const Json& value, const std::string& text) {
    CHECK(transcript_event_text({{"t", 1.5}, {key, value}}) == "     1.500  " + text);
  };
  is("cmd", "AT+GSN", ">  AT+GSN");
  is("data", 4096, ">  4096 bytes of data");
  is("line", "861", "<  861");
  is("final", "OK", "<  OK");
  is("urc", "RDY", "*  RDY");
  is("noise", "~~", "?  ~~");
  is("open", "/dev/ttyUSB2", "-  port opened: /dev/ttyUSB2");
  is("closed", "the link was lost", "-  port closed: the link was lost");
  is("file", {{"size", 9}, {"delivered", 4}, {"released", false}},
     "-  our file server: 4 of 9 bytes delivered, its last held back");
  is("file", {{"size", 9}, {"delivered", 9}, {"released", true}},
     "-  our file server: 9 of 9 bytes delivered, its last released");
  is("attempt", 2, "-  attempt 2");
  is("hop", 1, "-  hop 1");
  is("step", "downloading", "-  downloading");
  is("error", {{"code", 716}, {"name", "x"}, {"meaning", "M"}, {"message", "m"}}, "-  error 716 x: M (m)");
  is("error", {{"code", "absent"}, {"name", "absent"}, {"meaning", "M"}, {"message", ""}}, "-  error absent: M");
  is("outcome", "failed", "-  outcome: failed");
  is("dropped", 12, "-  left out here, events: 12");
  is("later", 1, R"(-  {"later":1,"t":1.5})");
}

TEST_CASE("what is no event is shown as it is") {
  for (const auto& value : {Json(), Json(3), Json::array(), Json({{"t", "x"}}), Json({{"t", 1}, {"cmd", {1}}})}) {
    CHECK_FALSE(transcript_event_text(value).empty());
  }
  CHECK(transcript_event_text(Json::array()) == "     0.000  -  []");
}
