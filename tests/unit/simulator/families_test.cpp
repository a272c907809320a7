// The transcripts T1-T9 of real modules and the orders of their boots, as the rack's own output: what a host reads
// between AT+QFOTADL and the end of the last boot, byte for byte, over all reboots.
#include <doctest/doctest.h>

#include "tests/support/module_bench.hpp"

using namespace dfota;
using namespace dfota::sim;
using namespace dfota::test;

namespace {

using Lines = std::vector<std::string>;

const Profiles& with_zz9() {
  static const Profiles profiles = std::get<Profiles>(load_profiles(DFOTA_SOURCE_DIR "/tests/support/profiles"));
  return profiles;
}

ModuleOptions options_of(const std::string& model, const std::string& fault, const Profiles& profiles) {
  auto options = Bench::options_with(fault);
  options.model = model;
  options.profiles = &profiles;
  return options;
}

/// A module of one family, whose delta leads from its own version to another.
struct FamilyBench : Bench {
  explicit FamilyBench(const std::string& model, const std::string& fault = "",
                       const Profiles& profiles = builtin_profiles())
      : FamilyBench(options_of(model, fault, profiles)) {}
  explicit FamilyBench(const ModuleOptions& options) : Bench(options), model(options.model) {
    old_version = module->memory().version;
    new_version = old_version + "N";
    server.body = delta(old_version);
  }
  std::string delta(const std::string& base, const std::string& of_model = "") const {
    return *make_delta({of_model.empty() ? model : of_model, base, new_version, kDeltaBytes});
  }
  std::string url(const std::string& scheme) const {
    return scheme + "127.0.0.1:" + std::to_string(server.acceptor.local_endpoint().port()) + "/d.bin";
  }
  /// Everything from the answer to this command until the module has booted `boots` times in all.
  std::string hear(const std::string& command, uint64_t boots = 2) {
    be_quiet();
    ask(command);
    until([&] { return module->memory().boots == boots && module->ready(); }, "the end of " + command);
    until_heard(module_boot().back() + "\r\n");
    return host.heard;
  }
  std::string hear_update(const std::string& scheme, const std::string& parameters = "") {
    return hear("AT+QFOTADL=\"" + url(scheme) + "\"" + parameters);
  }
  void put_file() {
    be_quiet();
    ask("AT+QFUPL=\"UFS:d.bin\"," + std::to_string(server.body.size()));
    until_heard("CONNECT\r\n");
    pour(server.body);
    until_heard("OK\r\n");
  }
  Lines module_boot() const { return Family::of(with_zz9(), model).boot_urcs(0); }
  [[nodiscard]] bool is_updated() const { return module->memory().version == new_version; }
  std::string model, old_version, new_version;
};

std::string fota(const std::string& stage) {
  return "+QIND: \"FOTA\",\"" + stage + "\"";
}

/// The stage with each number from first to last.
Lines counted(const std::string& stage, int first, int last, const std::string& behind = "", int step = 1) {
  Lines lines;
  for (int value = first; value <= last; value += step)
    lines.push_back(fota(stage) + "," + std::to_string(value) + behind);
  return lines;
}

std::string bytes_of(const std::vector<Lines>& parts) {
  std::string bytes;
  for (const auto& part : parts) {
    for (const auto& line : part) bytes += "\r\n" + line + "\r\n";
  }
  return bytes;
}

const Lines kOk = {"OK"};
const Lines kEnded = {fota("END") + ",0"};
const Lines kHttp = {fota("HTTPSTART"), fota("HTTPEND") + ",0"};
const Lines kUsualBoot = {"RDY", "+CPIN: READY", "+QUSIM: 1", "+CFUN: 1", "+QIND: SMS DONE", "+QIND: PB DONE"};

}  // namespace

TEST_CASE("T1: a UC20, as the guide tells it") {
  FamilyBench bench("UC20");
  CHECK(bench.hear_update("HTTP://") ==
        bytes_of({kOk, kHttp, {fota("START")}, counted("UPDATING", 1, 100), kEnded, kUsualBoot}));
  CHECK(bench.is_updated());
  CHECK(bench.host.opens == 3);
}

TEST_CASE("T2: an EG18 with the names of HTTPS") {
  FamilyBench bench("EG18", "https-names");
  CHECK(bench.hear_update("http://") == bytes_of({kOk,
                                                  {fota("HTTPSSTART"), fota("HTTPSEND") + ",0", fota("START")},
                                                  counted("UPDATING", 1, 100),
                                                  kEnded,
                                                  kUsualBoot}));
  CHECK(bench.is_updated());
}

TEST_CASE("T2 and T8: an EG18 from its own file: the port goes right after OK, and the first number is 0") {
  FamilyBench bench("EG18");
  bench.put_file();
  CHECK(bench.hear("AT+QFOTADL=\"/cache/ufs/d.bin\"") ==
        bytes_of({kOk, {fota("START")}, counted("UPDATING", 0, 100), kEnded, kUsualBoot}));
  CHECK(bench.is_updated());
  CHECK(bench.host.opens == 3);
  CHECK(bench.module->bytes_while_flashing() == 0);
}

TEST_CASE("T3: a BG96: its version with control characters, its errors, a 702") {
  FamilyBench bench("BG96", "httpend=702");
  bench.ask("AT+QGMR");
  bench.until_heard("OK\r\n");
  CHECK(bench.host.heard == "AT+QGMR\r\r\nBG96MAR02A07M1G_01.007.01.007\r\n\r\nOK\r\n");
  bench.ask("ATI");
  bench.until_heard("OK\r\n");
  CHECK(bench.host.heard == "ATI\r\r\nQuectel\r\nBG96\r\nRevision: BG96MAR02A07M1G\r\n\r\nOK\r\n");
  bench.command("AT+CMEE=1");
  bench.ask("AT+CSQ?");
  bench.until_heard("ERROR: 3\r\n");
  CHECK(bench.host.heard == "AT+CSQ?\r\r\n+CME ERROR: 3\r\n");
  bench.be_quiet();
  bench.ask("AT+QFOTADL=\"" + bench.url("HTTP://") + "\"");
  bench.until_heard(",702\r\n");
  CHECK(bench.host.heard == bytes_of({kOk, {fota("HTTPSTART"), fota("HTTPEND") + ",702"}}));
}

TEST_CASE("a BG96 restores behind its update, and says APP RDY") {
  FamilyBench bench("BG96");
  const Lines boot = {"RDY", "APP RDY", "+CPIN: READY", "+QUSIM: 1", "+CFUN: 1", "+QIND: SMS DONE", "+QIND: PB DONE"};
  const auto heard = bench.hear_update("HTTP://");
  CHECK(heard ==
        bytes_of(
            {kOk, kHttp, {fota("START")}, counted("UPDATING", 1, 100), counted("RESTORE", 1, 100, "%"), kEnded, boot}));
  CHECK(heard.find("+QIND: \"FOTA\",\"RESTORE\",1%\r\n") != std::string::npos);
  CHECK(heard.find("\r\nRDY\r\n\r\nAPP RDY\r\n") != std::string::npos);
  CHECK(bench.is_updated());
}

TEST_CASE("a BG96 takes the package that lies in its EFS, and only by AT+QFOTADL=1") {
  const TempDir dir;
  auto options = options_of("BG96", "", builtin_profiles());
  options.efs_package = dir / "update.zip";
  FamilyBench bench(options);
  std::ofstream(options.efs_package, std::ios::binary) << bench.server.body;
  for (const auto* wrong : {"AT+QFOTADL=2", "AT+QFOTADL=\"1\"", "AT+QFOTADL=\"UFS:update.zip\""}) {
    bench.ask(wrong);
    bench.until_heard("ERROR\r\n");
  }
  const auto heard = bench.hear("AT+QFOTADL=1");
  CHECK(heard.find("\r\nOK\r\n\r\n" + fota("START") + "\r\n") == 0);
  CHECK(bench.is_updated());
}

TEST_CASE("T4: an EC200U, as a family of one's own: every second percent, and silence while it writes") {
  const auto parsed = parse_profile(
      "name = 'unisoc'\nmodels = ['EC200U']\nurl.http = 'http://'\ncommand.parameters = ',1,50,100'\n"
      "[stages]\ndownloading = 'DOWNLOADING'\nstart = ''\nupdating = ''\nend = ''\n",
      "unisoc.toml");
  REQUIRE(std::holds_alternative<Profile>(parsed));
  const Profiles profiles({std::get<Profile>(parsed)});
  FamilyBench bench("EC200U", "", profiles);
  bench.command("AT+QICSGP=2,1,\"airtelgprs.com\",\"\",\"\",1");
  bench.command("AT+QCFG=\"fota/cid\",2");
  CHECK(bench.hear_update("http://", ",1,50,100") ==
        bytes_of(
            {kOk, {fota("HTTPSTART")}, counted("DOWNLOADING", 2, 100, "", 2), {fota("HTTPEND") + ",0"}, kUsualBoot}));
  CHECK(bench.is_updated());
}

TEST_CASE("T5: 608 under HTTPEND, and never a connection") {
  FamilyBench bench("EC25", "httpend=608");
  bench.be_quiet();
  bench.ask("AT+QFOTADL=\"" + bench.url("http://") + "\"");
  bench.until_heard(",608\r\n");
  CHECK(bench.host.heard == bytes_of({kOk, {fota("HTTPSTART"), fota("HTTPEND") + ",608"}}));
  CHECK(bench.server.requests.empty());
}

TEST_CASE("T6: an EC800K counts its download, reboots in the middle, and has no START") {
  FamilyBench bench("EC800K");
  const Lines boot = {"+CPIN: READY", "+QUSIM: 1", "+QIND: PB DONE", "+QIND: SMS DONE"};
  CHECK(bench.hear_update("http://", ",1,50") == bytes_of({kOk,
                                                           {fota("HTTPSTART")},
                                                           counted("DOWNLOADING", 1, 50),
                                                           {fota("HTTPEND") + ",0"},
                                                           counted("UPDATING", 7, 47),
                                                           counted("UPDATING", 60, 96),
                                                           kEnded,
                                                           boot}));
  CHECK(bench.is_updated());
  CHECK(bench.host.opens == 4);
}

TEST_CASE("DOWNLOADING is switched off by a 0, and counts to another number when told so") {
  FamilyBench silent("EC800K");
  CHECK(silent.hear_update("http://", ",1,0").find("DOWNLOADING") == std::string::npos);
  FamilyBench twenty("EC800K");
  CHECK(twenty.hear_update("http://", ",0,20,100")
            .find(bytes_of({counted("DOWNLOADING", 1, 20), {fota("HTTPEND") + ",0"}})) != std::string::npos);
}

TEST_CASE("T7: the boot loader's noise before START, and numbers that jump") {
  FamilyBench bench("UC20", "boot-noise,percent-uneven");
  Lines numbers;
  for (const int value : {0, 2, 4, 6, 9, 13, 18, 24, 31, 39, 48, 58, 69, 81, 94, 100}) {
    numbers.push_back(fota("UPDATING") + "," + std::to_string(value));
  }
  const std::string noise = "^boot.rom'v'!\n";
  auto boot = kUsualBoot;
  boot.insert(boot.begin() + 1, "APP RDY");
  CHECK(bench.hear_update("HTTP://") ==
        bytes_of({kOk, kHttp}) + noise + bytes_of({{fota("START")}, numbers, kEnded}) + noise + bytes_of({boot}));
  CHECK(bench.is_updated());
}

TEST_CASE("T9: small letters; a module of no family has UC20's ways") {
  FamilyBench bench("RG502Q-EA");
  CHECK(bench.hear("at+qfotadl=\"" + bench.url("http://") + "\"") ==
        bytes_of({kOk, kHttp, {fota("START")}, counted("UPDATING", 1, 100), kEnded, kUsualBoot}));
  CHECK(bench.is_updated());
}

TEST_CASE("the boot with a locked SIM") {
  FamilyBench bench("EC25", "sim=pin");
  bench.until([&] { return bench.module->ready(); }, "the boot");
  bench.until_heard("PB DONE\r\n");
  auto boot = kUsualBoot;
  boot[1] = "+CPIN: SIM PIN";
  CHECK(bench.host.heard == bytes_of({boot}));
}

TEST_CASE("an EC25 from its own file, by its own path only") {
  FamilyBench bench("EC25");
  bench.put_file();
  for (const auto* wrong : {"UFS:d.bin", "/cache/ufs/d.bin", "/data/ufs/other.bin", "FILE:20000"}) {
    bench.ask("AT+QFOTADL=\"" + std::string(wrong) + "\"");
    bench.until_heard("ERROR\r\n");
  }
  CHECK(bench.hear("AT+QFOTADL=\"/data/ufs/d.bin\"") ==
        bytes_of({kOk, {fota("START")}, counted("UPDATING", 1, 100), kEnded, kUsualBoot}));
  CHECK(bench.is_updated());
}

TEST_CASE("an EC200A from a stream: FILESTART and FILEEND") {
  FamilyBench bench("EC200A");
  bench.be_quiet();
  bench.ask("AT+QFOTADL=?");
  bench.until_heard("OK\r\n");
  CHECK(bench.host.heard == bytes_of({{"+QFOTADL: <url>,(0,1),(0,5-100),(0,5-100)", "OK"}}));
  bench.ask("AT+QFOTADL=\"FILE:" + std::to_string(kDeltaBytes) + "\",1,50");
  bench.until_heard("\"FILESTART\"\r\n");
  bench.pour(bench.server.body);
  bench.until([&] { return bench.module->memory().boots == 2 && bench.module->ready(); }, "the update");
  CHECK(bench.host.heard.find(bytes_of({kOk,
                                        {fota("FILESTART"), fota("FILEEND") + ",0"},
                                        counted("UPDATING", 7, 47),
                                        counted("UPDATING", 60, 96),
                                        kEnded})) == 0);
  CHECK(bench.is_updated());
}

TEST_CASE("a wrong base, another model and a torn package end in the family's own codes") {
  struct Row {
    const char* model;
    int base, other_model, torn;
  };
  for (const auto& row : {Row{"EG18", 510, 510, 505}, Row{"EC200A", 553, 552, 505}, Row{"ZZ9", 49, 49, 31}}) {
    CAPTURE(row.model);
    const std::string end = std::string(row.model) == "ZZ9" ? "DONE" : "END";
    const auto ends = [&](const std::string& body, int code, bool reboots) {
      FamilyBench bench(row.model, "", with_zz9());
      bench.server.body = body.empty() ? bench.delta(bench.old_version, "OTHER") : body;
      bench.be_quiet();
      bench.ask("AT+QFOTADL=\"" + bench.url("http://") + "\"");
      bench.until_heard(fota(end) + "," + std::to_string(code) + "\r\n");
      bench.until([&] { return bench.module->ready(); }, "the end");
      CHECK(bench.module->memory().version == bench.old_version);
      CHECK(bench.module->memory().boots == (reboots ? 2 : 1));
    };
    FamilyBench model(row.model, "", with_zz9());
    ends(model.delta("V0"), row.base, true);
    ends("", row.other_model, true);
    auto torn = model.server.body;
    torn[5000] = '!';
    ends(torn, row.torn, false);
  }
}

TEST_CASE("a family that exists in a file only") {
  FamilyBench bench("ZZ9", "", with_zz9());
  CHECK(bench.old_version == "ZZ9R01A01");
  CHECK(bench.hear_update("Http://", ",0,20") == bytes_of({kOk,
                                                           {fota("PULLSTART")},
                                                           counted("PULLING", 1, 20),
                                                           {fota("PULLEND") + ",0", fota("WRITESTART")},
                                                           counted("WRITING", 1, 10),
                                                           counted("COPYBACK", 1, 100, "%"),
                                                           {fota("DONE") + ",0"},
                                                           kUsualBoot}));
  CHECK(bench.is_updated());
  CHECK(bench.host.opens == 4);
  CHECK(bench.logged("\"parameters\":\",0,20\""));
}

TEST_CASE("the same family from its file system") {
  FamilyBench bench("ZZ9", "", with_zz9());
  bench.put_file();
  CHECK(bench.hear("AT+QFOTADL=\"/ufs0/d.bin\",0,20")
            .find(bytes_of({kOk, {fota("WRITESTART")}, counted("WRITING", 1, 10)})) == 0);
  CHECK(bench.is_updated());
}

TEST_CASE("a fault by percent strikes whatever a family counts to") {
  FamilyBench bench("ZZ9", "stall=50,low-voltage=20", with_zz9());
  bench.be_quiet();
  bench.ask("AT+QFOTADL=\"" + bench.url("http://") + "\"");
  bench.until([&] { return bench.logged("\"stalled\""); }, "the stall");
  CHECK(bench.host.has(fota("WRITING") + ",5\r\n"));
  CHECK_FALSE(bench.host.has(fota("WRITING") + ",6\r\n"));
  CHECK(bench.host.count("\"vbatt\",-1") == 1);
  CHECK(bench.host.has(fota("WRITING") + ",2\r\n\r\n+QIND: \"vbatt\",-1\r\n"));
}
