// The deliveries beside http: the border is the command, and nothing but the module's own word ends an attempt.
#include <doctest/doctest.h>

#include "tests/support/update_fixture.hpp"

using namespace dfota;
using namespace dfota::test;

namespace {

const std::string kFtpUrl = "ftp://user:secret@10.0.0.2:21/delta.bin";

/// Up to the OK of AT+QFOTADL.
void to_command(UpdateFixture& f, const std::string& text) {
  f.begin();
  f.greet(f.order.from);
  f.module.expect(text, "\r\nOK\r\n");
}

void flash(UpdateFixture& f) {
  f.module.say(
      "\r\n+QIND: \"FOTA\",\"START\"\r\n\r\n+QIND: \"FOTA\",\"UPDATING\",1\r\n\r\n+QIND: "
      "\"FOTA\",\"UPDATING\",100\r\n");
  f.module.say("\r\n+QIND: \"FOTA\",\"END\",0\r\n\r\nRDY\r\n");
  f.step(3s);
}

UpdateFixture& with(UpdateFixture& f, Delivery delivery, const std::string& what = kFtpUrl) {
  f.order.delivery = delivery;
  if (delivery == Delivery::file) {
    f.order.file = what;
  } else {
    f.order.url = what;
  }
  return f;
}

}  // namespace

TEST_CASE("ftp: the guide's own transcript of section 3.1, and \"released\" is journalled before the command (law 2)") {
  UpdateFixture f;
  with(f, Delivery::ftp);
  f.begin();
  f.greet();
  CHECK(f.module.next_command() == "AT+QFOTADL=\"FTP://user:secret@10.0.0.2:21/delta.bin\"");
  CHECK(f.env.asked.back() == "commit released 1");
  CHECK(f.env.tokens.empty());
  f.module.say("\r\nOK\r\n\r\n+QIND: \"FOTA\",\"FTPSTART\"\r\n");
  CHECK(f.env.reports.back().phase == Phase::downloading);
  CHECK_FALSE(f.env.reports.back().percent);
  f.module.say("\r\n+QIND: \"FOTA\",\"FTPEND\",0\r\n");
  CHECK(f.env.was_asked("download_over"));
  flash(f);
  f.verify(kTo);
  CHECK(f.outcome() == Outcome::succeeded);
  CHECK(f.result->warnings.empty());
}

TEST_CASE("url: told as it stands, and the result says that nobody checked what it is") {
  UpdateFixture f;
  with(f, Delivery::url, "http://example.com:80/delta.bin?sig=secret");
  to_command(f, "AT+QFOTADL=\"http://example.com:80/delta.bin?sig=secret\"");
  f.module.say("\r\n+QIND: \"FOTA\",\"HTTPSTART\"\r\n\r\n+QIND: \"FOTA\",\"HTTPEND\",0\r\n");
  flash(f);
  f.verify(kTo);
  CHECK(f.outcome() == Outcome::succeeded);
  CHECK(f.result->warnings == std::vector<std::string>{"unverified_delivery"});
}

TEST_CASE("FTPEND other than 0 is the module's own word: tried again where that can help, and never else (law 1)") {
  UpdateFixture f;
  with(f, Delivery::ftp).order.attempts = 2;
  to_command(f, "AT+QFOTADL=\"FTP://user:secret@10.0.0.2:21/delta.bin\"");
  SUBCASE("609 passes") {
    f.module.say("\r\n+QIND: \"FOTA\",\"FTPSTART\"\r\n\r\n+QIND: \"FOTA\",\"FTPEND\",609\r\n");
    CHECK(f.env.asked.back() == "commit preparing 1");  // a restart in the pause takes it for no flashing module
    f.step(10s);
    f.greet_again();
    CHECK(f.module.next_command().starts_with("AT+QFOTADL"));
    CHECK(f.env.errors.size() == 1);
    CHECK(f.env.errors[0].number == 609);
    CHECK(f.env.errors[0].retryable);
  }
  SUBCASE("625 does not") {
    f.module.say("\r\n+QIND: \"FOTA\",\"FTPSTART\"\r\n\r\n+QIND: \"FOTA\",\"FTPEND\",625\r\n");
    CHECK(f.outcome() == Outcome::failed);
    CHECK(f.result->attempts == 1);
    CHECK(f.env.errors.back().meaning == "Fail to login FTP");
  }
}

TEST_CASE("the gateway's own time-outs end nothing (law 1)") {
  UpdateFixture f;
  with(f, Delivery::ftp).order.attempts = 2;
  to_command(f, "AT+QFOTADL=\"FTP://user:secret@10.0.0.2:21/delta.bin\"");
  SUBCASE("a module that answers with the old version may still be downloading; at timeouts.update it has failed") {
    for (int gap = 1; gap <= 11; ++gap) {
      f.step(300s);
      f.module.expect("AT", "\r\nOK\r\n");
      f.introduce(kFrom);
      f.module.settle();
      CHECK_FALSE(f.result);
      CHECK(f.module.unread().empty());
    }
    f.step(301s);
    CHECK(f.outcome() == Outcome::failed);
    CHECK(f.env.errors.back().name == "update_timeout");
    CHECK(f.env.errors.back().message.find(kFrom) != std::string::npos);
  }
  SUBCASE("one that does not answer is lost, and the last that was heard is told") {
    f.module.say("\r\n+QIND: \"FOTA\",\"FTPSTART\"\r\n");
    for (int gap = 1; gap <= 12 && !f.result; ++gap) {
      f.step(301s);
      if (!f.result) CHECK(f.module.next_command() == "AT");
      f.step(Dialogue::kAnswerLimit);
    }
    CHECK(f.outcome() == Outcome::lost);
    CHECK(f.env.errors.back().message.find("FTPSTART") != std::string::npos);
  }
  CHECK(f.result->attempts == 1);
}

TEST_CASE("RDY in the middle of a download by itself: the update failed, and is not tried again") {
  UpdateFixture f;
  with(f, Delivery::ftp).order.attempts = 2;
  to_command(f, "AT+QFOTADL=\"FTP://user:secret@10.0.0.2:21/delta.bin\"");
  f.module.say("\r\n+QIND: \"FOTA\",\"FTPSTART\"\r\n\r\nRDY\r\n");
  f.step(9s);
  f.introduce(kFrom);
  f.step(9s);
  f.introduce(kFrom);
  CHECK(f.outcome() == Outcome::failed);
  CHECK(f.env.errors.back().name == "module_reset");
  CHECK(f.result->attempts == 1);
}

TEST_CASE("file: looked for first, started from, and left where it is") {
  UpdateFixture f;
  with(f, Delivery::file, "UFS:delta.bin");
  f.begin();
  f.greet();
  SUBCASE("there") {
    f.module.expect("AT+QFLST=\"UFS:delta.bin\"", "\r\n+QFLST: \"UFS:delta.bin\",1000\r\n\r\nOK\r\n");
    f.module.expect("AT+QFOTADL=\"UFS:delta.bin\"", "\r\nOK\r\n");
    CHECK(f.env.was_asked("commit released 1"));
    CHECK(f.env.was_asked("download_over"));
    flash(f);
    f.verify(kTo);
    CHECK(f.outcome() == Outcome::succeeded);
    CHECK(f.result->warnings == std::vector<std::string>{"unverified_delivery"});
  }
  SUBCASE("not there") {
    f.module.expect("AT+QFLST=\"UFS:delta.bin\"", "\r\nOK\r\n");
    CHECK(f.outcome() == Outcome::rejected);
    CHECK(f.env.errors.back().name == "file_missing");
  }
}

TEST_CASE("what would end the download minutes later is found before the command") {
  UpdateFixture f;
  f.timeouts.absent = 5;
  f.begin();
  f.step(3s);
  f.introduce(kFrom);
  const char* word = "";
  SUBCASE("no SIM") {
    f.module.expect("AT+CPIN?", "\r\n+CME ERROR: 10\r\n");
    word = "sim_not_ready";
  }
  SUBCASE("a SIM that wants its PIN") {
    f.module.expect("AT+CPIN?", "\r\n+CPIN: SIM PIN\r\n\r\nOK\r\n");
    word = "sim_not_ready";
  }
  SUBCASE("a SIM that stays busy") {
    for (int i = 0; i < 4; ++i) {
      f.module.expect("AT+CPIN?", "\r\n+CME ERROR: 14\r\n");
      f.step(2s);
    }
    word = "sim_not_ready";
  }
  SUBCASE("not registered, in no domain, for timeouts.absent") {
    f.module.expect("AT+CPIN?", "\r\n+CPIN: READY\r\n\r\nOK\r\n");
    for (int i = 0; i < 4; ++i) {
      f.module.expect("AT+CREG?", "\r\n+CREG: 0,2\r\n\r\nOK\r\n");
      f.module.expect("AT+CGREG?", "\r\n+CGREG: 0,2\r\n\r\nOK\r\n");
      f.module.expect("AT+CEREG?", "\r\n+CME ERROR: 4\r\n");
      f.step(2s);
    }
    word = "not_registered";
  }
  SUBCASE("no PDP context") {
    f.module.expect("AT+CPIN?", "\r\n+CPIN: READY\r\n\r\nOK\r\n");
    f.module.expect("AT+CREG?", "\r\n+CREG: 0,5\r\n\r\nOK\r\n");
    f.module.expect("AT+QCFG=\"fota/cid\"", "\r\n+QCFG: \"fota/cid\",3\r\n\r\nOK\r\n");
    f.module.expect("AT+QICSGP=3", "\r\n+QICSGP: 0,\"\",\"\",\"\",0\r\n\r\nOK\r\n");
    word = "no_pdp_context";
  }
  CHECK(f.outcome() == Outcome::rejected);
  CHECK(f.env.errors.back().name == word);
  CHECK_FALSE(f.env.errors.back().message.empty());
  CHECK(f.env.tokens.empty());
}

TEST_CASE("what a family does not take is refused before any command") {
  UpdateFixture f;
  const char* word = "unsupported_delivery";
  SUBCASE("FTP, of which its guide knows nothing") {
    f.model = "EG18";
    with(f, Delivery::ftp);
  }
  SUBCASE("FTP below the root directory") {
    f.model = "EC200A";
    with(f, Delivery::ftp, "ftp://u:p@10.0.0.2:21/update/delta.bin");
  }
  SUBCASE("a file, where there is only a stream") {
    f.model = "EC200A";
    with(f, Delivery::file, "UFS:delta.bin");
  }
  SUBCASE("an upload, where the file lies beside what AT reaches") {
    f.model = "BG96";
    with(f, Delivery::upload);
  }
  SUBCASE("firmware in two parts") {
    f.model = "EC200N";
    f.order.from = "EC200NCNLAR03A01M08_01.001.01.001";
    with(f, Delivery::url, "http://h:80/a.bin");
    word = "unsupported_package";
  }
  SUBCASE("a package in two parts") {
    f.model = "EC200A";
    with(f, Delivery::url, "http://h:80/a.mini_1");
    word = "unsupported_package";
  }
  f.begin();
  if (std::string_view(word) == "unsupported_package" && f.model == "EC200N") {
    f.step(3s);
    f.introduce(f.order.from);
  } else {
    f.greet(f.order.from);
  }
  CHECK(f.outcome() == Outcome::rejected);
  CHECK(f.env.errors.back().name == word);
  CHECK(f.module.unread().empty());
}

TEST_CASE("BG96: AT+QFOTADL=1, and RESTORE counts the second half of the flashing") {
  UpdateFixture f;
  f.model = "BG96";
  with(f, Delivery::file, "/fota/update.zip");
  to_command(f, "AT+QFOTADL=1");
  f.module.say("\r\n+QIND: \"FOTA\",\"START\"\r\n\r\n+QIND: \"FOTA\",\"UPDATING\",50\r\n");
  CHECK(f.env.reports.back().percent == 25);
  f.module.say(
      "\r\n+QIND: \"FOTA\",\"Last upgrade was not finished,continue upgrade\"\r\n\r\n+QIND: "
      "\"FOTA\",\"RESTORE\",50%\r\n");
  CHECK(f.env.reports.back().percent == 75);
  f.module.say("\r\n+QIND: \"FOTA\",\"END\",0\r\n\r\nRDY\r\n\r\nAPP RDY\r\n");
  f.step(3s);
  f.verify(kTo);
  CHECK(f.outcome() == Outcome::succeeded);
  CHECK(f.result->warnings == std::vector<std::string>{"file_not_checked", "unverified_delivery"});
}

TEST_CASE(
    "LTE Standard(A): extra parameters, DOWNLOADING is an ordinal, and RDY in mid-flash is not believed at once") {
  UpdateFixture f;
  f.model = "EC200A";
  with(f, Delivery::url, "https://h:443/a.bin");
  to_command(f, "AT+QFOTADL=\"https://h:443/a.bin\",1,50");
  f.module.say("\r\n+QIND: \"FOTA\",\"HTTPSTART\"\r\n\r\n+QIND: \"FOTA\",\"DOWNLOADING\",25\r\n");
  f.changed.notify();
  f.module.settle();
  CHECK(f.env.reports.back().percent == 50);
  f.module.say("\r\n+QIND: \"FOTA\",\"HTTPEND\",0\r\n\r\n+QIND: \"FOTA\",\"UPDATING\",47\r\n\r\nRDY\r\n");
  f.step(8s);
  CHECK(f.module.unread().empty());
  f.module.say("\r\n+QIND: \"FOTA\",\"UPDATING\",60\r\n\r\n+QIND: \"FOTA\",\"END\",0\r\n\r\nRDY\r\n");
  f.step(3s);
  f.verify(kTo);
  CHECK(f.outcome() == Outcome::succeeded);
}

TEST_CASE("a family of the operator's own: its stages in its own spelling, its END codes, its deadlines") {
  const auto parsed = parse_profile(R"(
name = "zz"
models = ["ZZ9"]
version_command = "AT+ZVER"
[url]
ftp = "Ftp://"
[command]
pdp = "none"
parameters = ",7"
[stages]
ftp_start = "PULL"
ftp_end = "PULLED"
updating = "BURN"
updating_max = 10
[deadlines]
update = 60
progress_gap = 20
[[end]]
code = 9
name = "burnt"
meaning = "It is burnt"
hint = "Look for smoke"
)",
                                    "zz.toml");
  REQUIRE(std::holds_alternative<Profile>(parsed));
  UpdateFixture f;
  f.profiles.add(std::get<Profile>(parsed));
  f.model = "ZZ9-A";
  with(f, Delivery::ftp);
  to_command(f, "AT+QFOTADL=\"Ftp://user:secret@10.0.0.2:21/delta.bin\",7");
  f.module.say(
      "\r\n+QIND: \"FOTA\",\"PULL\"\r\n\r\n+QIND: \"FOTA\",\"PULLED\",0\r\n\r\n+QIND: \"FOTA\",\"BURN\",5\r\n");
  CHECK(f.env.reports.back().percent == 50);
  SUBCASE("END") {
    f.module.say("\r\n+QIND: \"FOTA\",\"END\",9\r\n\r\nRDY\r\n");
    f.step(3s);
    f.verify(kFrom);
    CHECK(f.outcome() == Outcome::failed);
    CHECK(f.env.errors.back().meaning == "It is burnt");
  }
  SUBCASE("deadlines") {
    f.step(21s);
    CHECK(f.module.next_command() == "AT");
    f.step(40s);
    CHECK(f.outcome() == Outcome::lost);
  }
}

TEST_CASE("what a module says of its power ends the wait with the truth") {
  UpdateFixture f;
  SUBCASE("low voltage is a warning") {
    f.to_released();
    f.module.say("\r\n+QIND: \"vbatt\",-1\r\n");
    f.module.say("\r\n+QIND: \"FOTA\",\"HTTPEND\",0\r\n");
    flash(f);
    f.verify(kTo);
    CHECK(f.outcome() == Outcome::succeeded);
    CHECK(f.result->warnings == std::vector<std::string>{"low_voltage"});
  }
  SUBCASE("power down in danger: lost") {
    f.to_released();
    f.module.say("\r\n+QIND: \"FOTA\",\"UPDATING\",40\r\n\r\nPOWERED DOWN\r\n");
    f.step(3s);
    CHECK(f.outcome() == Outcome::lost);
    CHECK(f.env.errors.back().name == "powered_down");
  }
  SUBCASE("power down before the last byte: the token is void") {
    f.begin();
    f.greet();
    f.expect_command();
    f.module.say("\r\nOK\r\n\r\n+QIND: \"FOTA\",\"HTTPSTART\"\r\n\r\nUNDER_VOLTAGE POWER DOWN\r\n");
    CHECK(f.outcome() == Outcome::failed);
    CHECK(f.env.errors.back().name == "powered_down");
    CHECK(f.env.was_asked("void"));
  }
}

TEST_CASE("after a restart the family is known from the journal") {
  UpdateFixture f;
  f.model = "EC200A";
  with(f, Delivery::url, "https://h:443/a.bin");
  Checkpoint entry;
  entry.step = Step::released;
  entry.attempt = 1;
  entry.profile = "lte-standard-a";
  f.begin(entry);
  f.module.settle();
  f.module.say("\r\n+QIND: \"FOTA\",\"DOWNLOADING\",25\r\n");
  f.changed.notify();
  f.module.settle();
  CHECK(f.env.reports.back().percent == 50);
  f.module.say("\r\n+QIND: \"FOTA\",\"HTTPEND\",702\r\n");
  CHECK(f.outcome() == Outcome::failed);
  CHECK(f.env.errors.back().number == 702);
}

TEST_CASE("what the file server saw sharpens the module's code") {
  UpdateFixture f;
  f.begin();
  f.greet();
  f.expect_command();
  f.module.say("\r\nOK\r\n\r\n+QIND: \"FOTA\",\"HTTPSTART\"\r\n");
  f.env.state.requests = 1;
  f.env.state.delivered_bytes = 600;
  f.module.say("\r\n+QIND: \"FOTA\",\"HTTPEND\",717\r\n");
  CHECK(f.outcome() == Outcome::failed);
  CHECK(f.env.errors.back().message.find("600 of 1000 bytes (60 %)") != std::string::npos);
  CHECK(f.env.errors.back().hint.find("signal") != std::string::npos);
}
