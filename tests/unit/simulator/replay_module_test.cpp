// A recording as a module: over a real pseudo-terminal, against a tiny HTTP server on loopback, under a stepped clock.
#include "modem/simulator/replay_module.hpp"

#include <doctest/doctest.h>

#include "tests/support/replay_bench.hpp"

using namespace dfota;
using namespace dfota::sim;
using namespace dfota::test;

namespace {

void check_order(const std::string& heard, std::initializer_list<const char*> words) {
  size_t at = 0;
  for (const auto* word : words) {
    at = heard.find(word, at);
    REQUIRE_MESSAGE(at != std::string::npos, word << "\nheard: " << heard);
  }
}

/// The last byte of all ranges that were asked for, one behind the other; the ranges must not overlap.
uint64_t fetched(const FileServer& server) {
  uint64_t next = 0;
  for (const auto& request : server.requests) {
    const auto at = request.find("Range: bytes=");
    REQUIRE(at != std::string::npos);
    char* dash = nullptr;
    CHECK(std::strtoull(request.c_str() + at + 13, &dash, 10) == next);
    next = std::strtoull(dash + 1, nullptr, 10) + 1;
  }
  return next;
}

}  // namespace

TEST_CASE("a recorded success, as it was: its words, its reboots, its version") {
  ReplayBench bench("http-success");
  CHECK(bench.identify() == kOld);
  bench.prepare();
  bench.command_update();
  bench.until_heard("\"END\",0");
  check_order(bench.host.heard, {"OK", "\"HTTPSTART\"", "\"HTTPEND\",0", "\"START\"", "\"UPDATING\",5\r\n",
                                 "\"UPDATING\",100\r\n", "\"END\",0"});
  bench.until_heard("\r\nRDY\r\n");
  CHECK(bench.host.opens == 3);
  CHECK(fetched(bench.server) == kDeltaBytes);
  CHECK(bench.logged("\"event\":\"download_done\",\"code\":0,\"bytes\":20000"));
  CHECK(bench.identify() == kNew);
  bench.until([&] { return bench.module->over(); }, "the end of the recording");
  CHECK(bench.logged("\"event\":\"replay_end\",\"outcome\":\"succeeded\",\"version\":\"" + kNew + "\""));
  CHECK(bench.identify() == kNew);  // and it stays so
  bench.ask("AT+CSQ", "+CSQ: ");
  bench.module->finish();
  CHECK(bench.logged("\"event\":\"summary\",\"qfotadl\":1,\"bytes_while_flashing\":0,\"version\":\"" + kNew + "\""));
  CHECK_FALSE(bench.logged("replay_miss"));
  CHECK_FALSE(bench.logged("replay_skip"));
}

TEST_CASE("before the update: polled, scanned, greeted as often as one likes") {
  ReplayBench bench("http-success");
  for (int times = 0; times < 3; ++times) {
    CHECK(bench.identify() == kOld);
    bench.ask("AT+CREG?", "+CREG: 0,1\r\n\r\nOK");
    bench.ask("AT+CSQ", "+CSQ: ");
  }
  bench.ask("AT+CGMR", kOld + "\r\n\r\nOK");
  CHECK_FALSE(bench.logged("replay_miss"));
  bench.ask("AT+QWHATEVER", "\r\nERROR\r\n");
  CHECK(bench.logged("\"event\":\"replay_miss\",\"text\":\"AT+QWHATEVER\",\"why\":\"was not recorded\""));
  bench.prepare();
  bench.command_update();
  bench.until_heard("\"HTTPSTART\"");
}

TEST_CASE("recorded delays are kept") {
  ReplayBench bench("http-716");
  bench.prepare();
  bench.command_update();
  bench.until_heard("\"HTTPSTART\"");
  bench.pass(std::chrono::seconds(20));
  CHECK_FALSE(bench.host.has("\"HTTPEND\""));
  bench.pass(std::chrono::seconds(2));
  CHECK(bench.host.has("\"HTTPEND\",716"));
  CHECK(bench.server.requests.empty());
}

TEST_CASE("recorded delays are divided by the speed") {
  ReplayBench fast("http-716", 10);
  fast.prepare();
  fast.command_update();
  fast.until_heard("\"HTTPSTART\"");
  fast.pass(std::chrono::milliseconds(1900));
  CHECK_FALSE(fast.host.has("\"HTTPEND\""));
  fast.pass(std::chrono::milliseconds(400));
  CHECK(fast.host.has("\"HTTPEND\",716"));
}

TEST_CASE("a download that broke off does so after as many bytes, in the attempt in which it did") {
  ReplayBench bench("http-716");
  bench.server.body = *make_delta({"UC20", kOld, kNew, 65536});  // as large as the recorded one
  bench.prepare();
  bench.command_update();
  bench.until_heard("\"HTTPEND\",716");
  bench.prepare();
  bench.command_update();
  bench.until_heard("\"HTTPEND\",716");
  CHECK(fetched(bench.server) == 4096);
  bench.prepare();
  bench.ask("AT+QFOTADL=\"" + bench.address() + "\"", "\r\nERROR\r\n");
  CHECK(bench.logged("no such update is left in the recording"));
  CHECK(bench.identify() == kOld);
  bench.module->finish();
  CHECK(bench.logged("\"event\":\"summary\",\"qfotadl\":3"));
}

TEST_CASE("of a package of another size it takes the same share") {
  ReplayBench bench("http-716");
  bench.server.body = *make_delta({"UC20", kOld, kNew, 16384});
  bench.prepare();
  bench.command_update();
  bench.until_heard("\"HTTPEND\",716");
  bench.prepare();
  bench.command_update();
  bench.until_heard("\"HTTPEND\",716");
  CHECK(fetched(bench.server) == 1024);
}

TEST_CASE("an attempt that is made anew before its recorded end goes on at the next one") {
  ReplayBench bench("http-716");
  bench.prepare();
  bench.command_update();
  bench.until_heard("\"HTTPSTART\"");
  bench.prepare();
  bench.command_update();
  bench.until_heard("\"HTTPSTART\"");
  CHECK(bench.logged("replay_skip"));
  bench.until_heard("\"HTTPEND\",716");
  CHECK(bench.server.requests.size() > 0);
  CHECK(bench.host.count("\"HTTPEND\"") == 1);
}

TEST_CASE("while it flashes what was not recorded is not answered, and told") {
  ReplayBench bench("end-502");
  bench.prepare();
  bench.command_update();
  bench.until_heard("\"UPDATING\",10\r\n");
  bench.say("AT");
  bench.until_heard("\"UPDATING\",20\r\n");
  CHECK(bench.host.has("OK") == false);
  bench.until_heard("\"END\",502");
  bench.until_heard("\r\nRDY\r\n");
  CHECK(bench.identify() == kOld);
  CHECK(bench.logged("\"event\":\"bytes_while_flashing\",\"count\":3,\"text\":\"AT\""));
  bench.module->finish();
  CHECK(bench.logged("\"bytes_while_flashing\":3,\"version\":\"" + kOld + "\""));
}

TEST_CASE("a lost module stays silent") {
  ReplayBench bench("lost");
  bench.prepare();
  bench.command_update();
  bench.until_heard("\"UPDATING\",35\r\n");
  bench.say("AT");
  bench.pass(std::chrono::seconds(10));
  CHECK(bench.host.heard.empty());
}

TEST_CASE("a port that went in mid-download goes there, and the download goes on") {
  ReplayBench bench("port-comes-and-goes");
  bench.prepare();
  bench.command_update();
  bench.until([&] { return bench.logged("\"event\":\"reboot\""); }, "the port to go");
  CHECK(fetched(bench.server) == 20480 * kDeltaBytes / 65536);
  CHECK_FALSE(bench.host.has("HTTPEND"));
  bench.until_heard("\"HTTPEND\",0");
  CHECK(bench.host.opens == 2);
  CHECK(fetched(bench.server) == kDeltaBytes);
  bench.until_heard("\r\nRDY\r\n");
  CHECK(bench.identify() == kNew);
}

TEST_CASE("a download that goes otherwise than recorded is told, and ends by its own code") {
  ReplayBench bench("http-success");
  bench.server.answer_status = "404 Not Found";
  bench.prepare();
  bench.command_update();
  bench.until_heard("\"HTTPEND\",705");
  CHECK(bench.logged("its download ended by itself: 705"));
  bench.pass(std::chrono::seconds(60));
  CHECK_FALSE(bench.host.has("START\"\r\n\r\n+QIND: \"FOTA\",\"UPDATING\""));
  CHECK(bench.identify() == kOld);
}

TEST_CASE("AT+QFUPL takes this file, whatever its size, and tells its checksum") {
  ReplayBench bench("upload");
  std::string file;
  for (int i = 0; i < 5000; ++i) file += static_cast<char>('a' + i * i % 23);
  bench.identify();
  bench.ask("AT+QFDEL=\"UFS:dfota.bin\"", "+CME ERROR: 405");
  bench.ask("AT+QFLDS=\"UFS\"", "+QFLDS: 9437184,16777216\r\n\r\nOK\r\n");
  bench.ask("AT+QFUPL=\"UFS:dfota.bin\",5000,5,1", "CONNECT\r\n");
  bench.pour(file);
  bench.until_heard("\r\nOK\r\n");
  QfuplChecksum checksum;
  checksum.feed(file);
  char told[32];
  std::snprintf(told, sizeof told, "+QFUPL: 5000,%x\r\n", checksum.value());
  CHECK(bench.host.has("AAAA"));
  CHECK(bench.host.has(told));
  bench.ask("AT+QFLST=\"UFS:dfota.bin\"", "+QFLST: \"UFS:dfota.bin\",5000\r\n\r\nOK\r\n");
  bench.ask("AT+QFOTADL=\"UFS:dfota.bin\"");
  bench.say("AT");  // it boots
  bench.until_heard("\"UPDATING\",100\r\n");
  CHECK_FALSE(bench.host.has("OK"));
  bench.until_heard("\r\nRDY\r\n");
  CHECK(bench.identify() == kNew);
  CHECK(bench.logged("\"event\":\"uploaded\",\"name\":\"UFS:dfota.bin\",\"bytes\":5000"));
}

TEST_CASE("a stream is taken as far as the recorded one was") {
  ReplayBench whole("file-stream");
  const std::string file(4000, 'x');
  whole.ask_all({"AT", "ATE0", "AT+CMEE=1", "ATI", "AT+QGMR", "AT+GSN", "AT+QFOTADL=\"FILE:4000\",1,50"});
  whole.until_heard("\"FILESTART\"");
  whole.pour(file.substr(0, 3999));
  whole.pass(std::chrono::seconds(5));
  CHECK_FALSE(whole.host.has("FILEEND"));
  whole.pour("x");
  whole.until_heard("\"FILEEND\",0");
  whole.until_heard("\r\nRDY\r\n");
  CHECK(whole.host.opens == 4);
}

TEST_CASE("a stream that the recorded module gave up in its midst is given up there") {
  ReplayBench broken("file-500");
  broken.ask_all({"AT", "ATE0", "AT+CMEE=1", "ATI", "AT+QGMR", "AT+GSN", "AT+QFOTADL=\"FILE:4000\",1,50"});
  broken.until_heard("\"FILESTART\"");
  broken.pour(std::string(999, 'x'));
  broken.pass(std::chrono::seconds(5));
  CHECK_FALSE(broken.host.has("FILEEND"));
  broken.pour("x");
  broken.until_heard("\"FILEEND\",500");
}

TEST_CASE("a recorded question that this gateway does not ask does not stop a module that flashes") {
  auto script = *parse_replay(R"({"transcript":1,"imei":"861850030000031","model":"UC20","from":"A","to":"B"}
{"t":0,"cmd":"AT+QFOTADL=\"UFS:d\""}
{"t":0.1,"final":"OK"}
{"t":1,"urc":"+QIND: \"FOTA\",\"UPDATING\",1"}
{"t":31,"cmd":"AT"}
{"t":31.1,"final":"OK"}
{"t":32,"urc":"+QIND: \"FOTA\",\"UPDATING\",2"}
{"t":33,"urc":"+QIND: \"FOTA\",\"END\",0"}
)",
                              "x");
  ReplayBench bench(script);
  bench.ask("AT+QFOTADL=\"UFS:d\"");
  bench.until_heard("\"UPDATING\",1\r\n");
  bench.until_heard("\"UPDATING\",2\r\n");
  CHECK(bench.logged("was not asked"));
  bench.until_heard("\"END\",0");
}

TEST_CASE("what was said between two commands is said between them, however quickly they come") {
  auto script = *parse_replay(R"({"transcript":1,"imei":"861850030000031","model":"UC20","from":"A","to":"B"}
{"t":0,"cmd":"AT"}
{"t":0.1,"final":"OK"}
{"t":5,"urc":"+CREG: 1"}
{"t":6,"noise":"xyz"}
{"t":7,"cmd":"AT+CPIN?"}
{"t":7.1,"line":"+CPIN: READY"}
{"t":7.1,"final":"OK"}
)",
                              "x");
  ReplayBench bench(script);
  bench.ask_all({"AT"});
  bench.ask("AT+CPIN?");
  check_order(bench.host.heard, {"+CREG: 1", "xyz", "+CPIN: READY", "OK"});
}
