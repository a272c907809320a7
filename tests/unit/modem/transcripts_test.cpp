// What the parser and the grammar of +QIND make of each transcript: exactly what its text says, whole, cut in two at
// any byte, and byte by byte. What an update makes of them: update_transcripts_test.cpp.
#include "tests/support/transcripts.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <utility>

#include "modem/at_parser.hpp"
#include "modem/qind.hpp"
#include "tests/support/transcript_lines.hpp"

using namespace dfota;
using namespace dfota::test;

namespace {

/// Each transcript beside what it says, read off its text: one line an event, the numbers of one stage on one line. A
/// stage is told as the guide spells it.
struct Row {
  const Transcript& transcript;
  std::string says;
};

std::vector<Row> rows() {
  return {
      {kT1Uc20, "ok\nHTTPSTART\nHTTPEND 0\nport lost\nSTART\nUPDATING " + kOneToHundred + "\nEND 0\nboot RDY\n"},
      {kT2Eg18Https, "ok\nHTTPSTART (HTTPSSTART)\nHTTPEND (HTTPSEND) 0\nSTART\nUPDATING " + kOneToHundred +
                         "\nEND 0\nboot RDY\nboot +CPIN: READY\nurc +QUSIM: 1\nurc +CFUN: 1\nurc +QIND: SMS DONE\n"
                         "urc +QIND: PB DONE\n"},
      {kT2Eg18File, "ok\nport lost\nSTART\nUPDATING 0 " + kOneToHundred + "\nEND 0\nport lost\n"},
      {kT3Bg96, "info BG96MAR02A07M1G_01.007.01.007\nok\ncme 3\ninfo +CSQ: 16,99\nok\nok\nHTTPEND 702\n"},
      {kT4Ec200u, "ok\nok\nok\nHTTPSTART\nDOWNLOADING " + kTwoToHundred + "\nHTTPEND 0\nport lost\n"},
      {kT5Ec200u608, "ok\nHTTPSTART\nHTTPEND 608\n"},
      {kT6Ec800k, "ok\nport lost\nUPDATING " + kSevenToFortySeven + "\nport lost\nUPDATING " + kSixtyToNinetySix +
                      "\nEND 0\nport lost\n"},
      {kT7Air780e, "noise ^boot.rom'v'!\nSTART\nUPDATING 0 2 4 6 9 13\n"},
      {kT8HangUp, "ok\nport lost\n"},
      {kT9Nr7101, "ok\nport lost\nport lost\n"},
      {kBootEg18,
       "boot RDY\nboot +CPIN: READY\nurc +QUSIM: 1\nurc +CFUN: 1\nurc +QIND: SMS DONE\n"
       "urc +QIND: PB DONE\n"},
      {kBootEg800q, "boot +CPIN: READY\nurc +QUSIM: 1\nurc +QIND: PB DONE\nurc +QIND: SMS DONE\n"},
      {kBootBg96, "boot RDY\nboot APP RDY\n"},
      {kBootSimPin, "boot +CPIN: SIM PIN\nok\nboot +CPIN: READY\n"},
      {kBootPbTwice, "boot +CPIN: READY\nurc +QUSIM: 1\nurc +QIND: SMS DONE\nurc +QIND: PB DONE\nurc +QIND: PB DONE\n"},
      {kFailureTexts, "error\ncme 50\ncme +CME ERROR: SIM not inserted\ncme +CME ERROR: 1 3\n"},
      {kPercentSigns,
       "unknown (Last upgrade was not finished,continue upgrade)\nRESTORE 1\nUPDATING 1\n"
       "DOWNLOADING 37\n"},
      {kPowerDown, "ok\ndown POWERED DOWN\ndown NORMAL POWER DOWN\n"},
      {kLteStandardAFile, "ok\nFILESTART\nDOWNLOADING 25 50\nFILEEND 0\nUPDATING 8 16 50 58 91\nEND 0\n"},
      {kLteStandardAFileEnd500, "ok\nFILESTART\nFILEEND 500\n"},
  };
}

std::string word(FotaStage stage) {
  switch (stage) {
    case FotaStage::ftp_start:
      return "FTPSTART";
    case FotaStage::ftp_end:
      return "FTPEND";
    case FotaStage::http_start:
      return "HTTPSTART";
    case FotaStage::http_end:
      return "HTTPEND";
    case FotaStage::file_start:
      return "FILESTART";
    case FotaStage::file_end:
      return "FILEEND";
    case FotaStage::downloading:
      return "DOWNLOADING";
    case FotaStage::start:
      return "START";
    case FotaStage::updating:
      return "UPDATING";
    case FotaStage::restore:
      return "RESTORE";
    case FotaStage::end:
      return "END";
    case FotaStage::unknown:
      return "unknown";
  }
  return {};
}

std::string told_urc(const std::string& line) {
  if (parse_power_urc(line) == PowerUrc::down) return "down " + line;
  return (is_boot_urc(line) ? "boot " : "urc ") + line;
}

/// What an event is, and its number apart, when it is one of the update.
std::pair<std::string, std::string> told(const AtEvent& event) {
  switch (event.kind) {
    case AtEvent::Kind::ok:
      return {"ok", ""};
    case AtEvent::Kind::error:
      return {"error", ""};
    case AtEvent::Kind::cme_error:
      return {"cme " + (event.code ? std::to_string(*event.code) : event.text), ""};
    case AtEvent::Kind::cms_error:
    case AtEvent::Kind::connect:
    case AtEvent::Kind::ack:
      return {"unexpected " + event.text, ""};
    case AtEvent::Kind::info:
      return {"info " + event.text, ""};
    case AtEvent::Kind::noise:
      return {"noise " + event.text, ""};
    case AtEvent::Kind::urc:
      break;
  }
  const auto fota = parse_qind(event.text);
  if (!fota) return {told_urc(event.text), ""};
  const auto name = word(fota->stage);
  return {fota->name == name ? name : name + " (" + fota->name + ")", fota->value ? std::to_string(*fota->value) : ""};
}

using Events = std::vector<AtEvent>;

bool same(const Events& a, const Events& b) {
  return std::ranges::equal(
      a, b, [](const auto& x, const auto& y) { return x.kind == y.kind && x.text == y.text && x.code == y.code; });
}

/// One piece, of which the parser gets so many bytes at a time, and before that its first ones apart.
void parse(AtParser& parser, const Piece& piece, std::size_t first, std::size_t at_a_time, Events& events) {
  if (!piece.command.empty()) parser.begin_command(piece.command);
  const std::string_view bytes = piece.bytes;
  for (std::size_t at = 0; at < bytes.size();) {
    const auto count = at == 0 && first > 0 ? first : at_a_time;
    for (AtEvent& event : parser.feed(bytes.substr(at, count))) events.push_back(std::move(event));
    at += std::min(count, bytes.size() - at);
  }
}

constexpr std::size_t kAll = 1U << 20;

/// The pieces from `first` on, as long as the port stays open; each piece as it stands.
void parse_on(AtParser parser, const Transcript& transcript, std::size_t first, Events& events) {
  for (std::size_t i = first; i < transcript.pieces.size(); ++i) {
    parse(parser, transcript.pieces[i], 0, kAll, events);
    if (transcript.pieces[i].port_lost) return;
  }
}

/// The whole transcript as Row::says tells it.
std::string tell(const Transcript& transcript, std::size_t at_a_time) {
  Lines lines;
  AtParser parser;
  for (const auto& piece : transcript.pieces) {
    Events events;
    parse(parser, piece, 0, at_a_time, events);
    for (const AtEvent& event : events) {
      const auto [what, number] = told(event);
      lines.add(what, number);
    }
    if (!piece.port_lost) continue;
    lines.add("port lost", "");
    parser = AtParser();
  }
  return lines.text();
}

}  // namespace

TEST_CASE("each transcript says exactly what its text says, whole and byte by byte") {
  for (const Row& row : rows()) {
    CAPTURE(row.transcript.name);
    CHECK(tell(row.transcript, kAll) == row.says);
    CHECK(tell(row.transcript, 1) == row.says);
  }
}

TEST_CASE("each transcript gives the same events cut in two at any byte") {
  for (const Row& row : rows()) {
    CAPTURE(row.transcript.name);
    AtParser before;  // this piece
    for (std::size_t i = 0; i < row.transcript.pieces.size(); ++i) {
      const auto& piece = row.transcript.pieces[i];
      Events whole;
      parse_on(before, row.transcript, i, whole);
      for (std::size_t cut = 1; cut < piece.bytes.size(); ++cut) {
        Events events;
        AtParser parser = before;
        parse(parser, piece, cut, kAll, events);
        if (!piece.port_lost) parse_on(parser, row.transcript, i + 1, events);
        CAPTURE(cut);
        REQUIRE(same(events, whole));
      }
      Events ignored;
      parse(before, piece, 0, kAll, ignored);
      if (piece.port_lost) before = AtParser();
    }
  }
}
