// A disk that is full, and a journal that is damaged: what cannot be written is not done and not acknowledged, a last
// byte that may not leave does not leave, and what was lost is told.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "tests/support/job_checks.hpp"

using namespace dfota::test;
using Json = nlohmann::json;
namespace fs = std::filesystem;

namespace {
constexpr const char* kUnavailable = "error/gateway/journal_unavailable";

/// A state directory on a disk of its own, of 16 MiB, which only the gateway sees: in namespaces of its own, which need
/// no root.
class SmallDisk {
 public:
  /// `before` is what a shell does on the disk, in $1, before the gateway starts.
  [[nodiscard]] std::vector<std::string> wrapper(const std::string& before = "true") const {
    return {"unshare", "--map-root-user",
            "--mount", "sh",
            "-c",      "mount -t tmpfs -o size=16m tmpfs \"$1\" && { " + before + "; shift; exec \"$@\"; }",
            "sh",      mount_point_.path().string()};
  }
  [[nodiscard]] std::string setting() const { return "\"" + mount_point_.path().string() + "\""; }

  /// To the last page, by a file beside the journal.
  void fill(const Process& gateway) {
    filler_ = "/proc/" + std::to_string(gateway.pid()) + "/root" + (mount_point_ / "filler");
    const int fd = ::open(filler_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    REQUIRE(fd >= 0);
    const std::string page(4096, 'x');
    while (::write(fd, page.data(), page.size()) > 0) {
    }
    CHECK(errno == ENOSPC);
    ::close(fd);
  }
  void make_room() const { REQUIRE(::unlink(filler_.c_str()) == 0); }

 private:
  TempDir mount_point_;
  std::string filler_;
};

RigOptions rack_on(const SmallDisk& disk, int modules) {
  RigOptions options;
  options.rack.modules = modules;
  options.settings = {{"gateway.state_dir", disk.setting()}};
  options.wrapper = disk.wrapper();
  return options;
}

void wait_for_problem(Rig& rig, const std::string& code, bool there) {
  rig.wait_for_newest(rig.topic("info"), [&](const Json& info) {
    const auto& problems = info["problems"];
    return (std::find(problems.begin(), problems.end(), code) != problems.end()) == there;
  });
}

/// The full disk is told while it is full: who can make room must hear of it now.
void wait_until_told(Rig& rig) {
  REQUIRE(rig.observer.wait_for_topic(rig.topic(kUnavailable)));
  wait_for_problem(rig, "journal_unavailable", true);
}

Process::Predicate said_twice(const std::string& text) {
  return [text](const std::string& log) {
    const auto first = log.find(text);
    return first != std::string::npos && log.find(text, first + 1) != std::string::npos;
  };
}

/// Its only result, which says that the journal could not be written.
void check_journal_unavailable(Rig& rig, const std::string& module, const std::string& outcome, int commands) {
  CAPTURE(module);
  REQUIRE(rig.results(module).size() == 1);
  CHECK(rig.result(module)["outcome"] == outcome);
  CHECK(rig.result(module)["error"]["code"] == "journal_unavailable");
  CHECK(rig.result(module)["attempts"] == commands);
  REQUIRE(rig.errors(module).size() == 1);
  CHECK(rig.errors(module)[0].first == "gateway/journal_unavailable");
  CHECK(rig.rack.qfotadl(module) == commands);
  CHECK(rig.rack.version(module) == kFrom);
  CHECK(rig.rack.events(module, "flashing_begin").empty());
}

std::string read(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}
}  // namespace

TEST_CASE("a full disk: a command is not acknowledged and not begun; with room again it runs once, by itself") {
  SmallDisk disk;
  Rig rig(rack_on(disk, 1));
  disk.fill(rig.gateway());
  dfota::MqttPublication command;
  command.topic = rig.topic("cmd/update");
  command.payload = rig.job("full").dump();
  command.response_topic = kRoot + "/client/test/full";
  rig.observer.publish(command);
  // It comes again for as long as it is not acknowledged, at once with each connection, which ends with that.
  REQUIRE(rig.gateway().wait_for_err(said_twice(" is not acknowledged")));
  CHECK(rig.observer.on(*command.response_topic).empty());
  CHECK(rig.rack.events("m0", "qfotadl").empty());
  wait_until_told(rig);
  CHECK(rig.observer.on(*command.response_topic).empty());
  disk.make_room();
  const auto reply = rig.observer.wait_for_topic(*command.response_topic);
  REQUIRE(reply);
  CHECK(Json::parse(reply->payload)["status"] == "ok");
  check_succeeded(rig, "full", 1);
  wait_for_problem(rig, "journal_unavailable", false);
  CHECK(rig.observer.on(*command.response_topic).size() == 1);
  CHECK(rig.observer.on(rig.topic(kUnavailable)).size() == 1);
}

TEST_CASE("a disk that fills while a module downloads: the last byte does not leave, and the result comes with room") {
  SmallDisk disk;
  auto options = rack_on(disk, 1);
  options.rack.faults = {"client=slow:400000"};
  options.delta_bytes = 1 << 20;  // more than sockets hold
  Rig rig(options);
  rig.accept(rig.job("cut"));
  REQUIRE(rig.rack.wait_for("m0", "http_response"));
  disk.fill(rig.gateway());
  REQUIRE(rig.gateway().wait_for_err("module m0 failed"));
  wait_until_told(rig);
  CHECK(rig.observer.on(rig.topic("module/m0/result")).empty());
  disk.make_room();
  CHECK(rig.finish("cut")["state"] == "failed");
  rig.rack.stop();
  check_journal_unavailable(rig, "m0", "failed", 1);
  check_order(rig, "cut");
}

TEST_CASE("a disk that fills while one module flashes and another waits: one outcome each, and no command") {
  SmallDisk disk;
  auto options = rack_on(disk, 2);
  options.settings["limits.updates"] = "1";
  Rig rig(options);
  rig.accept(rig.job("half"));
  const auto first = rig.rack.wait_for([](const Json& event) { return event["event"] == "flashing_begin"; });
  REQUIRE(first);
  const std::string flashed = (*first)["module"], waiting = flashed == "m0" ? "m1" : "m0";
  REQUIRE(rig.rack.wait_for_urc(flashed, "UPDATING"));
  disk.fill(rig.gateway());
  REQUIRE(rig.gateway().wait_for_err("module " + flashed + " succeeded"));
  REQUIRE(rig.gateway().wait_for_err("module " + waiting + " rejected"));
  wait_until_told(rig);
  for (const auto* module : {"m0", "m1"})
    CHECK(rig.observer.on(rig.topic("module/" + std::string(module) + "/result")).empty());
  disk.make_room();
  const auto last = rig.finish("half");
  CHECK(last["state"] == "partial");
  rig.rack.stop();
  check_journal_unavailable(rig, waiting, "rejected", 0);
  REQUIRE(rig.results(flashed).size() == 1);
  CHECK(rig.result(flashed)["outcome"] == "succeeded");
  CHECK(rig.rack.qfotadl(flashed) == 1);
  CHECK(rig.rack.written_while_flashing(flashed).empty());
  check_order(rig, "half");
}

TEST_CASE("a disk that is full at the start: exit 75") {
  SmallDisk disk;
  auto options = rack_on(disk, 1);
  options.start = false;
  options.wrapper = disk.wrapper("head -c 17m /dev/zero >\"$1/filler\" 2>/dev/null");
  Rig rig(options);
  rig.launch_gateway();
  CHECK(rig.gateway().wait() == 75);
  CHECK(rig.gateway().err().find("journal") != std::string::npos);
}

TEST_CASE("a damaged journal is put aside and named; modules are listened to, and the command can be sent again") {
  RigOptions options;
  options.rack.modules = 2;
  options.settings = {{"limits.updates", "1"}, {"timeouts.progress_gap", "3"}};
  Rig rig(options);
  rig.accept(rig.job("night"));
  const auto first = rig.rack.wait_for([](const Json& event) { return event["event"] == "flashing_begin"; });
  REQUIRE(first);
  const std::string flashing = (*first)["module"], other = flashing == "m0" ? "m1" : "m0";
  REQUIRE(rig.rack.wait_for_urc(flashing, "UPDATING"));
  REQUIRE(rig.gateway().terminate() == 0);
  const fs::path file = rig.dir() / "state/journal.db";
  auto bytes = read(file);
  REQUIRE(bytes.size() > 8192);
  SUBCASE("flipped bytes") {
    std::for_each(bytes.begin() + 4096, bytes.end(), [](char& byte) { byte = static_cast<char>(~byte); });
  }
  SUBCASE("truncated") {
    bytes.resize(bytes.size() / 2 + 100);
  }
  std::ofstream(file, std::ios::binary | std::ios::trunc) << bytes;
  rig.start_gateway();

  const auto told = rig.observer.wait_for_topic(rig.topic("error/gateway/journal_corrupt"));
  REQUIRE(told);
  CHECK(told->payload.find(file.string() + ".corrupt-1") != std::string::npos);
  CHECK(read(file.string() + ".corrupt-1") == bytes);
  wait_for_problem(rig, "journal_corrupt", true);
  // The job is not known any more; the same command begins it anew, and who flashes is left alone.
  rig.accept(rig.job("night"));
  const auto last = rig.finish("night");
  const auto outcome = last["modules"][flashing];
  CHECK((outcome == "skipped" || outcome == "rejected"));
  CHECK(last["modules"][other] == "succeeded");
  REQUIRE(rig.rack.wait_for(flashing, "flashing_end"));
  rig.rack.stop();
  for (const auto* module : {"m0", "m1"}) {
    CAPTURE(module);
    CHECK(rig.results(module).size() == 1);
    CHECK(rig.rack.qfotadl(module) == 1);
    CHECK(rig.rack.version(module) == kTo);
    CHECK(rig.rack.written_while_flashing(module).empty());
  }
}
