#include "modem/simulator/family.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace dfota;
using namespace dfota::sim;

namespace {

Family builtin(const std::string& model) {
  return Family::of(builtin_profiles(), model);
}

Family zz9() {
  const auto loaded = load_profiles(DFOTA_SOURCE_DIR "/tests/support/profiles");
  REQUIRE(std::holds_alternative<Profiles>(loaded));
  return Family::of(std::get<Profiles>(loaded), "ZZ9");
}

Family with_reboots(unsigned reboots, unsigned updating_max = 100) {
  Profile profile;
  profile.name = "f";
  profile.models = {"F"};
  profile.reboots = reboots;
  profile.stages.updating_max = updating_max;
  return Family::of(Profiles({profile}), "F");
}

/// "1..47 | 60..96": the numbers, and where the module reboots.
std::string shape(const std::vector<WritingStep>& steps) {
  std::string text;
  int last = -2;
  for (const auto& step : steps) {
    const int value = std::stoi(step.text.substr(step.text.rfind(',') + 1));
    const bool goes_on = value == last + 1 && !step.reboots_before;
    if (!goes_on) text += (last < 0 ? "" : ".." + std::to_string(last) + (step.reboots_before ? " | " : " "));
    if (!goes_on) text += std::to_string(value);
    last = value;
  }
  return text + ".." + std::to_string(last);
}

std::string uneven_numbers(const Family& family) {
  std::string text;
  for (const auto& step : family.writing_steps(Count::uneven)) {
    text += (step.reboots_before ? "| " : "") + step.text.substr(step.text.rfind(',') + 1) + " ";
  }
  return text;
}

}  // namespace

TEST_CASE("a family by its model; one that nobody knows has UC20's ways") {
  CHECK(builtin("EC25").profile().name == "ec2x");
  CHECK(builtin("BG96").profile().name == "bg96");
  CHECK(builtin("NOBODY").profile().name == "uc20");
  CHECK(builtin("").profile().name == "uc20");
  CHECK(zz9().profile().name == "zz9");
}

TEST_CASE("the first version of a module is one of its family's") {
  CHECK(builtin("UC20").first_version("UC20") == "UC20GQBR03A11E1G");
  CHECK(builtin("EC25").first_version("EC25") == "EC25EFAR06A03M4G");
  CHECK(builtin("EG18").first_version("EG18") == "EG18EAPAR01A12M4G_01.001.01.001");
  CHECK(builtin("BG96").first_version("BG96") == "BG96MAR02A07M1G_01.007.01.007");
  CHECK(builtin("EC200A").first_version("EC200A") == "EC200ACNHAR01A02M16");
  CHECK(zz9().first_version("ZZ9") == "ZZ9R01A01");
  for (const auto* model : {"UC20", "EC25", "EG18", "BG96", "EC200A", "EC800K"}) {
    CHECK_FALSE(builtin(model).is_minifota(model, builtin(model).first_version(model)));
  }
}

TEST_CASE("the parts with little flash take MiniFOTA, but for EC200A") {
  CHECK(builtin("EC800K").is_minifota("EC800K", "EC800KCNLCR01A03M08"));
  CHECK(builtin("EC800K").is_minifota("EC800K", "EC800KCNLCR01A03M02_01.001.01.001"));
  CHECK_FALSE(builtin("EC800K").is_minifota("EC800K", "EC800KCNLCR01A03M16"));
  CHECK_FALSE(builtin("EC200A").is_minifota("EC200A", "EC200ACNHAR01A02M08"));
  CHECK_FALSE(builtin("EC25").is_minifota("EC25", "EC25EFAR06A03M04"));
}

TEST_CASE("the revision that ATI tells has no sub-version") {
  CHECK(revision_of("EG18EAPAR01A12M4G_01.001.01.001") == "EG18EAPAR01A12M4G");
  CHECK(revision_of("UC20GQBR03A11E1G") == "UC20GQBR03A11E1G");
}

TEST_CASE("the boot of each family") {
  const std::vector<std::string> usual = {"RDY",      "+CPIN: READY",    "+QUSIM: 1",
                                          "+CFUN: 1", "+QIND: SMS DONE", "+QIND: PB DONE"};
  CHECK(builtin("EG18").boot_urcs(0) == usual);
  CHECK(builtin("UC20").boot_urcs(4) == usual);
  CHECK(builtin("UC20").boot_urcs(1) != usual);
  CHECK(builtin("EC800K").boot_urcs(0) ==
        std::vector<std::string>{"+CPIN: READY", "+QUSIM: 1", "+QIND: PB DONE", "+QIND: SMS DONE"});
  for (int index = 0; index < 4; ++index) {
    const auto urcs = builtin("BG96").boot_urcs(index);
    const auto rdy = std::find(urcs.begin(), urcs.end(), "RDY");
    REQUIRE(rdy != urcs.end());
    CHECK(*(rdy + 1) == "APP RDY");
  }
}

TEST_CASE("UPDATING runs to the family's own number, with the family's own reboots") {
  CHECK(shape(builtin("UC20").writing_steps()) == "1..100");
  CHECK(shape(builtin("EC800K").writing_steps()) == "7..47 | 60..96");
  CHECK(shape(with_reboots(1).writing_steps()) == "1..100");
  CHECK(shape(with_reboots(4).writing_steps()) == "1..33 | 34..66 | 67..100");
  CHECK(shape(with_reboots(3, 10).writing_steps()) == "1..5 | 6..10");
  CHECK(shape(with_reboots(4, 10).writing_steps()) == "1..4 | 5..7 | 8..10");
  CHECK_FALSE(with_reboots(1).reboots_before_writing());
  CHECK(builtin("UC20").reboots_before_writing());
  CHECK(builtin("UC20").writing_steps().at(6).text == "+QIND: \"FOTA\",\"UPDATING\",7");
  CHECK(builtin("UC20").writing_steps().at(6).percent == 7);
  CHECK(with_reboots(2, 10).writing_steps().at(4).percent == 50);
}

TEST_CASE("RESTORE follows with its percent sign, in the family's own word") {
  const auto bg96 = builtin("BG96").writing_steps();
  REQUIRE(bg96.size() == 200);
  CHECK(bg96.at(99).text == "+QIND: \"FOTA\",\"UPDATING\",100");
  CHECK(bg96.at(100).text == "+QIND: \"FOTA\",\"RESTORE\",1%");
  CHECK(bg96.at(199).text == "+QIND: \"FOTA\",\"RESTORE\",100%");
  const auto own = zz9().writing_steps();
  REQUIRE(own.size() == 110);
  CHECK(own.at(5).text == "+QIND: \"FOTA\",\"WRITING\",6");
  CHECK(own.at(5).reboots_before);
  CHECK(own.at(10).text == "+QIND: \"FOTA\",\"COPYBACK\",1%");
}

TEST_CASE("the uneven numbers of an Air780E") {
  CHECK(uneven_numbers(builtin("UC20")) == "0 2 4 6 9 13 18 24 31 39 48 58 69 81 94 100 ");
  CHECK(uneven_numbers(builtin("EC800K")) == "0 7 9 12 16 21 27 34 42 | 60 70 81 93 ");
}

TEST_CASE("an EG18 begins with 0 when it updates from a file") {
  CHECK(builtin("EG18").count_from_file() == Count::from_zero);
  CHECK(builtin("EC25").count_from_file() == Count::usual);
  CHECK(shape(builtin("EG18").writing_steps(Count::from_zero)) == "0..100");
}

TEST_CASE("DOWNLOADING is a percentage, or an ordinal") {
  CHECK(builtin("EC800K").downloading_urc(7, 50) == "+QIND: \"FOTA\",\"DOWNLOADING\",7");
  Profile profile;
  profile.name = "f";
  profile.models = {"F"};
  profile.stages.downloading = "DOWNLOADING";
  const auto percent = Family::of(Profiles({profile}), "F");
  CHECK(percent.downloading_urc(7, 50) == "+QIND: \"FOTA\",\"DOWNLOADING\",14");
  CHECK(percent.downloading_urc(50, 50) == "+QIND: \"FOTA\",\"DOWNLOADING\",100");
  CHECK(builtin("UC20").downloading_urc(7, 50).empty());
}

TEST_CASE("END's codes are the family's own, 510 and 505 where it lists none") {
  const struct {
    const char* model;
    int corrupt, base, other_model;
  } rows[] = {{"UC20", 505, 510, 510},
              {"EC25", 505, 510, 510},
              {"EG18", 505, 510, 510},
              {"BG96", 505, 510, 510},
              {"EC200A", 505, 553, 552}};
  for (const auto& row : rows) {
    CAPTURE(row.model);
    CHECK(builtin(row.model).corrupt_code() == row.corrupt);
    CHECK(builtin(row.model).misfit_code(Misfit::base) == row.base);
    CHECK(builtin(row.model).misfit_code(Misfit::model) == row.other_model);
  }
  CHECK(zz9().corrupt_code() == 31);
  CHECK(zz9().misfit_code(Misfit::base) == 49);
  CHECK(zz9().misfit_code(Misfit::model) == 49);
}

TEST_CASE("what a family does not say is no line at all") {
  CHECK(qind("HTTPEND", 703) == "+QIND: \"FOTA\",\"HTTPEND\",703");
  CHECK(qind("START") == "+QIND: \"FOTA\",\"START\"");
  CHECK(qind("").empty());
  CHECK(qind("", 5).empty());
}
