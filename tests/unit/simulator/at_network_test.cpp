#include "modem/simulator/at_network.hpp"

#include <doctest/doctest.h>

using namespace dfota::sim;

namespace {

struct Fixture {
  Fixture() { settings.cmee = 1; }
  std::string say(std::string_view command) {
    const auto found = answer_network(command, behaviour, settings, subject);
    return found ? found->text : "another's";
  }
  void with(std::string_view fault) { behaviour = behaviour_of({*Fault::parse(fault)}, 0, 0); }
  Behaviour behaviour;
  AtSettings settings;
  AtSubject subject;
};

const std::string kOk = "\r\nOK\r\n";
std::string told(const std::string& line) {
  return "\r\n" + line + "\r\n" + kOk;
}

}  // namespace

TEST_CASE_FIXTURE(Fixture, "a module that has everything") {
  CHECK(say("at+cpin?") == told("+CPIN: READY"));
  CHECK(say("AT+CREG?") == told("+CREG: 0,1"));
  CHECK(say("AT+CGREG?") == told("+CGREG: 0,1"));
  CHECK(say("AT+CEREG?") == told("+CEREG: 0,1"));
  CHECK(say("AT+QICSGP=1") == told("+QICSGP: 1,\"internet\",\"\",\"\",1"));
  CHECK(say("AT+QIACT?") == told("+QIACT: 1,1,1,\"10.64.0.7\""));
  CHECK(say("AT") == "another's");
}

TEST_CASE_FIXTURE(Fixture, "PDP contexts are turned on and off where they are defined") {
  CHECK(say("AT+QIACT=2") == kOk);
  CHECK(say("AT+QIACT?") == "\r\n+QIACT: 1,1,1,\"10.64.0.7\"\r\n\r\n+QIACT: 2,1,1,\"10.64.0.7\"\r\n" + kOk);
  CHECK(say("AT+QIDEACT=1") == kOk);
  CHECK(say("AT+QIACT?") == told("+QIACT: 2,1,1,\"10.64.0.7\""));
  CHECK(say("AT+QIACT=17") == "another's");
  with("no-pdp");
  CHECK(say("AT+QIACT=1") == "\r\n+CME ERROR: 30\r\n");
  with("unregistered");
  CHECK(say("AT+QIACT=1") == "\r\n+CME ERROR: 30\r\n");
}

TEST_CASE_FIXTURE(Fixture, "a SIM that is not ready") {
  with("sim=pin");
  CHECK(say("AT+CPIN?") == told("+CPIN: SIM PIN"));
  with("sim=absent");
  CHECK(say("AT+CPIN?") == "\r\n+CME ERROR: 10\r\n");
  with("sim=failure");
  CHECK(say("AT+CPIN?") == "\r\n+CME ERROR: 13\r\n");
  settings.cmee = 2;
  CHECK(say("AT+CPIN?") == "\r\n+CME ERROR: SIM failure\r\n");
  settings.cmee = 1;
  with("sim=busy");
  for (int times = 0; times < 50; ++times) CHECK(say("AT+CPIN?") == "\r\n+CME ERROR: 14\r\n");
}

TEST_CASE_FIXTURE(Fixture, "a SIM that is busy for a while") {
  with("sim=busy:2");
  CHECK(say("AT+CPIN?") == "\r\n+CME ERROR: 14\r\n");
  CHECK(say("AT+CPIN?") == "\r\n+CME ERROR: 14\r\n");
  CHECK(say("AT+CPIN?") == told("+CPIN: READY"));
}

TEST_CASE_FIXTURE(Fixture, "no network, for ever or for a while") {
  with("unregistered=2");
  CHECK(say("AT+CREG?") == told("+CREG: 0,2"));
  CHECK(say("AT+CEREG?") == told("+CEREG: 0,2"));
  CHECK(say("AT+CGREG?") == told("+CGREG: 0,1"));
  with("unregistered");
  for (int times = 0; times < 50; ++times) CHECK(say("AT+CREG?") == told("+CREG: 0,2"));
}

TEST_CASE_FIXTURE(Fixture, "a PDP context that must be defined first") {
  with("no-pdp");
  CHECK(say("AT+QICSGP=1") == told("+QICSGP: 0,\"\",\"\",\"\",0"));
  CHECK(say("AT+QIACT?") == kOk);
  CHECK(say("AT+QICSGP=1,1,\"My.Apn\",\"me\",\"secret\",2") == kOk);
  CHECK(say("AT+QICSGP=1") == told("+QICSGP: 1,\"My.Apn\",\"me\",\"secret\",2"));
  CHECK(say("AT+QICSGP=2") == told("+QICSGP: 0,\"\",\"\",\"\",0"));
  CHECK(say("AT+QIACT?") == told("+QIACT: 1,1,1,\"10.64.0.7\""));
  for (const auto* bad : {"AT+QICSGP=", "AT+QICSGP=0", "AT+QICSGP=17", "AT+QICSGP=x", "AT+QICSGP=1,1",
                          "AT+QICSGP=1,9,\"a\"", "AT+QICSGP=1,1,\"a\",\"\",\"\",1,1"}) {
    CHECK_MESSAGE(say(bad) == "another's", bad);
  }
}

TEST_CASE_FIXTURE(Fixture, "the context of the update, where it is set by AT+QFOTAPID") {
  CHECK(say("AT+QFOTAPID?") == told("+QFOTAPID: 1"));
  CHECK(say("AT+QFOTAPID=7") == kOk);
  CHECK(say("AT+QFOTAPID?") == told("+QFOTAPID: 7"));
  CHECK(say("AT+QFOTAPID=0") == "another's");
  CHECK(say("AT+QFOTAPID=x") == "another's");
}
