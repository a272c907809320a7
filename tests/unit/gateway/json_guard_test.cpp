#include "gateway/json_guard.hpp"

#include <doctest/doctest.h>

using namespace dfota;
using namespace std::string_literals;

namespace {
JsonFault fault_of(std::string_view text, std::size_t max_bytes = 65536, int max_depth = 16) {
  const auto parsed = parse_untrusted(text, max_bytes, max_depth);
  const auto* fault = std::get_if<JsonFault>(&parsed);
  return fault ? *fault : JsonFault{"none", "", ""};
}

std::string code_of(std::string_view text) {
  return fault_of(text).code;
}

std::string repeat(const std::string& text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}
}  // namespace

TEST_CASE("a command comes through as it is") {
  const auto parsed =
      parse_untrusted(R"( {"job":"r3","modules":["a","b"],"n":[1,-2,1.5,true,null],"s":"\u00e4\ud83d\ude00"} )");
  REQUIRE(std::holds_alternative<nlohmann::json>(parsed));
  const auto& document = std::get<nlohmann::json>(parsed);
  CHECK(document["modules"][1] == "b");
  CHECK(document["n"] == nlohmann::json::array({1, -2, 1.5, true, nullptr}));
  CHECK(document["s"] == "\xc3\xa4\xf0\x9f\x98\x80");
}

TEST_CASE("what is no JSON is refused with the byte and the place") {
  for (const auto* text : {"",          " ",         "{",           "[1,2",        "{\"a\":}",
                           "{\"a\" 1}", "{a:1}",     "[1,]",        "nul",         "NaN",
                           "[NaN]",     "Infinity",  "-",           "01",          "1e",
                           "\"a",       "'a'",       "{}x",         "{} {}",       "// c\n{}",
                           "\"\x01\"",  "\"\\x41\"", "\"\\ud800\"", "\"\\udc00\"", "\"\\ud800\\u0041\"",
                           "1e999",     "[-1e999]"}) {
    CAPTURE(text);
    CHECK(code_of(text) == "not_json");
  }
  const auto value = fault_of(R"({"a":{"b":[1,2,}]}})");
  CHECK(value.pointer == "/a/b/2");
  CHECK(value.message.find("at byte 15") != std::string::npos);
  CHECK(fault_of("").message.find("at byte 0") != std::string::npos);
  CHECK(fault_of("{}x").message.find("at byte 2") != std::string::npos);
  CHECK(fault_of(R"({"a":1e999})").message == "a number is out of range at byte 9");
}

TEST_CASE("a message does not quote the text, which may hold secrets") {
  for (const auto* text :
       {R"({"url":"https://x/?key=SECRET)", R"({"url":SECRET})", "{\"u\":\"SECRET\n\"}", "[1SECRET]"}) {
    CAPTURE(text);
    const auto fault = fault_of(text);
    CHECK(fault.code == "not_json");
    CHECK(fault.message.find("SECRET") == std::string::npos);
    CHECK(fault.message.find('S') == std::string::npos);
  }
}

TEST_CASE("a NUL does not end the text, nor hide what follows") {
  CHECK(code_of("{}\0garbage"s) == "not_json");
  CHECK(code_of("{}\0"s) == "not_json");
  CHECK(code_of("\"a\0b\""s) == "not_json");
  CHECK(fault_of("{}\0"s).message == "a NUL at byte 2");
  CHECK(code_of(R"("a\u0000b")") == "none");
}

TEST_CASE("a byte order mark is refused") {
  CHECK(code_of("\xef\xbb\xbf{}") == "not_json");
  CHECK(code_of("\xff\xfe{\0}\0"s) == "not_utf8");
}

TEST_CASE("bad UTF-8 is refused, in values, in keys and outside of both") {
  for (const auto* bad : {"\x80", "\xc0\xaf", "\xc1\xbf", "\xc3", "\xe0\x80\x80", "\xe0\x9f\xbf", "\xed\xa0\x80",
                          "\xed\xbf\xbf", "\xe2\x82", "\xf0\x80\x80\x80", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80",
                          "\xf5\x80\x80\x80", "\xf0\x9f\x98", "\xfe", "\xff"}) {
    CAPTURE(bad);
    CHECK(code_of("{\"a\":\""s + bad + "\"}") == "not_utf8");
    CHECK(code_of("{\""s + bad + "\":1}") == "not_utf8");
    CHECK(code_of("{} "s + bad) == "not_utf8");
  }
  for (const auto* good : {"\x7f", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
                           "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"}) {
    CAPTURE(good);
    CHECK(code_of("{\""s + good + "\":\"" + good + "\"}") == "none");
  }
  CHECK(fault_of("[\"ab\xff\"]").message == "no UTF-8 at byte 4");
}

TEST_CASE("size: the limit itself is taken, one byte more is not") {
  const auto text = "\"" + std::string(65534, 'a') + "\"";
  CHECK(code_of(text) == "none");
  CHECK(code_of(text + " ") == "too_large");
  CHECK(code_of(std::string(1 << 20, '[')) == "too_large");
  CHECK(fault_of("[1]", 2).code == "too_large");
}

TEST_CASE("depth: the limit itself is taken, one more is not, 30,000 are nothing special") {
  CHECK(code_of(repeat("[", 16) + repeat("]", 16)) == "none");
  const auto deep = fault_of(repeat("[", 17) + repeat("]", 17));
  CHECK(deep.code == "too_deep");
  CHECK(deep.pointer == repeat("/0", 16));
  CHECK(code_of(repeat("{\"a\":", 16) + "1" + repeat("}", 16)) == "none");
  CHECK(fault_of(repeat("{\"a\":", 17) + "1" + repeat("}", 17)).pointer == repeat("/a", 16));
  CHECK(code_of(repeat("[", 30000) + repeat("]", 30000)) == "too_deep");
  CHECK(fault_of(repeat("[", 500000) + repeat("]", 500000), 1 << 20).code == "too_deep");
  CHECK(fault_of(R"([1,{"a":[[]]}])", 100, 3).pointer == "/1/a/0");
  // Sisters are not children.
  CHECK(code_of("[" + repeat("[[]],", 5000) + "1]") == "none");
}

TEST_CASE("a key that stands there twice is refused, with its place") {
  CHECK(fault_of(R"({"a":1,"a":1})").code == "duplicate_key");
  CHECK(fault_of(R"({"a":1,"a":1})").pointer == "/a");
  CHECK(fault_of(R"({"a":1,"\u0061":2})").pointer == "/a");
  CHECK(fault_of(R"({"x":[0,{"a/b":{"m~n":1,"o":[],"m~n":2}}]})").pointer == "/x/1/a~1b/m~0n");
  CHECK(fault_of(R"({"":1,"":2})").pointer == "/");
  CHECK(code_of(R"({"a":{"a":{"a":1}},"b":[{"a":1},{"a":1}]})") == "none");
}

TEST_CASE("the first fault is the one that is told") {
  CHECK(code_of(R"({"a":1,"a":)") == "duplicate_key");
  CHECK(code_of(repeat("[", 17) + "nonsense") == "too_deep");
  CHECK(fault_of(R"({"a":[1,{"b":x)").pointer == "/a/1/b");
}

TEST_CASE("dump never throws, and replaces what is no UTF-8") {
  const nlohmann::json document = {{"version", "R03\xff"}, {"n", 1}};
  CHECK(dump(document) == "{\"n\":1,\"version\":\"R03\xef\xbf\xbd\"}");
}

TEST_CASE("canonical is one text for all orders and spacings") {
  const auto text = [](std::string_view json) { return canonical(std::get<nlohmann::json>(parse_untrusted(json))); };
  CHECK(text(R"({ "b" : [1, 2], "a": {"d":"\u00e4","c":null} })") ==
        "{\"a\":{\"c\":null,\"d\":\"\xc3\xa4\"},\"b\":[1,2]}");
  CHECK(text(R"({"a":1,"b":2})") == text(R"({"b":2,"a":1})"));
  CHECK(text(R"([1,2])") != text(R"([2,1])"));
}
