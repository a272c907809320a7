// A download rehearsed, at a scripted port: what is written, when it ends, and what is told of it.
#include "modem/rehearsal.hpp"

#include <doctest/doctest.h>

#include "tests/support/module_fixture.hpp"

using namespace dfota;
using namespace std::chrono_literals;

namespace {

const std::string kUrl = "http://192.168.1.10:8480/a/x/rehearsal.txt";
const std::string kUrlCommand = "AT+QHTTPURL=" + std::to_string(kUrl.size()) + ",30";
constexpr auto kOk = "\r\nOK\r\n";

struct Fixture : test::ModuleFixture {
  std::optional<Rehearsed> fetched;

  Fixture() {
    start();
    step(3s);
    greet();
    Scan order;
    order.url = kUrl;
    order.fetched = [this](const Rehearsed& what) { fetched = what; };
    order.done = [this](const std::string& problem, const std::optional<NetworkState>& network) {
      scanned = problem;
      found = network;
    };
    module->scan(std::move(order));
    scripted.settle();
    greet();
  }
  void configure() {
    network();
    scripted.expect("AT+QHTTPCFG=\"contextid\",1", kOk);
    scripted.expect("AT+QHTTPCFG=\"responseheader\",0", kOk);
  }
  void to_address() {
    configure();
    scripted.expect("AT+QIACT?", "\r\n+QIACT: 1,1,1,\"10.64.0.7\"\r\n\r\nOK\r\n");
  }
  void address() {
    scripted.expect(kUrlCommand, "\r\nCONNECT\r\n");
    CHECK(scripted.take_data(kUrl.size()) == kUrl);
    scripted.say(kOk);
  }
  void read() {
    scripted.expect("AT+QHTTPREAD=60", "\r\nCONNECT\r\n00001 a rehearsal\r\n00002 ATTENTION, no OK\r\n");
    scripted.say("\r\nOK\r\n\r\n+QHTTPREAD: 0\r\n");
  }
  [[nodiscard]] const UpdateError& error() {
    scripted.settle();
    REQUIRE(fetched);
    REQUIRE(fetched->error);
    return *fetched->error;
  }
};

}  // namespace

TEST_CASE("a rehearsal fetches a file by the module's own HTTP client, and reads it") {
  Fixture f;
  f.to_address();
  f.address();
  SUBCASE("its word comes behind the OK") {
    f.scripted.expect("AT+QHTTPGET=80", kOk);
    f.step(20s);
    CHECK_FALSE(f.fetched);
    f.scripted.say("\r\n+QHTTPGET: 0,200,32768\r\n");
  }
  SUBCASE("its word comes before the OK") {
    f.scripted.expect("AT+QHTTPGET=80", "\r\n+QHTTPGET: 0,200,32768\r\n\r\nOK\r\n");
  }
  f.read();
  REQUIRE(f.fetched);
  CHECK_FALSE(f.fetched->error);
  CHECK(f.fetched->http_status == 200);
  CHECK(f.scanned == "");
  f.step(61s);
  f.status();  // it is asked as any idle module
}

TEST_CASE("a context that is not active is activated, and left as it was found") {
  Fixture f;
  f.configure();
  f.scripted.expect("AT+QIACT?", "\r\n+QIACT: 2,1,1,\"10.64.0.9\"\r\n\r\nOK\r\n");
  SUBCASE("it can be") {
    f.scripted.expect("AT+QIACT=1", kOk);
    f.address();
    f.scripted.expect("AT+QHTTPGET=80", kOk);
    f.scripted.say("\r\n+QHTTPGET: 702\r\n");
    f.scripted.expect("AT+QIDEACT=1", kOk);
    CHECK(f.error().number == 702);
    CHECK(f.error().source == "http");
  }
  SUBCASE("it cannot") {
    f.scripted.expect("AT+QIACT=1", "\r\nERROR\r\n");
    CHECK(f.error().name == "at_error");
    CHECK(f.error().message == "AT+QIACT=1 was answered by ERROR");
  }
  CHECK(f.scanned == "");
  CHECK(f.scripted.unread().empty());
}

TEST_CASE("what stops a rehearsal is told by its name") {
  Fixture f;
  SUBCASE("no HTTP client") {
    f.network();
    f.scripted.expect("AT+QHTTPCFG=\"contextid\",1", "\r\nERROR\r\n");
    CHECK(f.error().name == "at_error");
  }
  SUBCASE("another HTTP service runs") {
    f.to_address();
    f.scripted.expect(kUrlCommand, "\r\n+CME ERROR: 703\r\n");
    CHECK(f.error().number == 703);
    CHECK(f.error().message == kUrlCommand + " was answered by +CME ERROR: 703");
  }
  SUBCASE("it falls silent") {
    f.to_address();
    CHECK(f.scripted.next_command() == kUrlCommand);
    f.step(Rehearsal::kAskLimit);
    CHECK(f.error().name == "no_answer");
  }
  SUBCASE("its word does not come") {
    f.to_address();
    f.address();
    f.scripted.expect("AT+QHTTPGET=80", kOk);
    f.step(Rehearsal::kGetLimit + Rehearsal::kGrace);
    CHECK(f.error().name == "no_answer");
  }
  SUBCASE("another server answers") {
    f.to_address();
    f.address();
    f.scripted.expect("AT+QHTTPGET=80", kOk);
    f.scripted.say("\r\n+QHTTPGET: 0,403,120\r\n");
    CHECK(f.error().name == "not_reachable");
    CHECK(f.fetched->http_status == 403);
  }
  SUBCASE("the body does not come") {
    f.to_address();
    f.address();
    f.scripted.expect("AT+QHTTPGET=80", "\r\nOK\r\n\r\n+QHTTPGET: 0,200,32768\r\n");
    f.scripted.expect("AT+QHTTPREAD=60", "\r\nCONNECT\r\n00001\r\n");
    f.step(Rehearsal::kReadLimit);
    CHECK(f.error().name == "no_answer");
  }
  SUBCASE("somebody begins to flash it") {
    f.to_address();
    f.address();
    f.scripted.expect("AT+QHTTPGET=80", kOk);
    f.scripted.say("\r\n+QIND: \"FOTA\",\"UPDATING\",1\r\n\r\n+QHTTPGET: 0,200,32768\r\n");
    CHECK(f.error().name == "module_updating");
  }
  SUBCASE("its port goes") {
    f.to_address();
    f.address();
    f.scripted.expect("AT+QHTTPGET=80", kOk);
    f.scripted.unplug();
    CHECK(f.error().name == "port_lost");
  }
  SUBCASE("it is released") {
    f.to_address();
    f.address();
    f.scripted.expect("AT+QHTTPGET=80", kOk);
    f.module->release();
    CHECK(f.error().name == "port_lost");
    CHECK(f.module->state().problem == "released");
  }
  CHECK(f.scripted.unread().empty());
}

TEST_CASE("what cannot download is not asked to") {
  Fixture f;
  f.network("SIM PIN");
  CHECK(f.scanned == "");
  REQUIRE(f.found);
  REQUIRE(f.found->problem);
  CHECK(f.found->problem->finding == Finding::sim_not_ready);
  CHECK_FALSE(f.fetched);
  CHECK(f.scripted.unread().empty());
}
