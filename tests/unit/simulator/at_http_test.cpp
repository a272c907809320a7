#include "modem/simulator/at_http.hpp"

#include <doctest/doctest.h>

using namespace dfota::sim;

namespace {

struct Fixture {
  Fixture() { settings.cmee = 1; }
  std::optional<AtAnswer> ask(std::string_view command) const { return answer_http(command, settings, subject); }
  std::string say(std::string_view command) const {
    const auto answer = ask(command);
    return answer ? answer->text : "another's";
  }
  AtSettings settings;
  AtSubject subject;
};

const std::string kOk = "\r\nOK\r\n", kConnect = "\r\nCONNECT\r\n";

std::string error(int code) {
  return "\r\n+CME ERROR: " + std::to_string(code) + "\r\n";
}

}  // namespace

TEST_CASE_FIXTURE(Fixture, "its HTTP client is configured, given an address, and asked for what is there") {
  CHECK(say("AT+QHTTPCFG=\"contextid\",1") == kOk);
  CHECK(say("at+qhttpcfg=\"responseheader\",0") == kOk);
  const auto url = ask("AT+QHTTPURL=42,30");
  REQUIRE(url);
  CHECK(url->text == kConnect);
  REQUIRE(url->http);
  CHECK(url->http->verb == HttpOrder::Verb::url);
  CHECK(url->http->url_bytes == 42);
  CHECK(url->http->timeout_s == 30);
  subject.http_url = "http://h/x";
  const auto get = ask("AT+QHTTPGET=80");
  REQUIRE(get);
  CHECK(get->text == kOk);
  REQUIRE(get->http);
  CHECK(get->http->verb == HttpOrder::Verb::get);
  CHECK(get->http->timeout_s == 80);
  CHECK(ask("AT+QHTTPGET")->http->timeout_s == 60);
  subject.http_body = "body";
  const auto read = ask("AT+QHTTPREAD=60");
  REQUIRE(read);
  CHECK(read->text == kConnect);
  REQUIRE(read->http);
  CHECK(read->http->verb == HttpOrder::Verb::read);
}

TEST_CASE_FIXTURE(Fixture, "what comes out of order, or while it updates, is refused by its code") {
  CHECK(say("AT+QHTTPGET=80") == error(711));
  CHECK(say("AT+QHTTPREAD=60") == error(705));
  subject.http_url = "http://h/x";
  CHECK(say("AT+QHTTPGET=0") == error(701));
  subject.busy = true;
  CHECK(say("AT+QHTTPCFG=\"contextid\",1") == error(703));
}

TEST_CASE_FIXTURE(Fixture, "what it does not know is another's") {
  for (const char* command : {"AT", "AT+QHTTPCFG=\"contextid\",17", "AT+QHTTPCFG=\"sslctxid\",1", "AT+QHTTPCFG=1",
                              "AT+QHTTPURL=0", "AT+QHTTPURL=701", "AT+QHTTPURL=5,0", "AT+QHTTPPOST=1"}) {
    CAPTURE(command);
    CHECK(say(command) == "another's");
  }
}
