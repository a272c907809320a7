// What makes a profile, and what is wrong with one: each fault with its place.
#include <doctest/doctest.h>

#include <fstream>

#include "config/profile.hpp"
#include "tests/support/temp_dir.hpp"

using namespace dfota;

namespace {

const std::string kStart = "name = 'f'\nmodels = ['F']\n";

Profile right(const std::string& text) {
  const auto parsed = parse_profile(text, "f.toml");
  if (const auto* faults = std::get_if<ConfigFaults>(&parsed)) {
    for (const auto& fault : *faults) MESSAGE(fault.text());
  }
  REQUIRE(std::holds_alternative<Profile>(parsed));
  return std::get<Profile>(parsed);
}

ConfigFaults faults_of(const std::string& text) {
  const auto parsed = parse_profile(text, "f.toml");
  return std::holds_alternative<ConfigFaults>(parsed) ? std::get<ConfigFaults>(parsed) : ConfigFaults{};
}

struct Row {
  std::string text;
  unsigned line, column;
  std::string part;  // of the message
};

void check_rows(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const auto faults = faults_of(row.text);
    std::string told;
    for (const auto& fault : faults) told += fault.text() + "\n";
    CAPTURE(told);
    REQUIRE(faults.size() == 1);
    CHECK(faults[0].file == "f.toml");
    CHECK(faults[0].line == row.line);
    CHECK(faults[0].column == row.column);
    CHECK(faults[0].message.find(row.part) != std::string::npos);
  }
}

struct Folder {
  std::string file(const std::string& name, const std::string& text) const {
    std::ofstream(dir.path() / name) << text;
    return dir / name;
  }
  test::TempDir dir;
};

}  // namespace

TEST_CASE("a name and the models are enough") {
  const Profile profile = right(kStart);
  Profile expected;
  expected.name = "f";
  expected.models = {"F"};
  CHECK(profile == expected);
  CHECK(profile.version_command == "ATI");
  CHECK(profile.reboots == 2);
  CHECK(profile.http.empty());
  CHECK(profile.local_form == LocalForm::none);
}

TEST_CASE("every key reaches its own field") {
  Profile expected;
  expected.name = "zz9";
  expected.models = {"ZZ9"};
  expected.version_command = "AT+QGMR";
  expected.reboots = 3;
  expected.http = "Http://";
  expected.url_max_bytes = 200;
  expected.local_form = LocalForm::path;
  expected.local_path = "/ufs0/";
  expected.file_name_max_bytes = 40;
  expected.parameters = ",0,20";
  expected.pdp_command = PdpCommand::none;
  expected.stages.http_start = "PULLSTART";
  expected.stages.http_end = "PULLEND";
  expected.stages.downloading = "PULLING";
  expected.stages.downloading_max = 20;
  expected.stages.start = "WRITESTART";
  expected.stages.updating = "WRITING";
  expected.stages.updating_max = 10;
  expected.stages.restore = "COPYBACK";
  expected.stages.end = "DONE";
  expected.deadlines.progress_gap = 60;
  expected.end_codes = {{31, 31, "package_check_error", "Package torn", "Look whether the delta is whole."},
                        {40, 49, "source_mismatch", "Package of another firmware",
                         "Compare the module's version with the base of the delta."}};
  const auto loaded = load_profiles(DFOTA_SOURCE_DIR "/tests/support/profiles");
  REQUIRE(std::holds_alternative<Profiles>(loaded));
  const Profile* zz9 = std::get<Profiles>(loaded).by_model("ZZ9B");
  REQUIRE(zz9 != nullptr);
  CHECK(*zz9 == expected);
}

TEST_CASE("the keys that the made-up family has no use for") {
  const Profile profile = right(kStart + R"(
url = { https = "HTTPS://", ftp = "ftp://", ftp_root_only = true }
command = { pdp = "QFOTAPID" }
file = { form = "stream", storage = "SD", stream_block_bytes = 7, stream_bytes_per_second = 900 }
stages = { ftp_start = "A", ftp_end = "B", file_start = "C", file_end = "" }
deadlines = { start = 1, download = 2, reboot = 3, update = 0.5 }
minifota = { versions = ["M02"], except = ["FX"] }
)");
  CHECK(profile.https == "HTTPS://");
  CHECK(profile.ftp == "ftp://");
  CHECK(profile.ftp_root_only);
  CHECK(profile.pdp_command == PdpCommand::qfotapid);
  CHECK(profile.local_form == LocalForm::stream);
  CHECK(profile.storage == "SD");
  CHECK(profile.stream_block_bytes == 7);
  CHECK(profile.stream_bytes_per_second == 900);
  CHECK(profile.stages.ftp_start + profile.stages.ftp_end + profile.stages.file_start == "ABC");
  CHECK(profile.stages.file_end.empty());
  CHECK(profile.deadlines == ProfileDeadlines{1, 2, 3, std::nullopt, 0.5});
  CHECK(profile.minifota_versions == std::vector<std::string>{"M02"});
  CHECK(profile.minifota_except == std::vector<std::string>{"FX"});
}

TEST_CASE("faults of the family itself") {
  check_rows({
      {"models = ['F']", 1, 1, "name is missing: give the family a name"},
      {"name = 'f'", 1, 1, "models is missing: name how the second line of ATI begins"},
      {"name = 'auto'\nmodels = ['F']", 1, 8, "must not be \"auto\""},
      {"name = 'a b'\nmodels = ['F']", 1, 8, "must be 1 to 64"},
      {"name = 1\nmodels = ['F']", 1, 8, "must be a string in quotes, not an integer"},
      {"name = 'f'\nmodels = 'F'", 2, 10, "must be an array of strings"},
      {"name = 'f'\nmodels = ['F', '']", 2, 16, "must have 1 to 64 characters"},
      {"name = 'f'\nmodels = ['F', 'F']", 2, 16, "twice"},
      {kStart + "colour = 'red'", 3, 1, "unknown key \"colour\" outside of every section"},
      {kStart + "[stage]", 3, 1, "unknown section [stage]: did you mean \"stages\"?"},
      {kStart + "reboots = 0", 3, 11, "must be from 1 to 10, not 0"},
      {kStart + "reboots = 11", 3, 11, "not 11"},
      {kStart + "version_command = 'QGMR'", 3, 19, "must be a command that asks"},
      {kStart + "version_command = 'AT+QFOTADL=1'", 3, 19, "must be a command that asks"},
      {kStart + "version_command = 'AT+QGMR;+CFUN'", 3, 19, "semicolons"},
      {kStart + "[minifota]\nversions = 'M02'", 4, 12, "must be an array of strings"},
      {kStart + "[deadlines]\nupdate = 0", 4, 10, "seconds, not 0"},
      {kStart + "[deadlines]\nlisten = 1", 4, 1, "unknown key \"listen\" in [deadlines]"},
      {"name = = 'f'", 1, 8, "this is not TOML"},
  });
}

TEST_CASE("faults of what is said to a module") {
  check_rows({
      {kStart + "url.http = 'https://'", 3, 12, "must be \"http://\" in small or capital letters"},
      {kStart + "url.ftp = 'ftp:'", 3, 11, "must be \"ftp://\""},
      {kStart + "url.max_bytes = 0", 3, 17, "must be from 1 to 2048 bytes"},
      {kStart + "url.ftp_root_only = 1", 3, 21, "must be true or false"},
      {kStart + "[file]", 3, 1, "file.form is missing"},
      {kStart + "file.form = 'paths'\nfile.path = 'x'", 3, 13, "must be \"path\", \"fixed\" or \"stream\""},
      {kStart + "[file]\nform = 'path'", 3, 1, "file.path is missing: write what stands before the name"},
      {kStart + "[file]\nform = 'fixed'", 3, 1, "file.path is missing"},
      {kStart + "[file]\nform = 'path'\npath = 'UFS:\"'", 5, 8, "without spaces, quotes"},
      {kStart + "[file]\nform = 'path'\npath = \"U\\r\"", 5, 8, "printable ASCII"},
      {kStart + "[file]\nform = 'stream'\nstream_block_bytes = 0", 5, 22, "must be from 1"},
      {kStart + "[file]\nform = 'stream'\nname_max_bytes = 256", 5, 18, "from 1 to 255 bytes"},
      {kStart + "command.pdp = 'cid'", 3, 15, "must be \"fota/cid\", \"QFOTAPID\" or \"none\""},
      {kStart + "command.parameters = '1,50'", 3, 22, "must begin with a comma"},
      {kStart + "command.parameters = ',1 0'", 3, 22, "without spaces"},
      {kStart + "command.parameters = ',1;+CFUN=1'", 3, 22, "semicolons"},
      {kStart + "[command]\nparameter = ''", 4, 1, "did you mean \"parameters\"?"},
  });
}

TEST_CASE("faults of what a module says") {
  const std::string end = "[[end]]\ncode = 5\nname = 'n'\nmeaning = 'm'\n";
  check_rows({
      {kStart + "stages.end = 'E D'", 3, 14, "without spaces"},
      {kStart + "stages.updating_max = 0", 3, 23, "must be from 1 to 10000"},
      {kStart + "stages.downloading_max = '50'", 3, 26, "must be an integer, not a string"},
      {kStart + "stages.ends = 'X'", 3, 8, "did you mean \"end\"?"},
      {kStart + end, 3, 1, "end.hint is missing: say what to look at"},
      {kStart + end + "hint = ''", 7, 8, "must have 1 to 300 characters"},
      {kStart + end + "hint = 'h'\nto = 4", 8, 6, "must be from 5 to 1000000, not 4"},
      {kStart + end + "hint = 'h'\nupto = 4", 8, 1, "unknown key \"upto\" in [[end]]"},
      {kStart + "[end]\ncode = 5", 3, 1, "two brackets, [[end]]"},
  });
}

TEST_CASE("all faults of a profile are told at once, in the order of the file") {
  const auto faults =
      faults_of("models = ['']\n[url]\nhttp = 1\nport = 80\n[command]\npdp = 'x'\n[[end]]\ncode = 'x'\n");
  std::vector<std::pair<unsigned, unsigned>> places;
  for (const auto& fault : faults) places.emplace_back(fault.line, fault.column);
  // name; models; http, port; pdp; name, meaning and hint of the END code, and the code itself.
  CHECK(places == std::vector<std::pair<unsigned, unsigned>>{
                      {1, 1}, {1, 11}, {3, 8}, {4, 1}, {6, 7}, {7, 1}, {7, 1}, {7, 1}, {8, 8}});
}

TEST_CASE("a folder's families are taken in the order of their names, and only *.toml") {
  const Folder folder;
  folder.file("b.toml", "name = 'b'\nmodels = ['X']\n");
  folder.file("a.toml", "name = 'a'\nmodels = ['X']\n");
  folder.file("README.md", "# no profile\n");
  const auto loaded = load_profiles(folder.dir.path());
  REQUIRE(std::holds_alternative<Profiles>(loaded));
  const auto& profiles = std::get<Profiles>(loaded);
  CHECK(profiles.names() == "a, b, " + builtin_profiles().names());
}

TEST_CASE("an own family may bear the name of a built-in one, but not that of another own one") {
  const Folder folder;
  const auto first = folder.file("1.toml", "name = 'uc20'\nmodels = ['X']\n");
  CHECK(std::holds_alternative<Profiles>(load_profiles(folder.dir.path())));
  const auto second = folder.file("2.toml", "name = 'uc20'\nmodels = ['Y']\n");
  const auto loaded = load_profiles(folder.dir.path());
  REQUIRE(std::holds_alternative<ConfigFaults>(loaded));
  REQUIRE(std::get<ConfigFaults>(loaded).size() == 1);
  CHECK(std::get<ConfigFaults>(loaded)[0].text() ==
        second + ":0:0: the name \"uc20\" belongs to " + first + " already: each family has its own");
}

TEST_CASE("two broken files of a folder are told at once, each by its name; so is one that cannot be read") {
  const Folder folder;
  const auto one = folder.file("1.toml", "name = 'one'\n");
  const auto two = folder.file("2.toml", "models = ['T']\n");
  folder.file("3.toml", kStart);
  const auto folder_of_that_name = folder.dir / "4.toml";
  std::filesystem::create_directory(folder_of_that_name);
  const auto loaded = load_profiles(folder.dir.path());
  REQUIRE(std::holds_alternative<ConfigFaults>(loaded));
  const auto& faults = std::get<ConfigFaults>(loaded);
  REQUIRE(faults.size() == 3);
  CHECK(faults[0].text().starts_with(one + ":1:1: models is missing"));
  CHECK(faults[1].text().starts_with(two + ":1:1: name is missing"));
  CHECK(faults[2].text().starts_with(folder_of_that_name + ":0:0: this is a directory"));
}

TEST_CASE("a folder that is not there, or none, is one fault") {
  const Folder folder;
  for (const auto& path : {folder.dir / "absent", folder.file("file", "x")}) {
    const auto loaded = load_profiles(path);
    REQUIRE(std::holds_alternative<ConfigFaults>(loaded));
    REQUIRE(std::get<ConfigFaults>(loaded).size() == 1);
    CHECK(std::get<ConfigFaults>(loaded)[0].text().starts_with(path + ":0:0: the profiles cannot be read ("));
  }
}
