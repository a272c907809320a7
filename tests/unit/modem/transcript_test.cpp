#include "modem/transcript.hpp"

#include <doctest/doctest.h>

#include "tests/support/property.hpp"

using namespace dfota;
using namespace std::chrono_literals;
using Kind = TranscriptEvent::Kind;
using Texts = std::vector<std::string>;

namespace {

AtEvent heard(AtEvent::Kind kind, const std::string& text) {
  return {kind, text, {}};
}

Texts texts(Transcript& transcript) {
  Texts out;
  for (const auto& event : transcript.events()) out.push_back(event.text);
  return out;
}

std::vector<Kind> kinds(Transcript& transcript) {
  std::vector<Kind> out;
  for (const auto& event : transcript.events()) out.push_back(event.kind);
  return out;
}

Transfer transfer(std::uint64_t delivered, bool released = false) {
  Transfer out;
  out.size = 1000;
  out.delivered_bytes = delivered;
  out.released = released;
  return out;
}

}  // namespace

TEST_CASE("a dialogue, line by line, with its times") {
  SteppedClock clock;
  Transcript transcript;
  transcript.port_opened("/dev/ttyUSB2");
  clock.advance(102ms);
  transcript.command_sent("AT+GSN");
  clock.advance(20ms);
  transcript.heard(heard(AtEvent::Kind::info, "861234567890123"));
  transcript.heard(heard(AtEvent::Kind::ok, "OK"));
  transcript.heard(heard(AtEvent::Kind::cme_error, "+CME ERROR: 3"));
  transcript.heard(heard(AtEvent::Kind::connect, "CONNECT"));
  transcript.heard(heard(AtEvent::Kind::urc, "RDY"));
  transcript.heard(heard(AtEvent::Kind::noise, "~~"));
  transcript.port_closed("the link was lost");
  CHECK(kinds(transcript) == std::vector<Kind>{Kind::open, Kind::cmd, Kind::line, Kind::final, Kind::final, Kind::final,
                                               Kind::urc, Kind::noise, Kind::closed});
  CHECK(texts(transcript) == Texts{"/dev/ttyUSB2", "AT+GSN", "861234567890123", "OK", "+CME ERROR: 3", "CONNECT", "RDY",
                                   "~~", "the link was lost"});
  const auto events = transcript.events();
  CHECK(events[0].at == 0ms);
  CHECK(events[1].at == 102ms);
  CHECK(events[2].at == 122ms);
}

TEST_CASE("the beginning and the end are kept, and how many there were between") {
  Transcript transcript;
  for (std::size_t i = 0; i < Transcript::kFirst + Transcript::kLast; ++i) {
    transcript.heard(heard(AtEvent::Kind::noise, std::to_string(i)));
  }
  CHECK(transcript.dropped() == 0);
  CHECK(transcript.end() == 2000);
  for (std::size_t i = 2000; i < 3000; ++i) transcript.heard(heard(AtEvent::Kind::noise, std::to_string(i)));
  CHECK(transcript.dropped() == 1000);
  CHECK(transcript.end() == 3000);
  auto events = transcript.events();
  REQUIRE(events.size() == 2001);
  CHECK(events[499].text == "499");
  CHECK(events[500].kind == Kind::dropped);
  CHECK(events[500].number == 1000);
  CHECK(events[501].text == "1500");
  CHECK(events.back().text == "2999");
  events = transcript.events(700);  // whoever had the first 700 misses 800 of them
  CHECK(events[0].number == 800);
  CHECK(events[1].text == "1500");
  CHECK(transcript.events(2999).size() == 1);
  CHECK(transcript.events(3000).empty());
}

TEST_CASE("a line is as long as it may be, and masked before it is cut") {
  Transcript transcript;
  transcript.heard(heard(AtEvent::Kind::noise, std::string(5000, 'x')));
  const auto long_user = "ftp://" + std::string(Transcript::kMostText, 'u') + ":secret@h/d";
  transcript.command_sent("AT+QFOTADL=\"" + long_user + "\"");
  const auto told = texts(transcript);
  CHECK(told[0].size() == Transcript::kMostText);
  CHECK(told[0].ends_with("x..."));
  CHECK(told[1] == "AT+QFOTADL=\"ftp://***@h/d\"");
}

TEST_CASE("data is counted, not told, and what was told stays as it is") {
  Transcript transcript;
  transcript.command_sent("AT+QFUPL=\"UFS:d\",3000,5,1");
  for (const std::size_t bytes : {1024, 1024}) transcript.data_sent(bytes);
  CHECK(transcript.events().back().number == 2048);
  transcript.data_sent(952);
  const auto events = transcript.events();
  REQUIRE(events.size() == 3);
  CHECK(events[1].number == 2048);
  CHECK(events[2].number == 952);
}

TEST_CASE("the file: its first byte, its release, its end, and what a URC finds changed") {
  Transcript transcript;
  auto now = transfer(0);
  transcript.watch_file([&] { return now; });
  transcript.file_seen(now);
  CHECK(transcript.end() == 0);
  for (const auto delivered : {100, 200, 300}) transcript.file_seen(transfer(delivered));
  CHECK(kinds(transcript) == std::vector<Kind>{Kind::file});
  now = transfer(999);
  transcript.heard(heard(AtEvent::Kind::info, "+CSQ: 20,0"));
  transcript.heard(heard(AtEvent::Kind::urc, "+QIND: \"FOTA\",\"HTTPEND\",716"));
  transcript.heard(heard(AtEvent::Kind::urc, "RDY"));
  transcript.file_seen(transfer(999, true));
  transcript.file_seen(transfer(1000, true));
  transcript.file_seen(transfer(1000, true));
  CHECK(kinds(transcript) ==
        std::vector<Kind>{Kind::file, Kind::line, Kind::file, Kind::urc, Kind::urc, Kind::file, Kind::file});
  CHECK(transcript.events()[2].file_delivered == 999);
  transcript.new_file();
  transcript.file_seen(transfer(1));
  CHECK(transcript.events().back().file_delivered == 1);
}

TEST_CASE("what the procedure goes on to is noted when it is something else") {
  Transcript transcript;
  for (int i = 0; i < 3; ++i) transcript.went_on_to(1, Phase::preparing);
  transcript.went_on_to(1, Phase::downloading);
  transcript.error("{\"code\":716}");
  transcript.error("{\"code\":716}");
  transcript.went_on_to(2, Phase::downloading);
  transcript.error("{\"code\":716}");
  transcript.hop(2);
  transcript.went_on_to(2, Phase::preparing);
  transcript.outcome(Outcome::failed);
  CHECK(kinds(transcript) == std::vector<Kind>{Kind::attempt, Kind::step, Kind::step, Kind::error, Kind::attempt,
                                               Kind::step, Kind::error, Kind::hop, Kind::attempt, Kind::step,
                                               Kind::outcome});
}

TEST_CASE("an earlier process's part comes before, and its times go on") {
  SteppedClock clock;
  Transcript first;
  first.command_sent("AT");
  clock.advance(5s);
  first.heard(heard(AtEvent::Kind::ok, "OK"));
  Transcript second;
  second.port_opened("p");
  second.went_on_to(1, Phase::updating);
  second.go_on_after(first.events(), 60s);
  clock.advance(1s);
  second.heard(heard(AtEvent::Kind::urc, "RDY"));
  const auto events = second.events();
  CHECK(texts(second) == Texts{"AT", "OK", "the gateway ended", "p", "", "updating", "RDY"});
  CHECK(events[1].at == 5s);
  CHECK(events[3].at == 60s);
  CHECK(events.back().at == 61s);

  Transcript third;  // the wall clock was set back meanwhile
  third.go_on_after(second.events(), -1h);
  third.command_sent("AT");
  CHECK(third.events().back().at == 61s);
}

TEST_CASE("an earlier process's part that was cut in its middle stays cut there") {
  Transcript first;
  for (int i = 0; i < 2500; ++i) first.heard(heard(AtEvent::Kind::noise, std::to_string(i)));
  Transcript second;
  second.go_on_after(first.events(), 1s);
  CHECK(second.end() == 2501);
  CHECK(second.dropped() == 501);
  CHECK(second.events()[500].number == 501);
  CHECK(second.events()[501].text == "1001");
}

TEST_CASE("property: no secret of a command survives, wherever it stands and wherever a line was cut") {
  test::check_property("no secret is recorded", 300, [] {
    const auto secret = "S" + *rc::gen::container<std::string>(8, rc::gen::inRange('0', '9'));
    const auto token = *rc::gen::container<std::string>(32, rc::gen::elementOf(std::string("0123456789abcdef")));
    const Texts commands = {
        "AT+CPIN=\"" + secret + "\"",
        "AT+CPIN=" + secret,
        "AT+CPWD=\"SC\",\"1111\",\"" + secret + "\"",
        "AT+CLCK=\"SC\",1,\"" + secret + "\"",
        "AT+CGAUTH=1,1,\"user\",\"" + secret + "\"",
        "AT+QICSGP=1,1,\"apn\",\"" + secret + "\",\"" + secret + "\",1",
        "+QICSGP: 1,\"apn\",\"" + secret + "\",\"" + secret + "\",1",
        "AT+QFTPCFG=\"account\",\"user\",\"" + secret + "\"",
        "AT+QFTPPASS=\"" + secret + "\"",
        "AT+QMTCONN=0,\"id\",\"user\",\"" + secret + "\"",
        "AT+QFOTADL=\"FTP://user:" + secret + "@10.0.0.2:21/d.bin\",1,50",
        "AT+QFOTADL=\"HTTP://host:80/d.bin?sig=" + secret + "\"",
        "AT+QFOTADL=\"HTTP://host:80/a/" + token + "/d.bin\"",
    };
    auto text = *rc::gen::elementOf(commands);
    if (*rc::gen::arbitrary<bool>()) text = "noise " + text;
    if (*rc::gen::arbitrary<bool>()) {
      for (auto& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
    if (*rc::gen::arbitrary<bool>()) text += std::string(*rc::gen::inRange<std::size_t>(0, 600), 'x');
    Transcript transcript;
    const auto which = *rc::gen::inRange(0, 4);
    if (which == 0) transcript.command_sent(text);
    if (which == 1) transcript.heard(heard(AtEvent::Kind::info, text));
    if (which == 2) transcript.heard(heard(AtEvent::Kind::noise, text));
    if (which == 3) transcript.heard(heard(AtEvent::Kind::urc, text));
    const auto told = texts(transcript).at(0);
    RC_ASSERT(told.size() <= Transcript::kMostText);
    RC_ASSERT(told.find(secret.substr(1)) == std::string::npos);
    RC_ASSERT(told.find(token) == std::string::npos);
  });
}
