// One job for each way in which a delta gets to a module, with a real FTP server: the module got the very bytes,
// nothing of them is left behind, and no password is told anywhere.
#include <doctest/doctest.h>

#include <filesystem>

#include "tests/support/ftp_server.hpp"
#include "tests/support/rig.hpp"

using namespace dfota::test;
using Json = nlohmann::json;
namespace fs = std::filesystem;

namespace {

constexpr std::size_t kBytes = 64 * 1024;
constexpr auto kPassword = "word-of-the-module", kApnPassword = "word-of-the-apn";
enum Way { kHttp, kFtp, kUrl, kUpload, kFile, kWays };
constexpr const char* kWord[] = {"http", "ftp", "url", "upload", "file"};

RigOptions options_with(const FtpServer& server) {
  RigOptions options;
  options.rack.modules = kWays;
  options.rack.prepare = [](const fs::path& dir) {
    const auto ufs = dir / (Rig::m(kFile) + ".ufs");
    fs::create_directories(ufs);
    make_delta(ufs / "delta.bin", "UC20", kFrom, kTo, kBytes);
  };
  options.delta_bytes = kBytes;
  options.verbose = true;
  options.settings = {{"ftp.public_url", "\"" + server.url() + "\""},
                      {"ftp.dir", "\"" + server.directory().string() + "\""},
                      {"modem.pdp", std::string("{ cid = 1, apn = \"internet\", user = \"apn-user\", password = \"") +
                                        kApnPassword + "\", auth = 1 }"}};
  return options;
}

Json job_by(const Rig& rig, Way way, const FtpServer& server) {
  auto job = rig.job(kWord[way], {Rig::m(way)});
  job["delivery"] = kWord[way];
  if (way == kUrl || way == kFile) job.erase("artifact");
  if (way == kUrl) job["url"] = server.url("own.bin");
  if (way == kFile) job["file"] = "UFS:delta.bin";
  return job;
}

bool tells(const std::string& text, const std::string& secret) {
  return text.find(secret) != std::string::npos;
}

std::size_t files_in(const fs::path& dir) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(dir), fs::directory_iterator()));
}

}  // namespace

TEST_CASE("http, ftp, url, upload and file: the same delta in five ways, and no password is told") {
  const FtpServer server({.user = "module", .password = kPassword, .extra = "", .start = true});
  make_delta(server.directory() / "own.bin", "UC20", kFrom, kTo, kBytes);
  Rig rig(options_with(server));
  for (int way = 0; way < kWays; ++way) rig.accept(job_by(rig, static_cast<Way>(way), server));
  for (int way = 0; way < kWays; ++way) {
    CAPTURE(kWord[way]);
    CHECK(rig.finish(kWord[way])["state"] == "succeeded");
    const auto result = rig.result(Rig::m(way));
    const bool unverified = way == kUrl || way == kFile;
    CHECK(result["warnings"] == (unverified ? Json{"unverified_delivery"} : Json::array()));
  }

  CHECK(fs::status(rig.dir().path() / "state").permissions() == fs::perms::owner_all);  // passwords are in the journal

  // What the modules say that they got.
  for (const int way : {kHttp, kFtp, kUrl}) {
    const auto done = rig.rack.events(Rig::m(way), "download_done");
    REQUIRE(done.size() == 1);
    CHECK(done[0]["sha256"] == rig.sha256);
  }
  const auto uploaded = rig.rack.events(Rig::m(kUpload), "uploaded");
  REQUIRE(uploaded.size() == 1);
  CHECK(uploaded[0]["sha256"] == rig.sha256);
  CHECK(uploaded[0]["bytes"] == kBytes);
  bool uploading = false;
  for (const auto& progress : rig.progress(Rig::m(kUpload))) {
    if (progress["phase"] != "uploading") continue;
    uploading = true;
    CHECK(progress["total_bytes"] == kBytes);
    CHECK(progress["bytes"] <= kBytes);
  }
  CHECK(uploading);

  // Nothing is left but what was there before.
  CHECK(files_in(server.directory()) == 1);
  CHECK(files_in(rig.rack.dir() / (Rig::m(kUpload) + ".ufs")) == 0);
  CHECK(files_in(rig.rack.dir() / (Rig::m(kFile) + ".ufs")) == 1);

  rig.rack.stop();
  for (int way = 0; way < kWays; ++way) {
    CHECK(rig.rack.qfotadl(Rig::m(way)) == 1);
    CHECK(rig.rack.version(Rig::m(way)) == kTo);
    CHECK(rig.rack.written_while_flashing(Rig::m(way)).empty());
  }

  for (const auto* secret : {kPassword, kApnPassword, "apn-user"}) {
    CAPTURE(secret);
    CHECK_FALSE(tells(rig.gateway().err(), secret));
    for (const auto& message : rig.observer.messages()) {
      if (message.topic.find("/cmd/") != std::string::npos) continue;  // that is the backend's own word
      CHECK_FALSE(tells(message.topic + message.payload, secret));
    }
    for (const auto& event : rig.rack.events()) CHECK_FALSE(tells(event.dump(), secret));
  }
  CHECK(tells(rig.gateway().err(), "> AT+QFOTADL=\"FTP://***@127.0.0.1:"));  // so that the search could find it
}

TEST_CASE("ftp: a wrong password is the module's 6xx code, once, and the delta leaves the directory all the same") {
  const FtpServer server;
  auto options = options_with(server);
  auto wrong = server.url();
  wrong.replace(wrong.find(kPassword), std::string(kPassword).size(), "another");
  options.settings["ftp.public_url"] = "\"" + wrong + "\"";
  Rig rig(options);
  auto job = job_by(rig, kFtp, server);
  job["attempts"] = 3;
  rig.accept(job);
  CHECK(rig.finish("ftp")["state"] == "failed");
  const auto errors = rig.errors(Rig::m(kFtp));
  REQUIRE(errors.size() == 1);
  CHECK(errors[0].first == "6xx/625");
  CHECK(errors[0].second["meaning"] == "Fail to login FTP");
  CHECK(files_in(server.directory()) == 0);
  rig.rack.stop();
  CHECK(rig.rack.qfotadl(Rig::m(kFtp)) == 1);
}

TEST_CASE("what cannot be brought is rejected, and nothing is commanded") {
  const FtpServer server;
  auto options = options_with(server);
  options.rack.faults = {Rig::m(kUpload) + ":ufs=1000", Rig::m(kHttp) + ":sim=absent", Rig::m(kUrl) + ":no-pdp",
                         Rig::m(kFtp) + ":unregistered"};
  options.settings["modem.pdp"] = "";
  options.settings["timeouts.absent"] = "3";
  Rig rig(options);
  const char* errors[] = {"gateway/sim_not_ready", "gateway/not_registered", "gateway/no_pdp_context",
                          "gateway/no_space", "gateway/file_missing"};
  for (int way = 0; way < kWays; ++way) {
    auto job = job_by(rig, static_cast<Way>(way), server);
    if (way == kFile) job["file"] = "UFS:another.bin";
    rig.accept(job);
  }
  for (int way = 0; way < kWays; ++way) {
    CAPTURE(kWord[way]);
    CHECK(rig.finish(kWord[way])["state"] == "rejected");
    const auto told = rig.errors(Rig::m(way));
    REQUIRE(told.size() == 1);
    CHECK(told[0].first == errors[way]);
    CHECK_FALSE(told[0].second["message"].get<std::string>().empty());
  }
  rig.rack.stop();
  for (int way = 0; way < kWays; ++way) CHECK(rig.rack.qfotadl(Rig::m(way)) == 0);
}

TEST_CASE(
    "a gateway that is killed in the middle of a download by FTP listens, and tells the outcome; the delta stays until "
    "then") {
  FtpServer server({.user = "module", .password = kPassword, .extra = "TransferRate RETR 24", .start = true});
  Rig rig(options_with(server));
  rig.accept(job_by(rig, kFtp, server));
  REQUIRE(rig.rack.wait_for(Rig::m(kFtp), "ftp_request"));
  rig.gateway().kill();
  CHECK(files_in(server.directory()) == 1);
  rig.start_gateway();
  CHECK(rig.finish("ftp")["state"] == "succeeded");
  CHECK(rig.results(Rig::m(kFtp)).size() == 1);
  CHECK(files_in(server.directory()) == 0);
  rig.rack.stop();
  CHECK(rig.rack.qfotadl(Rig::m(kFtp)) == 1);
  CHECK(rig.rack.written_while_flashing(Rig::m(kFtp)).empty());
}

TEST_CASE("the attempt after one that ended behind a restart is told the same address") {
  FtpServer server({.user = "module", .password = kPassword, .extra = "TransferRate RETR 24", .start = true});
  auto options = options_with(server);
  options.rack.faults = {Rig::m(kFtp) + ":ftpend-after=90:609,once"};
  Rig rig(options);
  auto job = job_by(rig, kFtp, server);
  job["attempts"] = 2;
  rig.accept(job);
  REQUIRE(rig.rack.wait_for(Rig::m(kFtp), "ftp_request"));
  rig.gateway().kill();
  rig.start_gateway();
  CHECK(rig.finish("ftp")["state"] == "succeeded");
  CHECK(rig.errors(Rig::m(kFtp)).size() == 1);
  CHECK(files_in(server.directory()) == 0);
  rig.rack.stop();
  const auto told = rig.rack.events(Rig::m(kFtp), "qfotadl");
  REQUIRE(told.size() == 2);
  CHECK(told[0]["url"] == told[1]["url"]);
}

TEST_CASE("a gateway that is killed in the middle of an upload waits for the module, and sends it from the start") {
  const FtpServer server;
  auto options = options_with(server);
  options.delta_bytes = 4 << 20;
  Rig rig(options);
  rig.accept(job_by(rig, kUpload, server));
  REQUIRE(rig.rack.wait_for(Rig::m(kUpload), "upload_begin"));
  rig.gateway().kill();
  rig.start_gateway();
  CHECK(rig.finish("upload")["state"] == "succeeded");
  rig.rack.stop();
  CHECK(rig.rack.qfotadl(Rig::m(kUpload)) == 1);
  const auto uploaded = rig.rack.events(Rig::m(kUpload), "uploaded");
  REQUIRE_FALSE(uploaded.empty());
  CHECK(uploaded.back()["sha256"] == rig.sha256);
}
