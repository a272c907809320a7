// What an update makes of each transcript: T1, T2 over HTTPS, T5, T6 and T7 in one read for each piece and in one for
// each byte, the others in one way only. What the parser makes of them, cut at every byte: transcripts_test.cpp.
#include <doctest/doctest.h>

#include <fstream>

#include "tests/support/transcript_play.hpp"

using namespace dfota;
using namespace dfota::test;

namespace {

using Words = std::vector<std::string>;

void order(UpdateFixture& f, Delivery delivery, const std::string& what) {
  f.order.delivery = delivery;
  (delivery == Delivery::file ? f.order.file : f.order.url) = what;
}

/// The family that an operator with an EC200U would write: its numbers are percentages.
void add_ec200u(UpdateFixture& f) {
  const auto parsed = parse_profile(R"(
name = "ec200u"
models = ["EC200U"]
version_command = "AT+QGMR"
reboots = 1
[url]
https = "https://"
[command]
pdp = "fota/cid"
parameters = ",1,50,100"
[stages]
downloading = "DOWNLOADING"
)",
                                    "ec200u.toml");
  REQUIRE(std::holds_alternative<Profile>(parsed));
  f.profiles.add(std::get<Profile>(parsed));
  f.model = "EC200U";
  order(f, Delivery::url, "https://...pack");
}

/// Up to the last byte of the package.
void stream(UpdateFixture& f) {
  f.model = "EC200A";
  f.order.delivery = Delivery::upload;
  f.order.package = f.dir.path() / "delta.bin";
  const std::string delta(100, 'd');
  std::ofstream(f.order.package) << delta;
  f.begin();
  f.greet();
  play(f, kLteStandardAFile, Pace::byte_by_byte, 0, 1);
  for (int block = 0; block < 4; ++block) f.step(3ms);
  CHECK(f.module.take_data(delta.size()) == delta);
}

}  // namespace

TEST_CASE("T1: UC20 from our own file server") {
  for (const Pace pace : kPaces) {
    UpdateFixture f;
    f.begin();
    f.greet();
    f.expect_command();
    const auto& download = kT1Uc20.pieces[0].bytes;
    const auto last_byte = download.find("\r\n+QIND: \"FOTA\",\"HTTPEND\"");
    say(f, download.substr(0, last_byte), pace);
    f.env.state.requests = 1;
    f.env.state.delivered_bytes = 990;
    f.env.state.last_byte_wanted = true;
    f.changed.notify();
    f.module.settle();
    REQUIRE(f.env.was_asked("release"));
    f.env.state.delivered_bytes = 1000;
    say(f, download.substr(last_byte), pace);
    reboot(f);
    play(f, kT1Uc20, pace, 1);
    f.step(3s);
    f.verify(kTo);
    CHECK(f.outcome() == Outcome::succeeded);
    CHECK(f.result->warnings.empty());
    CHECK(progress(f) == "preparing\ndownloading\ndownloading 99\nrebooting\nupdating\nupdating " + kOneToHundred +
                             "\nrebooting\nverifying\n");
  }
}

TEST_CASE("T2: EG18 over HTTPS") {
  for (const Pace pace : kPaces) {
    UpdateFixture f;
    f.model = "EG18";
    order(f, Delivery::url, "https://...");
    f.begin();
    f.greet();
    play(f, kT2Eg18Https, pace);
    f.step(3s);
    f.verify(kTo);
    CHECK(f.outcome() == Outcome::succeeded);
    CHECK(f.result->warnings == Words{"unverified_delivery"});
    CHECK(progress(f) ==
          "preparing\ndownloading\nrebooting\nupdating\nupdating " + kOneToHundred + "\nrebooting\nverifying\n");
  }
}

TEST_CASE("T2: EG18 from its file system: the reboot follows the OK") {
  UpdateFixture f;
  f.model = "EG18";
  order(f, Delivery::file, "UFS:DFOATUpgrade.zip");
  f.begin();
  f.greet();
  f.module.expect("AT+QFLST=\"UFS:DFOATUpgrade.zip\"", "\r\n+QFLST: \"UFS:DFOATUpgrade.zip\",41440551\r\n\r\nOK\r\n");
  play(f, kT2Eg18File, Pace::whole);
  f.step(8s);
  CHECK(f.module.unread().empty());  // no RDY was heard: END alone is given more time
  f.step(1s);
  f.verify(kTo);
  CHECK(f.outcome() == Outcome::succeeded);
  CHECK(f.result->warnings == Words{"unverified_delivery"});
  CHECK(progress(f) == "preparing\nrebooting\nupdating\nupdating 0 " + kOneToHundred + "\nrebooting\nverifying\n");
}

TEST_CASE("T3: BG96 echoes, answers without CR LF before its lines, and gives up after six minutes") {
  UpdateFixture f;
  f.model = "BG96";
  f.order.from = "BG96MAR02A07M1G_01.007.01.007";
  order(f, Delivery::url, "https://...");
  f.begin();
  f.step(3s);
  f.module.expect("AT", "AT\r\r\nOK\r\n");
  f.module.expect("ATE0", "ATE0\r\r\nOK\r\n");
  f.module.expect("AT+CMEE=1", "AT+CMEE=1\r\r\nOK\r\n");
  f.module.expect("ATI", "ATI\r\r\nQuectel\r\nBG96\r\nRevision: BG96MAR02A07M1G\r\n\r\nOK\r\n");
  REQUIRE(f.module.next_command() == kT3Bg96.pieces[0].command);
  say(f, kT3Bg96.pieces[0].bytes, Pace::byte_by_byte);
  f.module.expect("AT+GSN", "AT+GSN\r\r\n" + std::string(kImei) + "\r\n\r\nOK\r\n");
  f.answer_network();
  REQUIRE(f.module.next_command() == kT3Bg96.pieces[3].command);
  say(f, kT3Bg96.pieces[3].bytes, Pace::byte_by_byte);
  f.step(6min);
  CHECK(f.module.unread().empty());
  CHECK_FALSE(f.result);
  play(f, kT3Bg96, Pace::byte_by_byte, 4);
  CHECK(f.outcome() == Outcome::failed);
  CHECK(f.env.errors.back().number == 702);
  CHECK(f.env.errors.back().source == "http");
}

TEST_CASE("T4: EC200U, its context set as the thread has it, and its DOWNLOADING in percent") {
  UpdateFixture f;
  add_ec200u(f);
  f.order.pdp = PdpConfig{2, "airtelgprs.com", "", "", 1};
  f.begin();
  f.greet();
  play(f, kT4Ec200u, Pace::byte_by_byte, 0, 2);
  f.module.expect("AT+CPIN?", "\r\n+CPIN: READY\r\n\r\nOK\r\n");
  f.module.expect("AT+CREG?", "\r\n+CREG: 0,1\r\n\r\nOK\r\n");
  f.module.expect("AT+QCFG=\"fota/cid\"", "\r\n+QCFG: \"fota/cid\",2\r\n\r\nOK\r\n");
  f.module.expect("AT+QICSGP=2", "\r\n+QICSGP: 1,\"airtelgprs.com\",\"\",\"\",1\r\n\r\nOK\r\n");
  play(f, kT4Ec200u, Pace::byte_by_byte, 2);
  f.step(299s);
  CHECK(f.module.unread().empty());
  f.step(2s);  // it says nothing after its reboot: the silence is ended by one bare AT
  f.module.expect("AT", "\r\nOK\r\n");
  f.verify(kTo);
  CHECK(f.outcome() == Outcome::succeeded);
  CHECK(f.result->warnings == Words{"unverified_delivery", "end_not_seen"});
  CHECK(progress(f) == "preparing\ndownloading\ndownloading " + kTwoToHundred + "\nrebooting\n");
}

TEST_CASE("T5: 608 under HTTPEND ends the attempt, and what was wrong there in the field is told") {
  for (const Pace pace : kPaces) {
    for (const bool our_own_server : {false, true}) {  // which no request reached
      UpdateFixture f;
      if (our_own_server) {
        f.begin();
        f.greet();
        f.expect_command();
        say(f, kT5Ec200u608.pieces[0].bytes, pace);
      } else {
        add_ec200u(f);
        f.begin();
        f.greet();
        play(f, kT5Ec200u608, pace);
      }
      CHECK(f.outcome() == Outcome::failed);
      REQUIRE(f.env.errors.size() == 1);
      CHECK(f.env.errors[0].number == 608);
      CHECK(f.env.errors[0].source == "http");
      CHECK_MESSAGE(f.env.errors[0].hint.find("fota/path") != std::string::npos, f.env.errors[0].hint);
      CHECK(f.module.unread().empty());
    }
  }
}

TEST_CASE("T6: EC800K says nothing of its download, and boots in the middle of flashing") {
  for (const Pace pace : kPaces) {
    UpdateFixture f;
    f.model = "EC800K";
    order(f, Delivery::url, "http://...");
    f.begin();
    f.greet();
    play(f, kT6Ec800k, pace);
    f.step(9s);
    f.verify(kTo);
    CHECK(f.outcome() == Outcome::succeeded);
    CHECK(f.result->warnings == Words{"unverified_delivery"});
    CHECK(progress(f) == "preparing\ndownloading\nrebooting\nupdating " + kSevenToFortySeven +
                             "\nrebooting\nupdating " + kSixtyToNinetySix + "\nrebooting\nverifying\n");
  }
}

TEST_CASE("T7: boot noise, steps of no rule, and then nothing more") {
  for (const Pace pace : kPaces) {
    UpdateFixture f;
    f.model = "Air780E";
    f.order.profile = "uc20";
    f.to_released();
    f.changed.notify();
    f.module.settle();
    play(f, kT7Air780e, pace);
    f.step(301s);
    f.module.expect("AT", "\r\nOK\r\n");
    f.verify(kTo);
    CHECK(f.outcome() == Outcome::succeeded);
    CHECK(f.result->warnings == Words{"end_not_seen"});
    CHECK(progress(f) == "preparing\ndownloading\ndownloading 99 100\nupdating\nupdating 0 2 4 6 9 13\nverifying\n");
  }
}

TEST_CASE("T8: the port hangs up behind OK or within it, and its name is no terminal for a while") {
  const auto& ok = kT8HangUp.pieces[0].bytes;
  for (const std::size_t heard : {0U, 4U, 6U}) {  // nothing, OK without its end, all
    CAPTURE(heard);
    UpdateFixture f;
    f.model = "EG18";
    order(f, Delivery::file, "UFS:DFOATUpgrade.zip");
    f.begin();
    f.greet();
    f.module.expect("AT+QFLST=\"UFS:DFOATUpgrade.zip\"", "\r\n+QFLST: \"UFS:DFOATUpgrade.zip\",41440551\r\n\r\nOK\r\n");
    REQUIRE(f.module.next_command() == kT8HangUp.pieces[0].command);
    f.module.say(ok.substr(0, heard));
    f.module.unplug();
    f.module.settle();
    std::ofstream(f.module.port()) << "not a tty";
    f.step(200ms);
    f.step(200ms);
    CHECK_FALSE(f.result);
    f.module.plug();
    f.step(200ms);
    play(f, kT2Eg18File, Pace::whole, 1);
    f.step(9s);
    f.verify(kTo);
    CHECK(f.outcome() == Outcome::succeeded);
    CHECK(f.result->attempts == 1);
    const bool acknowledged = heard > std::string("\r\nOK").size();
    CHECK(f.result->warnings ==
          (acknowledged ? Words{"unverified_delivery"} : Words{"unverified_delivery", "command_not_acknowledged"}));
  }
}

TEST_CASE("T9: NR7101 echoes in lower case, comes and goes twice, and says nothing") {
  UpdateFixture f;
  f.model = "RG502Q-EA";
  f.order.profile = "ep06";  // of no built-in family; this one is spoken to in the same way
  f.order.from = "RG502QEAAAR01A04M4G";
  f.order.to = "RG502QEAAAR11A03M4G";
  order(f, Delivery::url, "http://..../RG502QEAAAR01A04-R11A03.zip");
  f.begin();
  f.greet(f.order.from);
  REQUIRE(f.module.next_command() == "AT+QFOTADL=\"http://..../RG502QEAAAR01A04-R11A03.zip\"");
  say(f, kT9Nr7101.pieces[0].bytes, Pace::byte_by_byte);
  reboot(f);
  play(f, kT9Nr7101, Pace::byte_by_byte, 1);
  f.step(299s);
  CHECK(f.module.unread().empty());
  f.step(2s);
  f.module.expect("AT", "\r\nOK\r\n");
  f.verify(f.order.to);
  CHECK(f.outcome() == Outcome::succeeded);
  CHECK(f.result->warnings == Words{"unverified_delivery", "end_not_seen"});
}

TEST_CASE("each order of boot URCs behind END leads to the version") {
  for (const Transcript* boot : {&kBootEg18, &kBootEg800q, &kBootBg96, &kBootSimPin, &kBootPbTwice}) {
    CAPTURE(boot->name);
    UpdateFixture f;
    Checkpoint entry;
    entry.step = Step::released;
    entry.attempt = 1;
    entry.profile = "uc20";
    f.begin(entry);
    f.module.say("\r\n+QIND: \"FOTA\",\"END\",0\r\n");
    play(f, *boot, Pace::byte_by_byte, 0, 1);
    f.step(2s);
    CHECK(f.module.unread().empty());
    f.step(1s);
    f.verify(kTo);
    CHECK(f.outcome() == Outcome::succeeded);
    CHECK(f.result->warnings.empty());
  }
}

TEST_CASE("each failure text to AT+QFOTADL ends the attempt, with a number only where there is one") {
  const std::string texts[] = {"ERROR", "+CME ERROR: 50", "+CME ERROR: SIM not inserted", "+CME ERROR: 1 3"};
  for (std::size_t i = 0; i < kFailureTexts.pieces.size(); ++i) {
    CAPTURE(texts[i]);
    UpdateFixture f;
    order(f, Delivery::url, "http://...");
    f.begin();
    f.greet();
    play(f, kFailureTexts, Pace::byte_by_byte, i, 1);
    CHECK(f.outcome() == Outcome::failed);
    REQUIRE(f.env.errors.size() == 1);
    const auto& error = f.env.errors[0];
    if (i == 1) {
      CHECK(error.number == 50);
      CHECK(error.source == "command");
    } else {
      CHECK_FALSE(error.number);
      CHECK(error.name == "at_error");
      CHECK(error.message == "AT+QFOTADL was answered by " + texts[i]);
    }
  }
}

TEST_CASE("percent signs: BG96 goes on with an update that was broken off") {
  UpdateFixture f;
  Checkpoint entry;
  entry.step = Step::released;
  entry.attempt = 1;
  entry.profile = "bg96";
  f.begin(entry);
  play(f, kPercentSigns, Pace::byte_by_byte);
  CHECK(progress(f) == "downloading\nrebooting\nupdating 50 0\n");  // RESTORE counts the second half of the flashing
  CHECK_FALSE(f.result);
}

TEST_CASE("power down behind the border: lost, and in its own words") {
  UpdateFixture f;
  f.to_released();
  const auto& bytes = kPowerDown.pieces[0].bytes;
  say(f, bytes.substr(bytes.find("\r\nPOWERED")), Pace::byte_by_byte);
  f.step(3s);
  CHECK(f.outcome() == Outcome::lost);
  CHECK(f.env.errors.back().name == "powered_down");
  CHECK(f.env.errors.back().message.find("POWERED DOWN") != std::string::npos);
  CHECK(f.module.unread().empty());
}

TEST_CASE("LTE Standard(A): the package over the AT port, at 15 KB/s and 32 bytes a write") {
  UpdateFixture f;
  stream(f);
  play(f, kLteStandardAFile, Pace::byte_by_byte, 1);
  f.step(9s);
  f.verify(kTo);
  CHECK(f.outcome() == Outcome::succeeded);
  CHECK(f.result->warnings.empty());
  CHECK(progress(f) ==
        "preparing\nrebooting\nuploading 32 64 96 100\nrebooting\nupdating 8 16 50 58 91\nrebooting\nverifying\n");
}

TEST_CASE("LTE Standard(A): FILEEND,500 is the module's own word, and nothing more is written") {
  UpdateFixture f;
  stream(f);
  play(f, kLteStandardAFileEnd500, Pace::byte_by_byte, 1);
  CHECK(f.outcome() == Outcome::failed);
  CHECK(f.env.errors.back().number == 500);
  CHECK(f.env.errors.back().source == "file");
}
