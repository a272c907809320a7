// Data mode of a whole module: AT+QFUPL, and AT+QFOTADL="FILE:<length>".
#include <doctest/doctest.h>

#include "tests/support/module_bench.hpp"

using namespace dfota;
using namespace dfota::sim;
using namespace dfota::test;

namespace {

std::string content_of(size_t size) {
  std::string content;
  for (size_t i = 0; i < size; ++i) content += static_cast<char>(i * 7 + i / 251);
  return content;
}

std::string checksum_of(const std::string& content) {
  QfuplChecksum checksum;
  checksum.feed(content);
  std::ostringstream text;
  text << std::hex << checksum.value();
  return text.str();
}

std::string sha256_of(const std::string& content) {
  DeltaCheck check;
  check.feed(content);
  return check.sha256();
}

void begin_upload(Bench& bench, const std::string& parameters) {
  bench.be_quiet();
  bench.ask("AT+QFUPL=\"UFS:d.bin\"," + parameters);
  bench.until_heard("\r\nCONNECT\r\n");
  bench.host.heard.clear();
}

std::string stored(const Bench& bench) {
  std::stringstream text;
  text << std::ifstream(bench.dir + "/m0.ufs/d.bin", std::ios::binary).rdbuf();
  return text.str();
}

std::string answer_for(const std::string& content) {
  return "\r\n+QFUPL: " + std::to_string(content.size()) + "," + checksum_of(content) + "\r\n\r\nOK\r\n";
}

/// Of a family that takes "FILE:<length>".
struct StreamBench : Bench {
  explicit StreamBench(const std::string& fault = "") : Bench("model=EC200A,version=" + kOld + fault) {
    server.body = *make_delta({"EC200A", kOld, kNew, kDeltaBytes});
  }
};

}  // namespace

TEST_CASE("an upload in acknowledged mode, kept over a restart") {
  const auto content = content_of(20000) + "AT\rATI\r";
  const TempDir dir;
  {
    Bench bench("", &dir);
    begin_upload(bench, std::to_string(content.size()) + ",5,1");
    bench.pour(content);
    bench.until_heard("OK\r\n");
    CHECK(bench.host.heard == std::string(19, 'A') + answer_for(content));
    CHECK(stored(bench) == content);
    CHECK(bench.logged("\"event\":\"upload_begin\",\"name\":\"d.bin\",\"size\":20007"));
    CHECK(bench.logged("\"event\":\"uploaded\",\"name\":\"d.bin\",\"bytes\":20007,\"sha256\":\"" + sha256_of(content) +
                       "\",\"xor\":\"" + checksum_of(content) + "\",\"end\":\"whole\""));
    bench.command("AT+QFLST=\"UFS:d.bin\"");
    CHECK(bench.host.has("+QFLST: \"UFS:d.bin\",20007\r\n"));
    bench.ask("AT+QFUPL=\"UFS:d.bin\",10");
    bench.until_heard("ERROR\r\n");
  }
  Bench bench("", &dir);
  bench.be_quiet();
  bench.command("AT+QFLST");
  CHECK(bench.host.has("+QFLST: \"UFS:d.bin\",20007\r\n"));
  bench.command("AT+QFDEL=\"UFS:d.bin\"");
  CHECK_FALSE(std::filesystem::exists(dir / "m0.ufs/d.bin"));
}

TEST_CASE("without acknowledgements the module is silent until the end, and echoes nothing") {
  Bench bench;
  const auto content = content_of(3000);
  bench.ask("AT+QFUPL=\"d.bin\",3000");
  bench.until_heard("CONNECT\r\n");
  bench.host.heard.clear();
  bench.pour(content);
  bench.until_heard("OK\r\n");
  CHECK(bench.host.heard == answer_for(content));
}

TEST_CASE("a sender that falls silent has uploaded what came") {
  SteppedClock clock;
  Bench bench;
  bench.clock = &clock;
  begin_upload(bench, "3000,5,1");
  const auto content = content_of(2048);
  bench.pour(content);
  bench.until_heard("AA");
  clock.advance(std::chrono::seconds(6));
  bench.until_heard("OK\r\n");
  CHECK(bench.host.heard == "AA" + answer_for(content));
  CHECK(stored(bench) == content);
  CHECK(bench.logged("\"end\":\"idle\""));
}

TEST_CASE("+++ alone ends an upload") {
  SteppedClock clock;
  Bench bench;
  bench.clock = &clock;
  begin_upload(bench, "3000,60,1");
  const auto content = content_of(2048);
  bench.pour(content);
  bench.until_heard("AA");
  clock.advance(std::chrono::seconds(2));
  bench.pour("+++");
  bench.until_heard("OK\r\n");
  CHECK(bench.host.heard == "AA" + answer_for(content));
  CHECK(bench.logged("\"end\":\"escaped\""));
}

TEST_CASE("what comes beyond the declared size is swallowed, the next command is not") {
  Bench bench;
  begin_upload(bench, "1500,5,1");
  const auto content = content_of(1500);
  bench.pour(content + std::string(548, '\xff'));
  bench.until_heard("OK\r\n");
  CHECK(bench.host.heard == "A" + answer_for(content));
  bench.host.heard.clear();
  bench.pour(
      "\xff\xff"
      "AT+CMEE?\r");
  bench.until_heard("OK\r\n");
  CHECK(bench.host.heard == "\r\n+CMEE: 0\r\n\r\nOK\r\n");
  CHECK(bench.logged("\"event\":\"excess\",\"count\":548"));
}

TEST_CASE("a file that is stored wrong tells another checksum") {
  Bench bench("corrupt-upload");
  begin_upload(bench, "1500,5,1");
  auto content = content_of(1500);
  bench.pour(content);
  bench.until_heard("OK\r\n");
  content.back() = static_cast<char>(content.back() ^ 1);
  CHECK(bench.host.heard == "A" + answer_for(content));
  CHECK(stored(bench) == content);
}

TEST_CASE("a package that is streamed over the port is flashed") {
  StreamBench bench;
  bench.be_quiet();
  bench.command("AT+QFOTADL=\"FILE:" + std::to_string(kDeltaBytes) + "\",0,100");
  bench.until_heard("\"FILESTART\"\r\n");
  bench.pour(bench.server.body);
  bench.until([&] { return bench.module->memory().version == kNew && bench.module->ready(); }, "the new version");
  CHECK(bench.host.has("\"FILEEND\",0\r\n"));
  CHECK(bench.host.has("\"END\",0\r\n"));
  CHECK(bench.module->bytes_while_flashing() == 0);
  CHECK(bench.logged("\"event\":\"download_done\",\"code\":0,\"bytes\":20000,\"sha256\":\"" +
                     sha256_of(bench.server.body)));
  CHECK(bench.server.requests.empty());
}

TEST_CASE("a stream that is wrong, or stops, ends in its code") {
  SteppedClock clock;
  StreamBench bench;
  bench.clock = &clock;
  bench.be_quiet();
  bench.command("AT+QFOTADL=\"FILE:" + std::to_string(kDeltaBytes) + "\"");
  bench.until_heard("\"FILESTART\"\r\n");
  SUBCASE("wrong") {
    bench.server.body[5000] = '!';
    bench.pour(bench.server.body);
    bench.until_heard("\"FILEEND\",0\r\n\r\n+QIND: \"FOTA\",\"END\",505\r\n");
  }
  SUBCASE("stops") {
    bench.pour(std::string_view(bench.server.body).substr(0, 5000));
    clock.advance(std::chrono::seconds(11));
    bench.until_heard("\"FILEEND\",500\r\n");
  }
  CHECK(bench.module->memory().version == kOld);
}

TEST_CASE("without flow control a fast stream is an overrun") {
  SteppedClock clock;
  StreamBench bench(",no-flow-control");
  bench.clock = &clock;
  bench.be_quiet();
  bench.command("AT+QFOTADL=\"FILE:" + std::to_string(kDeltaBytes) + "\"");
  bench.until_heard("\"FILESTART\"\r\n");
  bench.pour(bench.server.body);
  bench.until_heard("\"FILEEND\",500\r\n");
  CHECK(bench.logged("\"event\":\"overrun\""));
  CHECK(bench.module->memory().version == kOld);
}

TEST_CASE("on a throttled line everything comes, in both directions") {
  Bench bench("", nullptr, 921600);
  const auto content = content_of(30000);
  begin_upload(bench, "30000,5,1");
  bench.pour(content);
  bench.until_heard("OK\r\n");
  CHECK(bench.host.heard == std::string(29, 'A') + answer_for(content));
  CHECK(stored(bench) == content);
}
