#include "config/section.hpp"

#include <doctest/doctest.h>

using namespace dfota;

namespace {
struct Read {
  explicit Read(const std::string& text) : root(std::get<TomlValue>(parse_toml(text))), section(root, faults) {}
  std::string only_fault() {
    const ConfigFaults sorted = faults.sorted();
    REQUIRE(sorted.size() == 1);
    return sorted.front().text();
  }
  TomlValue root;
  FaultList faults{"f"};
  Section section;
};
Complaint anything(const std::string&) {
  return std::nullopt;
}
Complaint nothing(const std::string&) {
  return "must not be";
}
}  // namespace

TEST_CASE("a field keeps what it had when its key is missing or wrong") {
  Read read("text = 1\nnumber = 'x'\ncount = 0.5\nlist = ['a', 2]\n");
  std::string text = "kept";
  double number = 7;
  unsigned count = 8;
  std::vector<std::string> list = {"kept"};
  CHECK_FALSE(read.section.take_string("text", text, anything));
  CHECK_FALSE(read.section.take_string("absent", text, anything));
  CHECK_FALSE(read.section.take_number("number", number, 0, 9, ""));
  CHECK_FALSE(read.section.take_unsigned("count", count, 0, 9, ""));
  CHECK_FALSE(read.section.take_strings("list", list, anything));
  CHECK(text == "kept");
  CHECK(number == 7);
  CHECK(count == 8);
  CHECK(list == std::vector<std::string>{"kept"});
  CHECK(read.faults.sorted().size() == 4);
}

TEST_CASE("both ends of a range are in it, and nothing beyond, nan or inf") {
  for (const std::string value : {"1", "9", "1.0", "9.0", "0.5e1"}) {
    Read read("x = " + value);
    double number = 0;
    CHECK(read.section.take_number("x", number, 1, 9, "s"));
    CHECK(number >= 1);
  }
  for (const std::string value : {"0", "10", "0.99", "9.01", "-1", "nan", "inf", "-inf"}) {
    Read read("x = " + value);
    double number = 5;
    CHECK_FALSE(read.section.take_number("x", number, 1, 9, "s"));
    CHECK(number == 5);
    CHECK(read.only_fault().starts_with("f:1:5: x must be from 1 to 9 s, not "));
  }
  Read big("x = 4294967297");  // 1 when cut to 32 bits
  unsigned count = 5;
  CHECK_FALSE(big.section.take_unsigned("x", count, 1, 9, ""));
  CHECK(count == 5);
}

TEST_CASE("an unknown key is told the nearest known one") {
  const auto advice = [](const std::string& key) {
    Read read(key + " = 1");
    std::string field;
    for (const char* known : {"username", "password_file", "version", "uri"}) {
      read.section.take_string(known, field, anything);
    }
    read.section.unsupported("webhook", "later");
    read.section.finish();
    return read.only_fault();
  };
  CHECK(advice("usrname").find("did you mean \"username\"?") != std::string::npos);
  CHECK(advice("user_name").find("did you mean \"username\"?") != std::string::npos);
  CHECK(advice("verison").find("did you mean \"version\"?") != std::string::npos);
  CHECK(advice("url").find("did you mean \"uri\"?") != std::string::npos);
  CHECK(advice("password").find("did you mean \"password_file\"?") != std::string::npos);
  CHECK(advice("webhok").find("remove it; known here: username, password_file, version, uri") != std::string::npos);
  CHECK(advice("x").find("did you mean") == std::string::npos);
  CHECK(advice("\"\\u001b[31m\"").find('\x1b') == std::string::npos);
  CHECK(advice(std::string(5000, 'u')).size() < 300);
}

TEST_CASE("faults come in the order of the file, whatever the order of reading") {
  Read read("b = 'x'\na = 'x'\nc = 'x'\n");
  std::string field;
  for (const char* key : {"c", "a", "b"}) read.section.take_string(key, field, nothing);
  const ConfigFaults faults = read.faults.sorted();
  REQUIRE(faults.size() == 3);
  CHECK(faults.at(0).text() == "f:1:5: b must not be");
  CHECK(faults.at(1).line == 2);
  CHECK(faults.at(2).line == 3);
}

TEST_CASE("a section of the wrong shape is one fault: nothing in it is missing") {
  Read read("mqtt = 5");
  Section mqtt = read.section.child("mqtt");
  mqtt.require("uri", "write it");
  mqtt.fault("uri", "is odd");
  mqtt.finish();
  CHECK_FALSE(mqtt.present());
  CHECK(read.only_fault() == "f:1:8: mqtt must be a section [mqtt], not an integer");
}

TEST_CASE("a missing key is told at its section, and at the top when that is missing, too") {
  Read read("\n[mqtt]\n");
  read.section.child("mqtt").require("uri", "write it");
  CHECK(read.only_fault() == "f:2:1: mqtt.uri is missing: write it");
  Read empty("");
  empty.section.child("mqtt").require("uri", "write it");
  CHECK(empty.only_fault() == "f:1:1: mqtt.uri is missing: write it");
}
