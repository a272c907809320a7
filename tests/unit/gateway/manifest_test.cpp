// Manifests one by one, and that gateway/api/schemas/manifest.json says the same of each as parse_manifest() does.
#include "gateway/manifest.hpp"

#include <doctest/doctest.h>
#include <regex.h>

#include <algorithm>
#include <cstdint>
#include <fstream>

using namespace dfota;
using nlohmann::json;

namespace {

json good() {
  return json::parse(R"({"name": "delta.bin", "model": "UC20", "from": "R11", "to": "R12", "size": 65536,
    "sha256": "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855"})");
}

json with(const std::string& key, const json& value) {
  auto document = good();
  document[key] = value;
  return document;
}

json without(const std::string& key) {
  auto document = good();
  document.erase(key);
  return document;
}

const json& schema() {
  static const json read = json::parse(std::ifstream(DFOTA_SOURCE_DIR "/gateway/api/schemas/manifest.json"));
  return read;
}

bool fits(const json& value, const json& rule);

/// The schema's patterns mean the same as POSIX extended ones.
bool matches(const std::string& text, const json& pattern) {
  regex_t compiled;
  REQUIRE(::regcomp(&compiled, pattern.get<std::string>().c_str(), REG_EXTENDED | REG_NOSUB) == 0);
  const bool found = ::regexec(&compiled, text.c_str(), 0, nullptr, 0) == 0;
  ::regfree(&compiled);
  return found;
}

bool fits_text(const std::string& text, const json& rule) {
  if (rule.contains("pattern") && !matches(text, rule.at("pattern"))) return false;
  return text.size() >= rule.value("minLength", std::size_t{0}) && text.size() <= rule.value("maxLength", SIZE_MAX);
}

bool fits_object(const json& value, const json& rule) {
  for (const auto& key : rule.value("required", json::array())) {
    if (!value.contains(key.get<std::string>())) return false;
  }
  const auto properties = rule.value("properties", json::object());
  for (const auto& [key, member] : value.items()) {
    const auto& own = properties.contains(key) ? properties.at(key) : rule.at("additionalProperties");
    if (own == false || !fits(member, own)) return false;
  }
  return true;
}

/// As much of JSON Schema as gateway/api/schemas/manifest.json is written in.
bool fits(const json& value, const json& rule) {
  if (rule.contains("$ref")) {
    const auto place = rule.at("$ref").get<std::string>().substr(1);
    if (!fits(value, schema().at(json::json_pointer(place)))) return false;
  }
  for (const auto& one : rule.value("allOf", json::array())) {
    if (!fits(value, one)) return false;
  }
  if (rule.contains("oneOf")) {
    const auto& all = rule.at("oneOf");
    return std::count_if(all.begin(), all.end(), [&](const json& one) { return fits(value, one); }) == 1;
  }
  if (rule.contains("not") && fits(value, rule.at("not"))) return false;
  if (value.is_string() && !fits_text(value.get<std::string>(), rule)) return false;
  const auto type = rule.value("type", "");
  if (type == "integer") return value.is_number_integer() && value >= rule.at("minimum");
  if (type == "string") return value.is_string();
  if (type == "object") return value.is_object() && fits_object(value, rule);
  if (type != "array") return true;
  return value.is_array() && value.size() <= rule.at("maxItems") &&
         std::all_of(value.begin(), value.end(), [&](const json& one) { return fits(one, rule.at("items")); });
}

bool is_taken(const json& document) {
  return std::holds_alternative<Manifest>(parse_manifest(document, true));
}

}  // namespace

TEST_CASE("good manifests: taken, written as they were, and right by the schema") {
  const json rows[] = {
      good(),
      with("name", std::string(64, 'a')),
      with("name", "0._-"),
      with("released", "2024-05-01"),
      with("released", "2024-05-01T12:00:00.5+01:00"),
      with("released", {{"from", "2024-05-01"}, {"to", "2024-06-01T00:00:00Z"}}),
      with("released", {{"from", "2024-05-01"}}),
      with("aliases", {{"R11", {"R11 ", "R11_BETA"}}, {"R12", json::array()}}),
      with("notes", "mind the gap"),
      with("signature", "untrusted comment: x\n"),
      with("url", "https://h/delta.bin?key=1"),
      with("from", std::string(64, '~')),
      with("model", "A model"),
  };
  for (const auto& row : rows) {
    CAPTURE(row.dump());
    CHECK(fits(row, schema()));
    const auto parsed = parse_manifest(row, true);
    REQUIRE(std::holds_alternative<Manifest>(parsed));
    const auto again = parse_manifest(to_json(std::get<Manifest>(parsed)), true);
    REQUIRE(std::holds_alternative<Manifest>(again));
    CHECK(to_json(std::get<Manifest>(again)) == to_json(std::get<Manifest>(parsed)));
  }
}

TEST_CASE("bad manifests: refused, and wrong by the schema") {
  std::vector<json> rows = {
      json::array(),
      json("x"),
      json(),
      with("nmae", "x"),
      with("name", "../delta.bin"),
      with("name", "/delta.bin"),
      with("name", "a/b"),
      with("name", ".delta"),
      with("name", "-delta"),
      with("name", "delta bin"),
      with("name", "delta.json"),
      with("name", "delta.MINI_1"),
      with("name", std::string(65, 'a')),
      with("name", "caf\xc3\xa9"),
      with("size", 0),
      with("size", -1),
      with("size", 1.5),
      with("size", "1"),
      with("sha256", std::string(63, 'a')),
      with("sha256", std::string(65, 'a')),
      with("sha256", std::string(64, 'g')),
      with("released", "yesterday"),
      with("released", "2024-5-1"),
      with("released", "2024-05-01T12:00:00"),
      with("released", 5),
      with("released", {{"from", "2024-05-01"}, {"until", "2024-06-01"}}),
      with("released", {{"from", 1}}),
      with("aliases", "R11"),
      with("aliases", {{"R11", "R10"}}),
      with("aliases", {{"R11", {1}}}),
      with("aliases", {{"R11", {""}}}),
      with("aliases", {{"R11", json(17, "R1")}}),
      with("notes", ""),
      with("notes", std::string(2049, 'n')),
      with("notes", 5),
      with("signature", std::string(2049, 's')),
      with("url", "ftp://h/f"),
      with("url", "http://"),
      with("url", "http://h/a b"),
      with("url", "http://h/f.mini_1?x"),
      with("url", "http://h/" + std::string(2048, 'f')),
  };
  for (const auto* key : {"name", "model", "from", "to", "size", "sha256"}) {
    rows.push_back(without(key));
    rows.push_back(with(key, nullptr));
    rows.push_back(with(key, ""));
  }
  for (const auto* key : {"model", "from", "to"}) {
    rows.push_back(with(key, std::string(65, 'a')));
    rows.push_back(with(key, "a\nb"));
    rows.push_back(with(key, 5));
  }
  for (const auto& row : rows) {
    CAPTURE(row.dump());
    CHECK_FALSE(is_taken(row));
    CHECK_FALSE(fits(row, schema()));
  }
}

TEST_CASE("what a schema cannot say is refused all the same") {
  for (const auto& row : {with("to", "R11"), with("aliases", {{"R13", {"R14"}}}), with("aliases", {{"R11", {"R12"}}}),
                          with("released", "2024-02-30")}) {
    CAPTURE(row.dump());
    CHECK(fits(row, schema()));
    CHECK_FALSE(is_taken(row));
  }
}

TEST_CASE("a url is none of a manifest that is beside its file") {
  const auto parsed = parse_manifest(with("url", "http://h/f"), false);
  REQUIRE(std::holds_alternative<CommandFault>(parsed));
  CHECK(std::get<CommandFault>(parsed).code == "unknown_key");
  CHECK(std::get<CommandFault>(parsed).pointer == "/url");
}

TEST_CASE("a fault says where") {
  const auto pointer_of = [](const json& document) {
    return std::get<CommandFault>(parse_manifest(document, true)).pointer;
  };
  CHECK(pointer_of(with("released", {{"to", "x"}})) == "/released/to");
  CHECK(pointer_of(with("aliases", {{"R11", {"x", 1}}})) == "/aliases/R11/1");
  CHECK(pointer_of(with("sha256", "x")) == "/sha256");
  CHECK(pointer_of(with("a/b", 1)) == "/a~1b");
}

TEST_CASE("an alias is the version that it stands for") {
  const auto manifest = std::get<Manifest>(parse_manifest(with("aliases", {{"R11", {"R11_BETA"}}}), true));
  CHECK(manifest.is("R11", "R11"));
  CHECK(manifest.is("R11", "R11_BETA"));
  CHECK_FALSE(manifest.is("R12", "R11_BETA"));
  CHECK_FALSE(manifest.is("R11", "r11"));
}
