// A whole module over a real pseudo-terminal, against a tiny HTTP server on loopback, on one loop. Nothing sleeps: the
// loop runs until the state is reached, or until the bound of real time shows that it never will be.
#include "modem/simulator/virtual_module.hpp"

#include <doctest/doctest.h>

#include "tests/support/module_bench.hpp"

using namespace dfota;
using namespace dfota::sim;
using namespace dfota::test;

namespace {

void updates_with(const std::string& fault) {
  INFO(fault);
  Bench bench(fault);
  bench.command_update();
  bench.until([&] { return bench.module->memory().version == kNew && bench.module->ready(); }, "the new version");
  CHECK(bench.module->qfotadl_count() == 1);
  CHECK(bench.module->bytes_while_flashing() == 0);
  CHECK(bench.module->memory().boots == 2);
}

void ends_with(const std::string& fault, const std::string& last_words) {
  INFO(fault);
  Bench bench(fault);
  bench.command_update();
  bench.until_heard(last_words);
  bench.until([&] { return bench.module->ready(); }, "ready again");
  CHECK(bench.module->memory().version == kOld);
}

}  // namespace

TEST_CASE("the whole story of an update, as the guide tells it") {
  Bench bench;
  bench.command_update();
  bench.until_heard("RDY");
  const auto& heard = bench.host.heard;
  size_t at = 0;
  for (const auto* words : {"OK", "\"HTTPSTART\"\r\n", "\"HTTPEND\",0\r\n", "\"START\"\r\n", "\"UPDATING\",1\r\n",
                            "\"UPDATING\",100\r\n", "\"END\",0\r\n", "RDY\r\n"}) {
    at = heard.find(words, at);
    REQUIRE_MESSAGE(at != std::string::npos, words << "\nheard: " << heard);
  }
  CHECK(bench.host.count("\"UPDATING\",") == 100);
  CHECK(bench.host.opens == 3);
  bench.ask("ATI");
  bench.until_heard("Revision: " + kNew + "\r\n\r\nOK");
  CHECK(bench.host.has("ATI\rQ") == false);
  CHECK(bench.host.has("ATI\r\r\nQuectel"));  // the echo is on again after a boot
  CHECK(bench.server.requests.size() == 1);
  CHECK(bench.events().find("\"event\":\"flashing_end\",\"bytes_while_flashing\":0") != std::string::npos);
}

TEST_CASE("every habit of a client ends in the new version") {
  for (const auto* client :
       {"range0", "chunks:7000", "chunks-keep:7000", "head", "barelf", "slow:100000", "http10", "resume"}) {
    updates_with(std::string("client=") + client);
  }
}

TEST_CASE("faults that a module survives") {
  for (const auto* fault :
       {"lost-start", "lost-updating", "lost-end", "end-twice", "percent-back", "garbage-boot", "boot-noise",
        "split-writes", "echo=crcrlf", "echo-always", "uart", "hangup-download=50", "urc-in-answer"}) {
    updates_with(fault);
  }
}

TEST_CASE("faults that end an attempt with the old version") {
  ends_with("httpend=703", "\"HTTPEND\",703\r\n");
  ends_with("httpend=608", "\"HTTPEND\",608\r\n");
  ends_with("ftpend=625", "\"FTPEND\",625\r\n");
  ends_with("httpend-after=50:717", "\"HTTPEND\",717\r\n");
  ends_with("no-request=728", "\"HTTPEND\",728\r\n");
  ends_with("httpend=0", "\"END\",505\r\n");
  ends_with("end=502", "\"END\",502\r\n");
  ends_with("keep-old", "\"END\",0\r\n");
  ends_with("reboot-download=50", "RDY");
}

TEST_CASE("a refusal starts nothing") {
  for (const auto* fault : {"refuse=error", "refuse=cme:30"}) {
    Bench bench(fault);
    bench.ask("AT+QFOTADL=\"HTTP://127.0.0.1:" + std::to_string(bench.server.acceptor.local_endpoint().port()) +
              "/d\"");
    bench.until_heard("ERROR\r\n");
    CHECK(bench.module->qfotadl_count() == 1);
    CHECK(bench.module->ready());
    CHECK(bench.server.requests.empty());
  }
}

TEST_CASE("a package of another base or another model is refused after its reboot") {
  for (const auto& header :
       {DeltaHeader{"UC20", "UC20GQBR03A10E1G", kNew, kDeltaBytes}, DeltaHeader{"UC15", kOld, kNew, kDeltaBytes}}) {
    Bench bench;
    bench.server.body = *make_delta(header);
    bench.command_update();
    bench.until_heard("\"END\",510\r\n");
    bench.until_heard("RDY");
    CHECK(bench.module->memory().version == kOld);
    CHECK(bench.events().find("\"event\":\"refused\",\"code\":510") != std::string::npos);
  }
}

TEST_CASE("a corrupt package is refused without a reboot, and the module answers again") {
  Bench bench;
  bench.server.body[5000] = '!';
  bench.command_update();
  bench.until_heard("\"HTTPEND\",0\r\n\r\n+QIND: \"FOTA\",\"END\",505\r\n");
  CHECK(bench.host.opens == 1);
  bench.ask("AT");
  bench.until_heard("\r\nOK\r\n");
}

TEST_CASE("what goes wrong on the network becomes a code of the guide") {
  SUBCASE("404") {
    Bench bench;
    bench.server.answer_status = "404 Not Found";
    bench.command_update();
    bench.until_heard("\"HTTPEND\",705\r\n");
  }
  SUBCASE("a redirect is not followed") {
    Bench bench;
    bench.server.answer_status = "302 Found";
    bench.command_update();
    bench.until_heard("\"HTTPEND\",723\r\n");
  }
  SUBCASE("the careless client stores the error page as a package") {
    Bench bench("client=barelf");
    bench.server.answer_status = "404 Not Found";
    bench.server.body = "<html>nothing here</html>";
    bench.command_update();
    bench.until_heard("\"END\",505\r\n");
  }
  SUBCASE("closed early") {
    Bench bench;
    bench.server.cut_off = 1;
    bench.command_update();
    bench.until_heard("\"HTTPEND\",719\r\n");
  }
  SUBCASE("nobody there") {
    Bench bench;
    const auto port = bench.server.acceptor.local_endpoint().port();
    bench.server.acceptor.close();
    bench.ask("AT+QFOTADL=\"HTTP://127.0.0.1:" + std::to_string(port) + "/d.bin\"");
    bench.until_heard("\"HTTPEND\",716\r\n");
  }
}

TEST_CASE("a byte received while it flashes is counted, and not answered") {
  Bench bench("stall=3");
  bench.command_update();
  bench.until_heard("\"UPDATING\",3\r\n");
  bench.host.say("AT\r");
  bench.until([&] { return bench.module->bytes_while_flashing() == 3; }, "three bytes");
  CHECK(bench.events().find("\"event\":\"bytes_while_flashing\",\"count\":3,\"text\":\"AT\\r\"") != std::string::npos);
  CHECK_FALSE(bench.host.has("\"UPDATING\",3\r\n\r\nOK"));
}

TEST_CASE("a second AT+QFOTADL during a download is an error, and counted") {
  Bench bench("stall-download=50");
  bench.command_update();
  bench.until([&] { return bench.events().find("\"stalled\"") != std::string::npos; }, "the stall");
  bench.host.heard.clear();
  bench.host.say("AT+QFOTADL=\"HTTP://127.0.0.1:9/d\"\r");
  bench.until_heard("ERROR");
  CHECK(bench.module->qfotadl_count() == 2);
}

TEST_CASE("a fault bounded by once spares the second attempt") {
  Bench bench("httpend=703,once");
  bench.command_update();
  bench.until_heard("\"HTTPEND\",703\r\n");
  bench.command_update();
  bench.until([&] { return bench.module->memory().version == kNew; }, "the second attempt");
}

TEST_CASE("version, IMEI and boots outlive the program; what was said to nobody does not") {
  const TempDir dir;
  {
    Bench bench("imei=111", &dir);
    bench.command_update();
    bench.until([&] { return bench.module->memory().version == kNew && bench.module->ready(); }, "the update");
    bench.module->finish();
    CHECK_FALSE(std::filesystem::exists(std::filesystem::symlink_status(dir / "m0")));
  }
  Bench bench("", &dir);
  bench.host.link = "/nonexistent";
  bench.until([&] { return bench.events().rfind("PB DONE") > bench.events().rfind("\"boots\":3"); }, "a boot unheard");
  CHECK(bench.module->memory().version == kNew);
  CHECK(bench.module->memory().imei == "111");
  bench.host.link = dir / "m0";
  bench.ask("AT");
  bench.until_heard("OK\r\n");
  CHECK(bench.host.heard == "AT\r\r\nOK\r\n");
}
