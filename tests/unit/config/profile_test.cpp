#include "config/profile.hpp"

#include <doctest/doctest.h>

#include "config/builtin_profiles.hpp"
#include "config/config.hpp"

using namespace dfota;

namespace {

std::string family_of(const Profiles& profiles, const std::string& model) {
  const Profile* profile = profiles.by_model(model);
  return profile == nullptr ? "none" : profile->name;
}

Profile family(const std::string& name, std::vector<std::string> models) {
  Profile profile;
  profile.name = name;
  profile.models = std::move(models);
  return profile;
}

const Profile& builtin(const std::string& name) {
  const Profile* profile = builtin_profiles().by_name(name);
  REQUIRE(profile != nullptr);
  return *profile;
}

}  // namespace

TEST_CASE("every built-in file is right, and named as its family is") {
  CHECK(builtin_profile_texts().size() == 5);
  for (const auto& [file, text] : builtin_profile_texts()) {
    CAPTURE(file);
    const auto parsed = parse_profile(std::string(text), std::string(file));
    if (const auto* faults = std::get_if<ConfigFaults>(&parsed)) {
      for (const auto& fault : *faults) MESSAGE(fault.text());
    }
    REQUIRE(std::holds_alternative<Profile>(parsed));
    CHECK(std::get<Profile>(parsed).name + ".toml" == file);
    CHECK(builtin_profiles().by_name(std::get<Profile>(parsed).name) != nullptr);
  }
  CHECK(builtin_profiles().names() == "bg96, ec2x, ep06, lte-standard-a, uc20");
}

TEST_CASE("the longest beginning of a model decides") {
  const auto& profiles = builtin_profiles();
  const std::pair<const char*, const char*> rows[] = {{"UC20", "uc20"},
                                                      {"UC15", "uc20"},
                                                      {"EC25", "ec2x"},
                                                      {"EC20F", "ec2x"},
                                                      {"EC21-E", "ec2x"},
                                                      {"EG25-G", "ec2x"},
                                                      {"EM05", "ec2x"},
                                                      {"EC200A", "lte-standard-a"},
                                                      {"EC200N-CN", "lte-standard-a"},
                                                      {"EG91", "ec2x"},
                                                      {"EG912N", "lte-standard-a"},
                                                      {"EG915K", "lte-standard-a"},
                                                      {"EC800K", "lte-standard-a"},
                                                      {"EG18-EA", "ep06"},
                                                      {"EM12", "ep06"},
                                                      {"BG96", "bg96"},
                                                      {"BG95", "none"},
                                                      {"RG500Q", "none"},
                                                      {"UC2", "none"},
                                                      {"", "none"},
                                                      {"uc20", "none"}};
  for (const auto& [model, name] : rows) {
    CAPTURE(model);
    CHECK(family_of(profiles, model) == name);
  }
  const Profiles two({family("short", {"X", "XYZA"}), family("long", {"XY"})});
  CHECK(family_of(two, "XYZAB") == "short");
  CHECK(family_of(two, "XYZ") == "long");
  CHECK(family_of(two, "XZ") == "short");
}

// Other silicon with other packages: an EC200U must not become an EC20, nor an EG915U an EG91.
TEST_CASE("a model that no guide names is of no family") {
  for (const char* model : {"EC200U", "EC200S", "EC200T", "EC200", "EG915U", "EG912Y", "UC200T", "EC250"}) {
    CAPTURE(model);
    CHECK(family_of(builtin_profiles(), model) == "none");
  }
}

TEST_CASE("the operator's own families come before the built-in ones, by model and by name") {
  Profiles profiles = builtin_profiles();
  profiles.add(family("mine", {"EC25", "EC200A"}));
  profiles.add(family("uc20", {"UC20X"}));
  CHECK(family_of(profiles, "EC25") == "mine");
  CHECK(family_of(profiles, "EC200A") == "mine");
  CHECK(family_of(profiles, "EC21") == "ec2x");
  CHECK(family_of(profiles, "UC20") == "uc20");
  CHECK(profiles.by_model("UC20")->http == "HTTP://");
  CHECK(profiles.by_name("uc20")->models == std::vector<std::string>{"UC20X"});
  CHECK(profiles.by_name("auto") == nullptr);
  CHECK(profiles.names().starts_with("mine, uc20, bg96"));
}

TEST_CASE("the configuration's word chooses, or the model does") {
  const auto& profiles = builtin_profiles();
  CHECK(profiles.choose("auto", "EC25")->name == "ec2x");
  CHECK(profiles.choose("bg96", "EC25")->name == "bg96");
  CHECK(profiles.choose("auto", "X1") == nullptr);
  CHECK(profiles.choose("x1", "EC25") == nullptr);
}

TEST_CASE("a number of END is looked up in the family's own table, both ends of a range in it") {
  const auto& ep06 = builtin("ep06");
  for (const int code : {502, 504, 505, 510, 511, 520, 525, 530, 540, 546}) {
    CAPTURE(code);
    REQUIRE(ep06.end_code(code) != nullptr);
    CHECK(ep06.end_code(code)->first <= code);
  }
  for (const int code : {-1, 0, 501, 503, 506, 519, 531, 539, 547}) CHECK(ep06.end_code(code) == nullptr);
  CHECK(ep06.end_code(504) == ep06.end_code(505));
  CHECK(ep06.end_code(510)->name == "source_mismatch");

  const auto& standard = builtin("lte-standard-a");
  CHECK(ep06.end_code(504)->name == "package_file_wrong");
  CHECK(standard.end_code(504)->name == "upgrade_failed");
  CHECK(standard.end_code(553)->name == "baseline_name_mismatch");
  for (const int code : {502, 510, 511, 551, 554}) CHECK(standard.end_code(code) == nullptr);
  CHECK(builtin("uc20").end_codes.empty());
}

TEST_CASE("a number that the family does not list may be one of another's") {
  CHECK(builtin_profiles().any_end_code(511)->name == "no_space");
  CHECK(builtin_profiles().any_end_code(552)->name == "project_name_mismatch");
  CHECK(builtin_profiles().any_end_code(1) == nullptr);
  Profiles profiles = builtin_profiles();
  Profile mine = family("mine", {"X"});
  mine.end_codes = {{500, 520, "ours", "m", "h"}};
  profiles.add(mine);
  CHECK(profiles.any_end_code(511)->name == "ours");
}

TEST_CASE("the parts with 2, 4 and 8 MB need MiniFOTA, but for those that do not") {
  const auto& standard = builtin("lte-standard-a");
  CHECK(standard.needs_minifota("EC800K", "EC800KCNLCR01A03M08"));
  CHECK(standard.needs_minifota("EC800K", "EC800KCNLCR01A03M08_01.001.01.001"));
  CHECK(standard.needs_minifota("EG912N", "EG912NENAAR02A02M02"));
  CHECK(standard.needs_minifota("EG912N", "EG912NENAAR02A02M04"));
  CHECK_FALSE(standard.needs_minifota("EC800K", "EC800KCNLCR01A03M16"));
  CHECK_FALSE(standard.needs_minifota("EC800K", "EC800KCNLCM08R01A03M16_M08"));
  CHECK_FALSE(standard.needs_minifota("EC200A", "EC200ACNHAR01A02M08"));
  CHECK_FALSE(standard.needs_minifota("EC200A-CN", "EC200ACNHAR01A02M04"));
  CHECK_FALSE(builtin("ec2x").needs_minifota("EC25", "EC25EFAR06A03M04"));
}

TEST_CASE("a family's deadlines stand where the operator said nothing") {
  ProfileDeadlines deadlines;
  deadlines.update = 5400;
  deadlines.start = 12;
  TimeoutsConfig timeouts;
  timeouts.update = 100;
  timeouts.given = {"update"};
  const auto merged = timeouts.with(deadlines);
  CHECK(merged.update == 100);
  CHECK(merged.start == 12);
  CHECK(merged.download == TimeoutsConfig().download);
  CHECK(timeouts.start == TimeoutsConfig().start);
  CHECK(builtin("ep06").deadlines.update == 5400);
}

TEST_CASE("the families differ in what they are known to differ in") {
  CHECK(builtin("uc20").http == "HTTP://");
  CHECK(builtin("uc20").https.empty());
  CHECK(builtin("uc20").local_path == "UFS:");
  CHECK(builtin("ec2x").local_path == "/data/ufs/");
  CHECK(builtin("ep06").local_path == "/cache/ufs/");
  CHECK(builtin("ep06").ftp.empty());
  CHECK(builtin("bg96").local_form == LocalForm::fixed);
  CHECK(builtin("bg96").stages.restore == "RESTORE");
  CHECK(builtin("bg96").pdp_command == PdpCommand::none);
  CHECK(builtin("lte-standard-a").local_form == LocalForm::stream);
  CHECK(builtin("lte-standard-a").parameters == ",1,50");
  CHECK(builtin("lte-standard-a").stages.downloading_max == 50);
  CHECK(builtin("lte-standard-a").reboots == 3);
}
