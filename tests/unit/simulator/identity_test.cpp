#include "modem/simulator/identity.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "tests/support/temp_dir.hpp"

using namespace dfota;
using namespace dfota::sim;

TEST_CASE("the Luhn check digit of known numbers") {
  CHECK(luhn_check_digit("7992739871") == '3');
  CHECK(luhn_check_digit("49015420323751") == '8');  // the example IMEI of 3GPP TS 23.003, annex B
  CHECK(luhn_check_digit("0") == '0');
}

TEST_CASE("an IMEI has 15 digits, a right check digit, and one owner") {
  std::set<std::string> seen;
  for (int index = 0; index < 4000; ++index) {
    const auto imei = imei_of(index);
    REQUIRE(imei.size() == 15);
    REQUIRE(imei.find_first_not_of("0123456789") == std::string::npos);
    REQUIRE(imei.back() == luhn_check_digit(std::string_view(imei).substr(0, 14)));
    REQUIRE(seen.insert(imei).second);
  }
  CHECK(imei_of(7) == imei_of(7));
}

TEST_CASE("what a module remembers is read back, and a foreign file is not taken for it") {
  const test::TempDir dir;
  const auto path = dir / "m0.json";
  CHECK(load_memory(path).error().code == Errc::absent);

  const Memory memory{"UC20GQBR03A12E1G", imei_of(3), 17};
  REQUIRE(save_memory(path, memory).ok());
  const auto back = load_memory(path);
  REQUIRE(back.ok());
  CHECK(back->version == memory.version);
  CHECK(back->imei == memory.imei);
  CHECK(back->boots == 17);
  CHECK_FALSE(std::filesystem::exists(path + ".new"));

  for (const auto* text : {"", "{", "[]", "{\"version\":1}", R"({"version":"a","imei":"b","boots":-1})"}) {
    std::ofstream(path) << text;
    CHECK(load_memory(path).error().code == Errc::invalid);
  }
  CHECK(save_memory(dir / "none/m0.json", memory).error().code == Errc::io);
}
