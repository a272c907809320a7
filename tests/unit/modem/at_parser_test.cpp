#include "modem/at_parser.hpp"

#include <doctest/doctest.h>

#include <random>
#include <sstream>

using namespace dfota;
using namespace std::string_literals;

namespace {
using Kind = AtEvent::Kind;

std::string word(Kind kind) {
  switch (kind) {
    case Kind::ok:
      return "ok";
    case Kind::error:
      return "error";
    case Kind::cme_error:
      return "cme";
    case Kind::cms_error:
      return "cms";
    case Kind::connect:
      return "connect";
    case Kind::ack:
      return "ack";
    case Kind::info:
      return "info";
    case Kind::urc:
      return "urc";
    case Kind::noise:
      return "noise";
  }
  return {};
}

/// One line an event: "info|861234567890123", "cme|+CME ERROR: 3|3".
std::string print(const std::vector<AtEvent>& events) {
  std::ostringstream out;
  for (const AtEvent& event : events) {
    out << word(event.kind) << '|' << event.text;
    if (event.code) out << '|' << *event.code;
    out << '\n';
  }
  return out.str();
}

struct Transcript {
  std::string name;
  std::string command;  ///< empty: none in flight
  std::string bytes;
  std::string events;  ///< as print() gives them
};

std::string updating(int from, int to) {
  std::string bytes;
  for (int n = from; n <= to; ++n) bytes += "\r\n+QIND: \"FOTA\",\"UPDATING\"," + std::to_string(n) + "\r\n";
  return bytes;
}

std::string updating_events(int from, int to) {
  std::string events;
  for (int n = from; n <= to; ++n) events += "urc|+QIND: \"FOTA\",\"UPDATING\"," + std::to_string(n) + "\n";
  return events;
}

const std::string kUpdate = "AT+QFOTADL=\"HTTP://192.168.1.10:8480/a/0123/delta.bin\"";

std::vector<Transcript> field_transcripts() {
  return {
      {"T1 UC20, echo on", kUpdate,
       kUpdate + "\r\r\nOK\r\n\r\n+QIND: \"FOTA\",\"HTTPSTART\"\r\n\r\n+QIND: \"FOTA\",\"HTTPEND\",0\r\n" +
           "\r\n+QIND: \"FOTA\",\"START\"\r\n" + updating(1, 4) + "\r\n+QIND: \"FOTA\",\"END\",0\r\n\r\n\r\nRDY\r\n",
       "ok|OK\nurc|+QIND: \"FOTA\",\"HTTPSTART\"\nurc|+QIND: \"FOTA\",\"HTTPEND\",0\nurc|+QIND: \"FOTA\",\"START\"\n" +
           updating_events(1, 4) + "urc|+QIND: \"FOTA\",\"END\",0\nurc|RDY\n"},
      {"T2 EG18 over HTTPS, with its boot", kUpdate,
       "\r\nOK\r\n\r\n+QIND: \"FOTA\",\"HTTPSSTART\"\r\n\r\n+QIND: \"FOTA\",\"HTTPSEND\",0\r\n"
       "\r\n+QIND: \"FOTA\",\"END\",0\r\n\r\nRDY\r\n\r\n+CPIN: READY\r\n\r\n+QUSIM: 1\r\n\r\n+CFUN: 1\r\n"
       "\r\n+QIND: SMS DONE\r\n\r\n+QIND: PB DONE\r\n",
       "ok|OK\nurc|+QIND: \"FOTA\",\"HTTPSSTART\"\nurc|+QIND: \"FOTA\",\"HTTPSEND\",0\nurc|+QIND: \"FOTA\",\"END\",0\n"
       "urc|RDY\nurc|+CPIN: READY\nurc|+QUSIM: 1\nurc|+CFUN: 1\nurc|+QIND: SMS DONE\nurc|+QIND: PB DONE\n"},
      {"T3 BG96, echo, no leading CR LF", "AT+QGMR",
       "AT+QGMR\r\r\nBG96MAR02A07M1G_01.007.01.007\r\n\r\nOK\r\n\r\n+QIND: \"FOTA\",\"HTTPEND\",702\r\n",
       "info|BG96MAR02A07M1G_01.007.01.007\nok|OK\nurc|+QIND: \"FOTA\",\"HTTPEND\",702\n"},
      {"T3 BG96, refusal", "AT+CSQ?", "AT+CSQ?\r\r\n+CME ERROR: 3\r\n", "cme|+CME ERROR: 3|3\n"},
      {"T4 EC200U, downloading", "AT+QFOTADL=\"https://x:443/a.pack\",1,50,100",
       "\r\nOK\r\n\r\n+QIND: \"FOTA\",\"HTTPSTART\"\r\n\r\n+QIND: \"FOTA\",\"DOWNLOADING\",2\r\n"
       "\r\n+QIND: \"FOTA\",\"DOWNLOADING\",100\r\n\r\n+QIND: \"FOTA\",\"HTTPEND\",0\r\n",
       "ok|OK\nurc|+QIND: \"FOTA\",\"HTTPSTART\"\nurc|+QIND: \"FOTA\",\"DOWNLOADING\",2\n"
       "urc|+QIND: \"FOTA\",\"DOWNLOADING\",100\nurc|+QIND: \"FOTA\",\"HTTPEND\",0\n"},
      {"T5 EC200U, 608 at once", kUpdate, "OK\r\n+QIND: \"FOTA\",\"HTTPSTART\"\r\n+QIND: \"FOTA\",\"HTTPEND\",608\r\n",
       "ok|OK\nurc|+QIND: \"FOTA\",\"HTTPSTART\"\nurc|+QIND: \"FOTA\",\"HTTPEND\",608\n"},
      {"T6 EC800K, a reboot between", "", updating(46, 47) + "\0\0\xff\xfe"s + updating(60, 61),
       updating_events(46, 47) + updating_events(60, 61)},
      {"T7 Air780E, boot noise on a line", "", "^boot.rom'v'!\n\r\n+QIND: \"FOTA\",\"START\"\r\n" + updating(0, 2),
       "noise|^boot.rom'v'!\nurc|+QIND: \"FOTA\",\"START\"\n" + updating_events(0, 2)},
      {"T7 Air780E, boot noise before the URC", "", "^boot.rom'v'!+QIND: \"FOTA\",\"START\"\r\n",
       "urc|+QIND: \"FOTA\",\"START\"\n"},
      {"T8 the line is cut at the port's loss", "AT", "AT\r\r\nOK\r\n\r\n+QIND: \"FOTA\",\"UPDA\r\n",
       "ok|OK\nurc|+QIND: \"FOTA\",\"UPDA\n"},
      {"T9 NR7101, lower case", "at+qfotadl=\"http://h:80/R11A03.zip\"",
       "at+qfotadl=\"http://h:80/R11A03.zip\"\r\r\nOK\r\n", "ok|OK\n"},
      {"boot of BG96", "", "\r\nRDY\r\n\r\nAPP RDY\r\n", "urc|RDY\nurc|APP RDY\n"},
      {"boot of EG800Q, with a PIN", "",
       "\r\n+CPIN: SIM PIN\r\n\r\n+QUSIM: 1\r\n\r\n+QIND: PB DONE\r\n\r\n+QIND: SMS DONE\r\n\r\n+QIND: PB DONE\r\n",
       "urc|+CPIN: SIM PIN\nurc|+QUSIM: 1\nurc|+QIND: PB DONE\nurc|+QIND: SMS DONE\nurc|+QIND: PB DONE\n"},
      {"boot with noise on the same line", "", "\xf0^boot.rom'v'!RDY\r\n^boot.rom'v'!APP RDY\r\n",
       "urc|RDY\nurc|APP RDY\n"},
      {"NULs in the middle of words", "AT+GSN", "A\0T+GSN\r\r\n\0\r\n8612\0"s + "34567890123\r\n\0\r\nO\0K\r\n"s,
       "info|861234567890123\nok|OK\n"},
      {"upload, the last acknowledgements and the verdict in one read", "AT+QFUPL=\"UFS:d\",2052,5,1",
       "AT+QFUPL=\"UFS:d\",2052,5,1\r\r\nCONNECT\r\nAA\r\n+QFUPL: 2052,5769\r\n\r\nOK\r\n",
       "connect|CONNECT\nack|A\nack|A\ninfo|+QFUPL: 2052,5769\nok|OK\n"},
      {"upload, URCs between the acknowledgements", "AT+QFUPL=\"UFS:d\",4096,5,1",
       "\r\nCONNECT\r\nA\r\n+QIND: SMS DONE\r\nAA+QIND: PB DONE\r\n\r\n+CREG: 1\r\nA\r\n+QFUPL: 4096,0\r\n\r\nOK\r\n"
       "\r\nRDY\r\n",
       "connect|CONNECT\nack|A\nurc|+QIND: SMS DONE\nack|A\nack|A\nurc|+QIND: PB DONE\nurc|+CREG: 1\nack|A\n"
       "info|+QFUPL: 4096,0\nok|OK\nurc|RDY\n"},
      {"upload, broken off by the module", "AT+QFUPL=\"UFS:d\",4096,5,1", "\r\nCONNECT\r\nA\r\n+CME ERROR: 421\r\n",
       "connect|CONNECT\nack|A\ncme|+CME ERROR: 421|421\n"},
      {"upload, the module restarts in its middle", "AT+QFUPL=\"UFS:d\",4096,5,1", "\r\nCONNECT\r\nA\r\nAPP RDY\r\n",
       "connect|CONNECT\nack|A\nack|A\nurc|APP RDY\n"},
      {"power off", "AT+QPOWD=1", "\r\nOK\r\n\r\nPOWERED DOWN\r\n\r\nNORMAL POWER DOWN\r\n",
       "ok|OK\nurc|POWERED DOWN\nurc|NORMAL POWER DOWN\n"},
  };
}

std::string replay(const Transcript& transcript, const std::vector<std::size_t>& cuts) {
  AtParser parser;
  if (!transcript.command.empty()) parser.begin_command(transcript.command);
  std::vector<AtEvent> events;
  std::size_t begin = 0;
  for (const std::size_t cut : cuts) {
    for (AtEvent& event : parser.feed(std::string_view(transcript.bytes).substr(begin, cut - begin))) {
      events.push_back(std::move(event));
    }
    begin = cut;
  }
  for (AtEvent& event : parser.feed(std::string_view(transcript.bytes).substr(begin)))
    events.push_back(std::move(event));
  return print(events);
}

std::string answer(std::string_view command, std::string_view bytes) {
  AtParser parser;
  parser.begin_command(command);
  return print(parser.feed(bytes));
}

std::string unasked(std::string_view bytes) {
  AtParser parser;
  return print(parser.feed(bytes));
}
}  // namespace

TEST_CASE("field transcripts give the same events whole, cut at any byte, and byte by byte") {
  for (const Transcript& transcript : field_transcripts()) {
    CAPTURE(transcript.name);
    CHECK(replay(transcript, {}) == transcript.events);
    std::vector<std::size_t> all;
    for (std::size_t cut = 0; cut <= transcript.bytes.size(); ++cut) {
      CAPTURE(cut);
      REQUIRE(replay(transcript, {cut}) == transcript.events);
      all.push_back(cut);
    }
    CHECK(replay(transcript, all) == transcript.events);
  }
}

TEST_CASE("replies with URCs in them and behind them") {
  struct Row {
    std::string command, bytes, events;
  };
  const Row rows[] = {
      {"AT", "\r\nOK\r\n", "ok|OK\n"},
      {"AT", "\r\nOK\r\n\r\n+CREG: 1\r\n", "ok|OK\nurc|+CREG: 1\n"},
      {"AT", "\r\nERROR\r\n\r\nRING\r\n", "error|ERROR\nurc|RING\n"},
      {"AT+CSQ", "\r\n+CSQ: 16,99\r\n\r\n+QIND: PB DONE\r\n\r\nOK\r\n\r\n+CMTI: \"SM\",3\r\n",
       "info|+CSQ: 16,99\nurc|+QIND: PB DONE\nok|OK\nurc|+CMTI: \"SM\",3\n"},
      {"ATI", "\r\nQuectel\r\nUC20\r\n\r\n+QUSIM: 1\r\nRevision: UC20GQBR03A11E1G\r\n\r\nOK\r\n",
       "info|Quectel\ninfo|UC20\nurc|+QUSIM: 1\ninfo|Revision: UC20GQBR03A11E1G\nok|OK\n"},
      {"AT+CPIN?", "\r\n+CPIN: READY\r\n\r\nOK\r\n\r\n+CPIN: NOT READY\r\n",
       "info|+CPIN: READY\nok|OK\nurc|+CPIN: NOT READY\n"},
      {"AT+CREG?;+CGREG?", "\r\n+CREG: 0,1\r\n\r\n+CGREG: 0,5\r\n\r\n+CEREG: 1\r\n\r\nOK\r\n",
       "info|+CREG: 0,1\ninfo|+CGREG: 0,5\nurc|+CEREG: 1\nok|OK\n"},
      {"at+cfun?", "\r\n+CFUN: 1\r\n\r\nOK\r\n", "info|+CFUN: 1\nok|OK\n"},
      {"AT+CFUN=?", "\r\n+CFUN: (0,1,4),(0,1)\r\n\r\nOK\r\n", "info|+CFUN: (0,1,4),(0,1)\nok|OK\n"},
      {"AT+CFUN=1,1", "\r\nOK\r\n\r\n+CFUN: 1\r\n", "ok|OK\nurc|+CFUN: 1\n"},
      {"AT+QIACT?", "\r\n+QIURC: \"pdpdeact\",1\r\n\r\n+QIACT: 1,1,1,\"10.0.0.2\"\r\n\r\nOK\r\n",
       "urc|+QIURC: \"pdpdeact\",1\ninfo|+QIACT: 1,1,1,\"10.0.0.2\"\nok|OK\n"},
      {"AT+QFUPL=\"d\",10", "\r\nCONNECT\r\n", "connect|CONNECT\n"},
      {"AT", "\r\nNO CARRIER\r\n\r\nBUSY\r\n\r\nOK\r\n", "noise|NO CARRIER\nnoise|BUSY\nok|OK\n"},
      {kUpdate, "\r\nOK\r\n\r\n+QIOTEVT: 7,10705\r\n+CTZV: +8\r\n", "ok|OK\nurc|+QIOTEVT: 7,10705\nurc|+CTZV: +8\n"},
      {"AT+QGMR", "\r\n!!+CTZV: +8\r\nX\r\n\r\nRDY\r\n", "urc|+CTZV: +8\ninfo|X\nurc|RDY\n"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.command);
    CAPTURE(row.bytes);
    CHECK(answer(row.command, row.bytes) == row.events);
  }
}

TEST_CASE("every line end that was seen ends a line, and empty lines are nothing") {
  for (const std::string end : {"\r", "\n", "\r\n", "\r\r\n", "\n\r", "\r\n\r\n", " \r\n \r\n"}) {
    CAPTURE(end);
    CHECK(answer("ATI", end + "UC20" + end + "OK" + end) == "info|UC20\nok|OK\n");
  }
}

TEST_CASE("echo is dropped in each of its forms") {
  CHECK(answer("AT+GSN", "AT+GSN\r\r\n86\r\nOK\r\n") == "info|86\nok|OK\n");
  CHECK(answer("AT+GSN", "AT+GSN\r86\r\nOK\r\n") == "info|86\nok|OK\n");
  CHECK(answer("AT+GSN", "AT+GSN\rAT+GSN\r\r\n86\r\nOK\r\n") == "info|86\nok|OK\n");
  CHECK(answer("AT+GSN", "\x80^boot!AT+GSN\r\r\n86\r\nOK\r\n") == "info|86\nok|OK\n");
  CHECK(answer("AT+GSN\r", "AT+GSN\r\r\nOK\r\n") == "ok|OK\n");
  CHECK_MESSAGE(answer("AT+GSN", "at+gsn\r\nOK\r\n") == "info|at+gsn\nok|OK\n", "an echo has the case that was sent");
  CHECK_MESSAGE(answer("AT+CPIN?", "AT+CPIN?\r\r\n+CPIN: READY\r\nOK\r\n") == "info|+CPIN: READY\nok|OK\n", "no URC");
  CHECK_MESSAGE(unasked("AT+GSN\r\r\n") == "noise|AT+GSN\n", "somebody else's command");
}

TEST_CASE("a half line left from before does not hide the echo") {
  AtParser parser;
  CHECK(parser.feed("^bo").empty());
  parser.begin_command("AT");
  CHECK(print(parser.feed("AT\r\r\nOK\r\n")) == "ok|OK\n");
}

TEST_CASE("finals count only while a command is in flight") {
  AtParser parser;
  CHECK(print(parser.feed("OK\r\nERROR\r\n+CME ERROR: 3\r\n")) == "noise|OK\nnoise|ERROR\nnoise|+CME ERROR: 3\n");
  parser.begin_command("AT");
  CHECK(parser.in_command());
  CHECK(print(parser.feed("OK\r\nOK\r\nlate\r\n")) == "ok|OK\nnoise|OK\nnoise|late\n");
  CHECK_FALSE(parser.in_command());
  parser.begin_command("AT");
  parser.end_command();
  CHECK_FALSE(parser.in_command());
  CHECK(print(parser.feed("AT\r\nOK\r\n+QIND: \"FOTA\",\"END\",0\r\n")) ==
        "noise|AT\nnoise|OK\nurc|+QIND: \"FOTA\",\"END\",0\n");
}

TEST_CASE("words that only look like finals are part of the answer") {
  CHECK(answer("AT", "OKAY\r\nERRORS\r\nNOT OK\r\n+CME ERROR\r\nok\r\n") ==
        "info|OKAY\ninfo|ERRORS\ninfo|NOT OK\ninfo|+CME ERROR\ninfo|ok\n");
}

TEST_CASE("error codes are numbers or nothing") {
  CHECK(answer("AT", "+CME ERROR: 13\r\n") == "cme|+CME ERROR: 13|13\n");
  CHECK(answer("AT", "+CME ERROR:13\r\n") == "cme|+CME ERROR:13|13\n");
  CHECK(answer("AT", " +CME ERROR :  13 \r\n") == "cme|+CME ERROR :  13|13\n");
  CHECK(answer("AT", "+CME ERROR: 1 3\r\n") == "cme|+CME ERROR: 1 3\n");
  CHECK(answer("AT", "+CME ERROR: SIM not inserted\r\n") == "cme|+CME ERROR: SIM not inserted\n");
  CHECK(answer("AT", "+CME ERROR:\r\n") == "cme|+CME ERROR:\n");
  CHECK(answer("AT", "+CME ERROR: 99999999999\r\n") == "cme|+CME ERROR: 99999999999\n");
  CHECK(answer("AT", "+CMS ERROR: 500\r\n") == "cms|+CMS ERROR: 500|500\n");
}

TEST_CASE("CONNECT counts in a command only, and an A after CONNECT only") {
  CHECK(unasked("CONNECT\r\nA\r\n") == "noise|CONNECT\nnoise|A\n");
  CHECK(answer("AT", "A\r\nOK\r\n") == "info|A\nok|OK\n");
  CHECK(answer("AT", "CONNECTED\r\nconnect\r\nOK\r\n") == "info|CONNECTED\ninfo|connect\nok|OK\n");
  CHECK(answer("AT", "CONNECT\r\nCONNECT\r\nBA\r\nOK\r\nA\r\n") ==
        "connect|CONNECT\ninfo|CONNECT\ninfo|BA\nok|OK\nnoise|A\n");
}

TEST_CASE("who gives up in the middle of the data hears no acknowledgements any more") {
  AtParser parser;
  parser.begin_command("AT");
  CHECK(print(parser.feed("CONNECT\r\nA")) == "connect|CONNECT\nack|A\n");
  parser.end_command();
  CHECK(print(parser.feed("AA\r\n")) == "noise|AA\n");
  parser.begin_command("AT");
  CHECK(print(parser.feed("A\r\nOK\r\n")) == "info|A\nok|OK\n");
}

TEST_CASE("RDY is believed only as a word of its own") {
  CHECK(unasked("RDY\r\n") == "urc|RDY\n");
  CHECK(unasked("\xff\xfeRDY \r\n") == "urc|RDY\n");
  CHECK(unasked("!RDY\r\n") == "urc|RDY\n");
  CHECK(unasked("@APP RDY\r\n") == "urc|APP RDY\n");
  for (const std::string line :
       {"NOT RDY", "xRDY", "RDYX", "RDY!", "STATE:RDY", "\"RDY", "A12-RDY", "xAPP RDY", "rdy"}) {
    CAPTURE(line);
    CHECK(unasked(line + "\r\n") == "noise|" + line + "\n");
    CHECK(answer("AT+GSN", line + "\r\n") == "info|" + line + "\n");
  }
}

TEST_CASE("several +QIND on one line are told apart, garbage between them is not") {
  CHECK(unasked("+QIND: \"FOTA\",\"UPDA+QIND: \"FOTA\",\"UPDATING\",5\r\n") ==
        "urc|+QIND: \"FOTA\",\"UPDA\nurc|+QIND: \"FOTA\",\"UPDATING\",5\n");
  CHECK(unasked("x+qind : \"FOTA\",\"END\",0\r\n") == "urc|+qind : \"FOTA\",\"END\",0\n");
  CHECK(answer("AT", "OK+QIND: \"FOTA\",\"HTTPSTART\"\r\n") == "ok|OK\nurc|+QIND: \"FOTA\",\"HTTPSTART\"\n");
  CHECK(answer("AT", "AT+QIND: \"FOTA\",\"HTTPSTART\"\r\nOK\r\n") == "urc|+QIND: \"FOTA\",\"HTTPSTART\"\nok|OK\n");
  CHECK(unasked("+QINDEX: 1\r\n+QIND\r\n") == "noise|+QINDEX: 1\nnoise|+QIND\n");
}

TEST_CASE("a line of the greatest length is a line, one byte more is noise and told once") {
  const std::string longest(AtParser::kMaxLine, 'x');
  CHECK(answer("AT", longest + "\r\nOK\r\n") == "info|" + longest + "\nok|OK\n");
  CHECK(answer("AT", longest + "y\r\nOK\r\n") == "noise|" + longest + "\nok|OK\n");
}

TEST_CASE("a line without an end is told once, takes no memory, and the next line is fine") {
  AtParser parser;
  parser.begin_command("AT");
  std::size_t told = 0;
  std::size_t bytes = 0;
  for (int chunk = 0; chunk < 1024; ++chunk) {
    for (const AtEvent& event : parser.feed(std::string(1024, 'z'))) {
      CHECK(event.kind == Kind::noise);
      ++told;
      bytes += event.text.size();
    }
  }
  CHECK(told == 1);
  CHECK(bytes == AtParser::kMaxLine);
  CHECK(parser.in_command());
  CHECK_MESSAGE(parser.feed("OK").empty(), "it is still the same line");
  CHECK(print(parser.feed("\r\nOK\r\n")) == "ok|OK\n");
  CHECK(parser.feed(std::string(1 << 20, '\0')).empty());
  CHECK(print(parser.feed("RDY\r\n")) == "urc|RDY\n");
}

TEST_CASE("reset forgets a half line and an overlong one") {
  AtParser parser;
  parser.feed("+QIND: \"FOTA\",\"UPDA");
  parser.reset();
  CHECK(print(parser.feed("RDY\r\n")) == "urc|RDY\n");
  parser.feed(std::string(2000, 'z'));
  parser.reset();
  CHECK(print(parser.feed("RDY\r\n")) == "urc|RDY\n");
}

TEST_CASE("random bytes give printable, bounded events and leave the parser usable") {
  std::mt19937 random(20141104);
  const std::string pool = "\r\n\r\nOKERROR+QIND: \"FOTA\",+CME ERROR: 1RDY";
  AtParser parser;
  for (int round = 0; round < 1000; ++round) {
    if (random() % 3 == 0) parser.begin_command(random() % 2 == 0 ? "AT" : "");
    std::string bytes;
    for (int i = 0; i < 100; ++i) {
      bytes += random() % 2 == 0 ? static_cast<char>(random()) : pool[random() % pool.size()];
    }
    for (const AtEvent& event : parser.feed(bytes)) {
      REQUIRE_FALSE(event.text.empty());
      REQUIRE(event.text.size() <= AtParser::kMaxLine);
      for (const char c : event.text) REQUIRE((c >= 0x20 && c <= 0x7e));
    }
  }
  parser.end_command();
  parser.feed("\r\n");
  parser.begin_command("AT");
  CHECK(print(parser.feed("AT\r\r\nOK\r\n")) == "ok|OK\n");
}
