// Each family of modules, played by the rack and updated by its profile; and one that exists in a TOML file alone.
#include <doctest/doctest.h>

#include "tests/support/rig.hpp"

using namespace dfota::test;
using Json = nlohmann::json;

namespace {

struct Family {
  const char* profile;
  const char* model;
  const char* from;
  const char* to;
  const char* command;  ///< how AT+QFOTADL over http begins
};

constexpr Family kFamilies[] = {
    {"uc20", "UC20", "UC20GQBR03A11E1G", "UC20GQBR03A12E1G", "AT+QFOTADL=\"HTTP://127.0.0.1:"},
    {"uc20", "UC15", "UC15GQBR03A11E1G", "UC15GQBR03A12E1G", "AT+QFOTADL=\"HTTP://127.0.0.1:"},
    {"ec2x", "EC25", "EC25EFAR06A03M4G_01.001.01.001", "EC25EFAR06A04M4G_01.001.01.001",
     "AT+QFOTADL=\"http://127.0.0.1:"},
    {"ep06", "EG18", "EG18EAPAR01A12M4G_01.001.01.001", "EG18EAPAR01A13M4G_01.001.01.001",
     "AT+QFOTADL=\"http://127.0.0.1:"},
    {"bg96", "BG96", "BG96MAR02A07M1G_01.007.01.007", "BG96MAR02A07M1G_01.008.01.008",
     "AT+QFOTADL=\"HTTP://127.0.0.1:"},
    {"lte-standard-a", "EC200A", "EC200ACNHAR01A02M16", "EC200ACNHAR01A03M16", "AT+QFOTADL=\"http://127.0.0.1:"},
};

/// One update over http; the rig for more.
void update(const Family& family, const std::string& profiles_dir, const std::string& delivery) {
  CAPTURE(family.model);
  CAPTURE(delivery);
  RigOptions options;
  options.rack.modules = 1;
  options.rack.model = family.model;
  options.rack.version = family.from;
  options.rack.profiles_dir = profiles_dir;
  options.from = family.from;
  options.to = family.to;
  options.delta_bytes = 64 * 1024;
  if (!profiles_dir.empty()) options.settings["modem.profiles_dir"] = "\"" + profiles_dir + "\"";
  Rig rig(options);
  auto job = rig.job("family");
  job["delivery"] = delivery;
  rig.accept(job);
  CHECK(rig.finish("family")["state"] == "succeeded");
  const auto result = rig.result("m0");
  CHECK(result["version"] == family.to);
  CHECK(result["warnings"] == Json::array());
  // It is greeted once more after the update, and says who it is.
  rig.wait_for_newest(rig.topic("module/m0/state"), [&](const Json& state) {
    return state["profile"] == family.profile && state["version"] == family.to;
  });
  int last = -1;
  bool updating = false;
  for (const auto& progress : rig.progress("m0")) {
    CHECK(progress["overall_percent"] >= last);
    last = progress["overall_percent"];
    updating = updating || progress["phase"] == "updating";
  }
  CHECK(updating);
  rig.rack.stop();
  CHECK(rig.rack.qfotadl("m0") == 1);
  CHECK(rig.rack.written_while_flashing("m0").empty());
  if (delivery != "http") return;
  bool commanded = false;
  for (const auto& event : rig.rack.events("m0", "command")) {
    commanded = commanded || event["text"].get<std::string>().starts_with(family.command);
  }
  CHECK(commanded);
}

}  // namespace

TEST_CASE("a module of each family is updated over http, in the family's own spelling") {
  for (const auto& family : kFamilies) update(family, "", "http");
}

TEST_CASE("a delta over the port: into the file system where there is one, behind the command where that wants it") {
  update(kFamilies[2], "", "upload");  // /data/ufs/dfota.bin
  update(kFamilies[3], "", "upload");  // /cache/ufs/dfota.bin
  update(kFamilies[5], "", "upload");  // FILE:65536
}

TEST_CASE("a family that nobody has ever built: its TOML is enough") {
  const Family made_up = {"zz9", "ZZ9", "ZZ9AAR01A01", "ZZ9AAR01A02", "AT+QFOTADL=\"Http://127.0.0.1:"};
  const std::string profiles = std::string(DFOTA_SOURCE_DIR) + "/tests/support/profiles";
  update(made_up, profiles, "http");
  update(made_up, profiles, "upload");
}

TEST_CASE("BG96 starts from the package that lies beside its file system, by AT+QFOTADL=1") {
  const auto& family = kFamilies[4];
  const TempDir dir;
  make_delta(dir / "update.zip", family.model, family.from, family.to, 64 * 1024);
  RigOptions options;
  options.rack.modules = 1;
  options.rack.model = family.model;
  options.rack.version = options.from = family.from;
  options.rack.efs = dir / "update.zip";
  options.to = family.to;
  Rig rig(options);
  auto job = rig.job("fixed");
  job.erase("artifact");
  job["delivery"] = "file";
  job["file"] = "/fota/update.zip";
  rig.accept(job);
  CHECK(rig.finish("fixed")["state"] == "succeeded");
  CHECK(rig.result("m0")["warnings"] == Json{"file_not_checked", "unverified_delivery"});
  rig.rack.stop();
  CHECK(rig.rack.qfotadl("m0") == 1);
  CHECK(rig.rack.written_while_flashing("m0").empty());
}

TEST_CASE("firmware in two parts is refused before any command") {
  RigOptions options;
  options.rack.modules = 1;
  options.rack.model = "EC200N";
  options.rack.version = options.from = "EC200NCNLAR03A01M08";
  options.to = "EC200NCNLAR03A02M08";
  Rig rig(options);
  rig.accept(rig.job("mini"));
  CHECK(rig.finish("mini")["state"] == "rejected");
  CHECK(rig.errors("m0").front().first == "gateway/unsupported_package");
  rig.rack.stop();
  CHECK(rig.rack.qfotadl("m0") == 0);
}
