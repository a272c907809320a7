// How a package comes into a whole module: over FTP, and out of its own files; and what cuts it off.
#include <doctest/doctest.h>

#include "tests/support/module_bench.hpp"
#include "tests/support/tiny_ftp_server.hpp"

using namespace dfota;
using namespace dfota::sim;
using namespace dfota::test;

namespace {

struct FtpBench : Bench {
  explicit FtpBench(const std::string& fault = "") : Bench(fault), ftp(loop) { ftp.body = server.body; }
  void command_ftp(const std::string& login = "test:secret@") {
    be_quiet();
    command("AT+QFOTADL=\"FTP://" + login + "127.0.0.1:" + ftp.port() + "/d.bin\"");
  }
  TinyFtpServer ftp;
};

void put(Bench& bench, const std::string& content) {
  bench.be_quiet();
  bench.ask("AT+QFUPL=\"UFS:d.bin\"," + std::to_string(content.size()));
  bench.until_heard("CONNECT\r\n");
  bench.pour(content);
  bench.until_heard("OK\r\n");
}

}  // namespace

TEST_CASE("an update over FTP") {
  FtpBench bench;
  bench.command_ftp();
  bench.until([&] { return bench.module->memory().version == kNew && bench.module->ready(); }, "the new version");
  CHECK(bench.host.has("\"FTPSTART\"\r\n\r\n+QIND: \"FOTA\",\"FTPEND\",0\r\n"));
  CHECK(bench.host.has("\"END\",0\r\n"));
  CHECK_FALSE(bench.host.has("HTTP"));
  CHECK(bench.logged("\"event\":\"ftp_request\",\"host\":\"127.0.0.1\""));
  CHECK(bench.logged("\"event\":\"download_done\",\"code\":0,\"bytes\":20000"));
  CHECK(bench.logged("FTP://***@127.0.0.1"));
  CHECK_FALSE(bench.logged("secret"));
}

TEST_CASE("over FTP, a family that tells of its download counts to the end") {
  FtpBench bench("model=EC200A,version=" + kOld);
  bench.ftp.body = *make_delta({"EC200A", kOld, kNew, kDeltaBytes});
  bench.be_quiet();
  bench.command("AT+QFOTADL=\"ftp://test:secret@127.0.0.1:" + bench.ftp.port() + "/d.bin\",1,10");
  bench.until_heard("\"FTPEND\",0\r\n");
  std::string told = "\"FTPSTART\"\r\n";
  for (int number = 1; number <= 10; ++number) {
    told += "\r\n+QIND: \"FOTA\",\"DOWNLOADING\"," + std::to_string(number) + "\r\n";
  }
  CHECK(bench.host.has(told + "\r\n+QIND: \"FOTA\",\"FTPEND\",0\r\n"));
}

TEST_CASE("over FTP, what fails is told under FTPEND") {
  SUBCASE("login") {
    FtpBench bench;
    bench.command_ftp("test:wrong@");
    bench.until_heard("\"FTPEND\",625\r\n");
    CHECK_FALSE(bench.logged("wrong"));
  }
  SUBCASE("limits") {
    FtpBench bench;
    bench.command_ftp("test:" + std::string(51, 'x') + "@");
    bench.until_heard("\"FTPSTART\"\r\n\r\n+QIND: \"FOTA\",\"FTPEND\",610\r\n");
    CHECK(bench.ftp.commands.empty());
  }
  SUBCASE("broken off at a percent") {
    FtpBench bench("ftpend-after=50:607,httpend-after=20:717");
    bench.command_ftp();
    bench.until_heard("\"FTPEND\",607\r\n");
    CHECK(bench.logged("\"event\":\"download_done\",\"code\":-1,\"bytes\":10000"));
  }
  SUBCASE("never asked") {
    FtpBench bench("no-request=602");
    bench.command_ftp();
    bench.until_heard("\"FTPEND\",602\r\n");
    CHECK(bench.ftp.commands.empty());
  }
  SUBCASE("httpend is not its fault") {
    FtpBench bench("httpend=703");
    bench.command_ftp();
    bench.until([&] { return bench.module->memory().version == kNew; }, "the new version");
  }
  SUBCASE("a reset in the middle") {
    FtpBench bench("reboot-download=50");
    bench.command_ftp();
    bench.until([&] { return bench.module->memory().boots == 2 && bench.module->ready(); }, "the boot");
    CHECK(bench.module->memory().version == kOld);
  }
  SUBCASE("a port that goes and returns") {
    FtpBench bench("hangup-download=50");
    bench.command_ftp();
    bench.until([&] { return bench.module->memory().version == kNew && bench.module->ready(); }, "the new version");
    CHECK(bench.host.opens == 4);
  }
  SUBCASE("a stall, which the end of the rack ends") {
    FtpBench bench("stall-download=50");
    bench.command_ftp();
    bench.until([&] { return bench.logged("\"stalled\""); }, "the stall");
    bench.host.heard.clear();
    bench.host.say("AT\r");
    bench.until_heard("\r\nOK\r\n");
  }
}

TEST_CASE("an update out of the file system: OK, and the module is gone") {
  Bench bench;
  put(bench, bench.server.body);
  bench.ask("AT+QFOTADL=\"UFS:d.bin\"");
  bench.until([&] { return bench.module->memory().version == kNew && bench.module->ready(); }, "the new version");
  CHECK(bench.host.heard.rfind("\r\nOK\r\n\r\n+QIND: \"FOTA\",\"START\"\r\n", 0) == 0);
  CHECK(bench.host.has("\"END\",0\r\n"));
  CHECK(bench.host.opens == 3);
  CHECK(bench.module->bytes_while_flashing() == 0);
  CHECK(bench.logged("\"event\":\"package_read\",\"name\":\"d.bin\",\"bytes\":20000"));
  bench.be_quiet();
  bench.command("AT+QFLST");
  CHECK(bench.host.has("UFS:d.bin"));
}

TEST_CASE("a file that is no package is found out after the reboot; one that is not there, before") {
  Bench bench;
  bench.server.body[5000] = '!';
  put(bench, bench.server.body);
  bench.ask("AT+QFOTADL=\"UFS:other.bin\"");
  bench.until_heard("ERROR\r\n");
  CHECK(bench.host.opens == 1);
  bench.command("AT+QFOTADL=\"ufs:d.bin\"");
  bench.until_heard("\"END\",505\r\n");
  bench.until([&] { return bench.module->memory().boots == 2 && bench.module->ready(); }, "the boot");
  CHECK(bench.module->memory().version == kOld);
}

TEST_CASE("power that goes takes the port with it, for good") {
  for (const auto* fault : {"power-down=30", "power-down-download=50"}) {
    INFO(fault);
    Bench bench(fault);
    bench.command_update();
    bench.until_heard("POWERED DOWN\r\n");
    bench.until([&] { return bench.host.port < 0; }, "the port to go");
    CHECK_FALSE(std::filesystem::exists(std::filesystem::symlink_status(bench.dir + "/m0")));
    CHECK(bench.logged("\"powered_down\""));
    CHECK(bench.module->memory().version == kOld);
  }
}

TEST_CASE("low voltage is told, and the update goes on") {
  Bench bench("low-voltage=30");
  bench.command_update();
  bench.until([&] { return bench.module->memory().version == kNew && bench.module->ready(); }, "the new version");
  CHECK(bench.host.has("\"UPDATING\",30\r\n\r\n+QIND: \"vbatt\",-1\r\n"));
  CHECK(bench.host.has("\"UPDATING\",100\r\n"));
}

TEST_CASE("a SIM that wants its PIN says so at boot, and no password stands in the log") {
  Bench bench("sim=pin,no-pdp");
  bench.until_heard("+CPIN: SIM PIN\r\n");
  bench.be_quiet();
  bench.command("AT+QICSGP=1,1,\"internet\",\"myself\",\"hidden\",1");
  CHECK(bench.logged("\\\"internet\\\",\\\"***\\\",\\\"***\\\",1"));
  CHECK_FALSE(bench.logged("hidden"));
}
