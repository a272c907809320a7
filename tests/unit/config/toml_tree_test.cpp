#include "config/toml_tree.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace dfota;

namespace {
const TomlValue& at(const TomlValue& table, const std::string& key) {
  const auto found = std::ranges::find(table.children, key, &TomlValue::key);
  REQUIRE(found != table.children.end());
  return *found;
}

TomlValue parsed(const std::string& text) {
  auto result = parse_toml(text);
  REQUIRE(std::holds_alternative<TomlValue>(result));
  return std::get<TomlValue>(result);
}

TomlSyntaxError refused(const std::string& text) {
  auto result = parse_toml(text);
  REQUIRE(std::holds_alternative<TomlSyntaxError>(result));
  return std::get<TomlSyntaxError>(result);
}
}  // namespace

TEST_CASE("every kind of value arrives with its place and its key's place") {
  const TomlValue root = parsed(
      "[a]\n"
      "text = \"x\"\n"
      "  count = -7\n"
      "share = 0.5\n"
      "yes = true\n"
      "day = 1979-05-27\n"
      "list = [1, 2]\n"
      "pdp = { cid = 3 }\n"
      "[[m]]\n"
      "[[m]]\n");
  const TomlValue& a = at(root, "a");
  CHECK(a.is_table());
  CHECK(a.place == Place{1, 1});
  CHECK(at(a, "text").text == "x");
  CHECK(at(a, "text").place == Place{2, 8});
  CHECK(at(a, "count").integer == -7);
  CHECK(at(a, "count").key_place == Place{3, 3});
  CHECK(at(a, "share").fraction == 0.5);
  CHECK(at(a, "yes").boolean);
  CHECK(at(a, "day").kind == TomlValue::Kind::date);
  CHECK(at(a, "list").children.at(1).place == Place{7, 12});
  CHECK(at(at(a, "pdp"), "cid").integer == 3);
  CHECK(at(at(a, "pdp"), "cid").place == Place{8, 15});
  CHECK(at(root, "m").is_table_array());
  CHECK(at(root, "m").children.at(1).place == Place{10, 1});
  CHECK_FALSE(at(a, "list").is_table_array());
}

TEST_CASE("what is not TOML is refused at its place, the first one only") {
  const TomlSyntaxError error = refused("a = 1\nb = = 2\nc = = 3\n");
  CHECK(error.place.line == 2);
  CHECK(error.message.starts_with("this is not TOML: "));
  CHECK(refused("a = 1\na = 2\n").place.line == 2);
  CHECK(refused("a = '\xff'\n").place.line == 1);
  CHECK(refused(std::string("a = 'x\0y'\n", 10)).place.line == 1);
  CHECK(refused("a = [1,\n").place.line == 1);
}

TEST_CASE("nesting and lines are bounded") {
  std::string dotted = "a";
  for (int i = 0; i < 5000; ++i) dotted += ".a";
  CHECK(std::holds_alternative<TomlValue>(parse_toml(dotted + " = 1\n")));
  for (int i = 0; i < 100000; ++i) dotted += ".a";
  const TomlSyntaxError error = refused("x = 1\n" + dotted + " = 1\n");
  CHECK(error.place == Place{2, 1});
  CHECK(error.message.find("longer than 16384 bytes") != std::string::npos);
}

TEST_CASE("an empty text is an empty table") {
  CHECK(parsed("").children.empty());
  CHECK(parsed("").place == Place{1, 1});
  CHECK(parsed("\xef\xbb\xbf# with a byte order mark\r\n").children.empty());
}
