#include "modem/simulator/data_transfer.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <string>

using namespace dfota;
using namespace dfota::sim;
using std::chrono::milliseconds;
using State = DataTransfer::State;

namespace {

/// Amazon Root CA 1, for which a real module has told its checksum: +QFUPL: 1208,5769 with CRLF at the lines' ends.
const std::string kAmazonRootCa1 =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIDQTCCAimgAwIBAgITBmyfz5m/jAo54vB4ikPmljZbyjANBgkqhkiG9w0BAQsF\n"
    "ADA5MQswCQYDVQQGEwJVUzEPMA0GA1UEChMGQW1hem9uMRkwFwYDVQQDExBBbWF6\n"
    "b24gUm9vdCBDQSAxMB4XDTE1MDUyNjAwMDAwMFoXDTM4MDExNzAwMDAwMFowOTEL\n"
    "MAkGA1UEBhMCVVMxDzANBgNVBAoTBkFtYXpvbjEZMBcGA1UEAxMQQW1hem9uIFJv\n"
    "b3QgQ0EgMTCCASIwDQYJKoZIhvcNAQEBBQADggEPADCCAQoCggEBALJ4gHHKeNXj\n"
    "ca9HgFB0fW7Y14h29Jlo91ghYPl0hAEvrAIthtOgQ3pOsqTQNroBvo3bSMgHFzZM\n"
    "9O6II8c+6zf1tRn4SWiw3te5djgdYZ6k/oI2peVKVuRF4fn9tBb6dNqcmzU5L/qw\n"
    "IFAGbHrQgLKm+a/sRxmPUDgH3KKHOVj4utWp+UhnMJbulHheb4mjUcAwhmahRWa6\n"
    "VOujw5H5SNz/0egwLX0tdHA114gk957EWW67c4cX8jJGKLhD+rcdqsq08p8kDi1L\n"
    "93FcXmn/6pUCyziKrlA4b9v7LWIbxcceVOF34GfID5yHI9Y/QCB/IIDEgEw+OyQm\n"
    "jgSubJrIqg0CAwEAAaNCMEAwDwYDVR0TAQH/BAUwAwEB/zAOBgNVHQ8BAf8EBAMC\n"
    "AYYwHQYDVR0OBBYEFIQYzIU07LwMlJQuCFmcx7IQTgoIMA0GCSqGSIb3DQEBCwUA\n"
    "A4IBAQCY8jdaQZChGsV2USggNiMOruYou6r4lK5IpDB/G/wkjUu0yKGX9rbxenDI\n"
    "U5PMCCjjmCXPI6T53iHTfIUJrU6adTrCC2qJeHZERxhlbI1Bjjt/msv0tadQ1wUs\n"
    "N+gDS63pYaACbvXy8MWy7Vu33PqUXHeeE6V/Uq2V8viTO96LXFvKWlJbYK8U90vv\n"
    "o/ufQJVtMVT8QtPHRh8jrdkPSHCa2XV4cdFyQzR1bldZwgJcJmApzyMZFo6IQ6XU\n"
    "5MsI+yMRQ+hDKXJioaldXgjUkK642M4UwtBV8ob2xJNDd2ZhwLnoQdeXeGADbkpy\n"
    "rqXRfboQnoZsG4q5WTP468SQvvG5\n"
    "-----END CERTIFICATE-----\n";

struct Fixture {
  Fixture() { rules.escapable = true; }
  void begin(uint64_t size) {
    rules.size_bytes = size;
    transfer = std::make_unique<DataTransfer>(
        rules, [this](std::string_view bytes) { content += bytes; }, now);
  }
  size_t say(const std::string& bytes, Clock::duration after = Clock::duration::zero()) {
    now += after;
    return transfer->feed(bytes, now);
  }
  State wait(Clock::duration time) {
    now += time;
    transfer->expire(now);
    return transfer->state();
  }
  Clock::time_point now{std::chrono::hours(1)};
  TransferRules rules;
  std::unique_ptr<DataTransfer> transfer;
  std::string content;
};

uint16_t checksum(const std::string& bytes, size_t cut) {
  QfuplChecksum sum;
  sum.feed(std::string_view(bytes).substr(0, cut));
  sum.feed(std::string_view(bytes).substr(cut));
  return sum.value();
}

}  // namespace

TEST_CASE("the checksum that a real module told, at every split") {
  std::string crlf;
  for (const char c : kAmazonRootCa1) crlf += c == '\n' ? "\r\n" : std::string(1, c);
  REQUIRE(crlf.size() == 1208);
  REQUIRE(kAmazonRootCa1.size() == 1188);
  for (size_t cut = 0; cut <= crlf.size(); ++cut) CHECK(checksum(crlf, cut) == 0x5769);
  CHECK(checksum(kAmazonRootCa1, 7) == 0x2d13);
  CHECK(checksum("", 0) == 0);
  CHECK(checksum("a", 1) == 0x6100);
  CHECK(checksum("abc", 2) == (0x6162 ^ 0x6300));
}

TEST_CASE_FIXTURE(Fixture, "it ends with the declared size, and takes nothing beyond it") {
  begin(10);
  CHECK(say("AT\r\n") == 4);
  CHECK(transfer->state() == State::open);
  CHECK(say("0123456789") == 6);
  CHECK(transfer->state() == State::whole);
  CHECK(content == "AT\r\n012345");
  CHECK(transfer->bytes() == 10);
  CHECK(say("more") == 0);
  CHECK(wait(seconds(60)) == State::whole);
}

TEST_CASE_FIXTURE(Fixture, "an A for each 1,024 bytes, at every split, when it was asked for") {
  rules.acknowledged = true;
  for (const size_t piece : {1, 7, 1023, 1024, 1025, 4000}) {
    begin(4000);
    size_t acks = 0;
    for (size_t at = 0; at < 4000; at += piece) {
      say(std::string(std::min<size_t>(piece, 4000 - at), 'x'));
      acks += transfer->take_acks();
      CHECK(acks == transfer->bytes() / 1024);
    }
    CHECK(acks == 3);
    CHECK(transfer->take_acks() == 0);
    CHECK(transfer->state() == State::whole);
  }
  rules.acknowledged = false;
  begin(4000);
  say(std::string(4000, 'x'));
  CHECK(transfer->take_acks() == 0);
}

TEST_CASE_FIXTURE(Fixture, "silence ends it, counted from the last byte") {
  begin(10);
  CHECK(wait(milliseconds(4999)) == State::open);
  say("abc");
  CHECK(wait(milliseconds(4999)) == State::open);
  CHECK(wait(milliseconds(1)) == State::idle);
  CHECK(content == "abc");
  CHECK(say("def") == 0);
}

TEST_CASE_FIXTURE(Fixture, "a byte that comes too late is none of the file") {
  begin(10);
  CHECK(say("abc", seconds(5)) == 0);
  CHECK(transfer->state() == State::idle);
}

TEST_CASE_FIXTURE(Fixture, "+++ alone in silence ends it, however it comes, and is no data") {
  begin(100);
  say("abc");
  SUBCASE("at once") {
    say("+++", seconds(1));
  }
  SUBCASE("one by one") {
    say("+", seconds(1));
    say("+");
    say("+", milliseconds(100));
  }
  CHECK(wait(milliseconds(999)) == State::open);
  CHECK(wait(milliseconds(1)) == State::escaped);
  CHECK(content == "abc");
  CHECK(transfer->bytes() == 3);
}

TEST_CASE_FIXTURE(Fixture, "+++ is data when silence does not stand on both sides of it") {
  begin(20);
  SUBCASE("none before") {
    say("abc");
    say("+++", milliseconds(999));
    CHECK(wait(seconds(2)) == State::open);
    CHECK(content == "abc+++");
  }
  SUBCASE("none behind") {
    say("abc");
    say("+++", seconds(1));
    say("def", milliseconds(999));
    CHECK(wait(seconds(2)) == State::open);
    CHECK(content == "abc+++def");
  }
  SUBCASE("in one piece with others") {
    say("abc");
    say("+++d", seconds(2));
    CHECK(wait(seconds(2)) == State::open);
    CHECK(content == "abc+++d");
  }
  SUBCASE("four of them") {
    say("abc");
    say("+++", seconds(2));
    say("+", milliseconds(10));
    CHECK(wait(seconds(2)) == State::open);
    CHECK(content == "abc++++");
  }
  SUBCASE("two of them, and silence to the end") {
    say("++", seconds(2));
    CHECK(wait(milliseconds(4999)) == State::open);
    CHECK(wait(milliseconds(1)) == State::idle);
    CHECK(content == "++");
  }
}

TEST_CASE_FIXTURE(Fixture, "+++ at the end of a file completes it") {
  rules.acknowledged = true;
  begin(1024);
  say(std::string(1021, 'x'));
  say("+++", seconds(2));
  CHECK(transfer->state() == State::whole);
  CHECK(transfer->take_acks() == 1);
  CHECK(content.size() == 1024);
}

TEST_CASE_FIXTURE(Fixture, "where it cannot be escaped, +++ is data") {
  rules.escapable = false;
  begin(10);
  say("+++", seconds(2));
  CHECK(content == "+++");
  CHECK(wait(seconds(2)) == State::open);
}

TEST_CASE_FIXTURE(Fixture, "more than it can take within any second is an overrun") {
  rules.max_bytes_per_s = 15000;
  begin(100000);
  SUBCASE("at once") {
    say(std::string(15001, 'x'));
    CHECK(transfer->state() == State::overrun);
  }
  SUBCASE("spread over less than a second") {
    for (int piece = 0; piece < 15; ++piece) say(std::string(1000, 'x'), milliseconds(60));
    CHECK(transfer->state() == State::open);
    say("x", milliseconds(60));
    CHECK(transfer->state() == State::overrun);
    CHECK(content.size() == 15000);
  }
  SUBCASE("as fast as it can") {
    for (int piece = 0; piece < 100; ++piece) say(std::string(1000, 'x'), milliseconds(67));
    CHECK(transfer->state() == State::whole);
  }
}
