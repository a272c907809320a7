#include "modem/simulator/at_commands.hpp"

#include <doctest/doctest.h>

using namespace dfota::sim;

namespace {

struct Fixture {
  Behaviour behaviour;
  AtSettings settings;
  AtSubject subject{"UC20", "UC20GQBR03A11E1G", "861850030000006", 1, false};
  std::string say(std::string_view command) { return answer(command, behaviour, settings, subject).text; }
};

const std::string kOk = "\r\nOK\r\n";
const std::string kError = "\r\nERROR\r\n";

}  // namespace

TEST_CASE("command lines are the same at every split") {
  using namespace std::string_literals;
  const std::string bytes =
      "AT\r\nATE0\r\r\n\nAT+GSN\r\x1b\0"
      "AT+QFOTADL=\"HTTP://h:80/x\"\rATI"s;
  const std::vector<std::string> lines = {"AT", "ATE0", "AT+GSN", "AT+QFOTADL=\"HTTP://h:80/x\""};
  for (size_t cut = 0; cut <= bytes.size(); ++cut) {
    AtLines parser;
    auto found = parser.feed(std::string_view(bytes).substr(0, cut));
    const auto rest = parser.feed(std::string_view(bytes).substr(cut));
    found.insert(found.end(), rest.begin(), rest.end());
    CHECK(found == lines);
  }
  AtLines parser;
  std::vector<std::string> found;
  for (const char c : bytes) {
    for (auto& line : parser.feed(std::string_view(&c, 1))) found.push_back(line);
  }
  CHECK(found == lines);
}

TEST_CASE("a line without an end is bounded and dropped whole") {
  AtLines parser;
  for (int i = 0; i < 100; ++i) CHECK(parser.feed(std::string(1000, 'A')).empty());
  CHECK(parser.feed("\r").empty());
  CHECK(parser.feed("AT\r") == std::vector<std::string>{"AT"});
}

TEST_CASE("a command begins at its AT") {
  CHECK(command_in("AT") == "AT");
  CHECK(command_in("\xff~at+gsn ") == "at+gsn");
  CHECK_FALSE(command_in("hello"));
  CHECK_FALSE(command_in(""));
}

TEST_CASE_FIXTURE(Fixture, "who it is") {
  CHECK(say("ATI") == "\r\nQuectel\r\nUC20\r\nRevision: UC20GQBR03A11E1G\r\n\r\nOK\r\n");
  CHECK(say("at+gsn") == "\r\n861850030000006\r\n" + kOk);
  CHECK(say("AT+CGSN") == say("AT+GSN"));
  CHECK(say("AT+GMR") == "\r\nUC20GQBR03A11E1G\r\n" + kOk);
  CHECK(say("AT+CGMR") == say("AT+GMR"));
}

TEST_CASE_FIXTURE(Fixture, "the sub-version, where AT+QGMR tells it") {
  CHECK(say("AT+QGMR") == say("AT+GMR"));
  behaviour.qgmr_long = true;
  CHECK(say("AT+QGMR") == "\r\nUC20GQBR03A11E1G_01.001.01.001\r\n" + kOk);
}

TEST_CASE_FIXTURE(Fixture, "each way of delivery is taken; a file must be there") {
  settings.cmee = 1;
  const auto ftp = answer("AT+QFOTADL=\"ftp://u:p@h/a\"", behaviour, settings, subject);
  REQUIRE(ftp.update);
  CHECK(ftp.update->target.delivery == Delivery::ftp);
  CHECK(say("AT+QFOTADL=\"UFS:d.bin\"") == "\r\n+CME ERROR: 405\r\n");
  CHECK(say("AT+QFOTADL=\"ftp://u:p@h:x/a\"") == "\r\n+CME ERROR: 3\r\n");
}

TEST_CASE("values between commas") {
  using Values = std::vector<std::string>;
  CHECK(at_values("").empty());
  CHECK(at_values("\"a,b\",1,,x") == Values{"a,b", "1", "", "x"});
  CHECK(at_values("\"cut") == Values{"cut"});
}

TEST_CASE_FIXTURE(Fixture, "settings, and what a setting is not") {
  for (const auto* command : {"AT", "ATV1", "AT&D0", "AT&W", "AT+QFOTADL=?", "AT+QICSGP=1,1,\"apn\",\"\",\"\",1",
                              "AT+QIACT=1", "AT+QURCCFG=\"urcport\",\"usbat\"", "AT+QCFG=\"fota/cid\",2"}) {
    CHECK_MESSAGE(say(command) == kOk, command);
  }
  CHECK(say("AT+QCFG=\"fota/cid\"") == "\r\n+QCFG: \"fota/cid\",2\r\n" + kOk);
  CHECK(say("AT+QCFG=\"fota/cid\",0") == kError);
  CHECK(say("AT+QCFG=\"fota/cid\",") == kError);
  CHECK(say("AT+QCFG=\"fota/cid\",x") == kError);
  CHECK(say("AT+CSQ") == "\r\n+CSQ: 21,99\r\n" + kOk);
  CHECK(say("AT+CREG?") == "\r\n+CREG: 0,1\r\n" + kOk);
  CHECK(say("AT+CPIN?") == "\r\n+CPIN: READY\r\n" + kOk);
  CHECK(say("ATE0") == kOk);
  CHECK_FALSE(settings.echo);
  CHECK(say("ate1") == kOk);
  CHECK(settings.echo);
  behaviour.echo_always = true;
  CHECK(say("ATE0") == kOk);
  CHECK(settings.echo);
}

TEST_CASE_FIXTURE(Fixture, "an unknown command, in the three forms of CMEE") {
  CHECK(say("AT+NONSENSE") == kError);
  CHECK(say("AT+CMEE=1") == kOk);
  CHECK(say("AT+NONSENSE") == "\r\n+CME ERROR: 4\r\n");
  CHECK(say("AT+CMEE=2") == kOk);
  CHECK(say("AT+NONSENSE") == "\r\n+CME ERROR: operation not supported\r\n");
  CHECK(say("AT+CMEE=3") == "\r\n+CME ERROR: operation not supported\r\n");
  CHECK(say("AT+CMEE?") == "\r\n+CMEE: 2\r\n" + kOk);
}

TEST_CASE_FIXTURE(Fixture, "AT+QFOTADL takes an address with a port, once at a time") {
  const auto taken = answer("at+qfotadl=\"http://127.0.0.1:80/a\"", behaviour, settings, subject);
  CHECK(taken.text == kOk);
  REQUIRE(taken.update);
  CHECK(taken.update->target.url.path == "/a");
  for (const auto* bad :
       {"AT+QFOTADL=\"HTTP://127.0.0.1/a\"", "AT+QFOTADL=HTTP://127.0.0.1:80/a", "AT+QFOTADL=\"\"",
        "AT+QFOTADL=", "AT+QFOTADL=\"", "AT+QFOTADL=\"HTTP://127.0.0.1:80/a", "AT+QFOTADL=\"UFS:x.bin\""}) {
    const auto refused = answer(bad, behaviour, settings, subject);
    CHECK_MESSAGE(refused.text == kError, bad);
    CHECK_FALSE(refused.update);
    CHECK_MESSAGE(qfotadl_arguments(bad), bad);
  }
  CHECK(qfotadl_arguments("at+qfotadl=\"FILE:200\",0,100") == "\"FILE:200\",0,100");
  CHECK_FALSE(qfotadl_arguments("AT+QFOTADL=?"));
  CHECK_FALSE(qfotadl_arguments("AT+QFOTADL?"));
  subject.busy = true;
  CHECK(say("AT+QFOTADL=\"HTTP://h:80/a\"") == kError);
  subject.busy = false;
  behaviour.refuse = Refusal::cme;
  behaviour.refuse_cme = 30;
  settings.cmee = 1;
  CHECK(say("AT+QFOTADL=\"HTTP://h:80/a\"") == "\r\n+CME ERROR: 30\r\n");
  behaviour.refuse = Refusal::error;
  CHECK(say("AT+QFOTADL=\"HTTP://h:80/a\"") == kError);
}
