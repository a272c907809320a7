// Modules that misbehave in every named way: each ends in the right outcome under the right word, AT+QFOTADL is never
// repeated, whoever may flash is not spoken to, and the others go on.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <fstream>
#include <set>

#include "tests/support/rig.hpp"

using namespace dfota::test;
using Json = nlohmann::json;

namespace {

struct Case {
  const char* fault;
  const char* outcome;
  const char* error;  ///< the topic behind error/, empty: none
  int commands;       ///< AT+QFOTADL
};

void check_case(Rig& rig, int index, const Case& expected) {
  const auto module = Rig::m(index);
  CAPTURE(module);
  CAPTURE(expected.fault);
  const auto results = rig.results(module);
  REQUIRE(results.size() == 1);
  CHECK(results[0]["outcome"] == expected.outcome);
  CHECK(results[0]["attempts"] == expected.commands);
  CHECK(rig.rack.qfotadl(module) == expected.commands);
  const auto errors = rig.errors(module);
  if (*expected.error == '\0') {
    CHECK(errors.empty());
    return;
  }
  REQUIRE(errors.size() == 1);
  CHECK(errors[0].first == expected.error);
  CHECK(results[0]["error"]["code"] == errors[0].second["code"]);
  CHECK_FALSE(errors[0].second["hint"].get<std::string>().empty());
}

/// Law 3: nothing but a bare AT, and that once in each silence of `gap_s`. Half of it: what is measured is when the
/// rack read them, not when they were written.
void check_only_asked(Rig& rig, const std::string& module, double gap_s) {
  CAPTURE(module);
  double last = 0;
  for (const auto& event : rig.rack.events(module, "bytes_while_flashing")) {
    CHECK(event["text"] == "AT\r");
    CHECK(event["ts"].get<double>() - last > gap_s / 2);
    last = event["ts"];
  }
}

/// The device behind a rack's name, held by "another program".
class HeldPort {
 public:
  explicit HeldPort(const std::string& port) : fd_(::open(port.c_str(), O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC)) {
    REQUIRE(fd_ >= 0);
    REQUIRE(::flock(fd_, LOCK_EX | LOCK_NB) == 0);
  }
  ~HeldPort() { ::close(fd_); }
  HeldPort(const HeldPort&) = delete;
  HeldPort& operator=(const HeldPort&) = delete;
  /// As the gateway names us.
  [[nodiscard]] static std::string holder() {
    std::string name;
    std::getline(std::ifstream("/proc/self/comm"), name);
    return name + " (process " + std::to_string(::getpid()) + ")";
  }

 private:
  int fd_;
};

}  // namespace

TEST_CASE("each misbehaviour ends in its own outcome, and the others go on") {
  static constexpr Case kCases[] = {
      {"", "succeeded", "", 1},
      {"no-start", "failed", "gateway/start_timeout", 1},
      {"no-request", "failed", "gateway/not_reachable", 1},
      {"refuse=error", "failed", "gateway/at_error", 1},
      {"refuse=cme:3", "failed", "0xx/3", 1},
      {"stall=50", "lost", "gateway/update_timeout", 1},
      {"keep-old", "failed", "gateway/target_mismatch", 1},
      {"wrong-version=UC20GQBR03A99E1G", "failed", "gateway/target_mismatch", 1},
      {"end=505", "failed", "5xx/505", 1},
      {"no-return", "lost", "gateway/update_timeout", 1},
      {"absent", "rejected", "gateway/absent", 0},
      {"", "rejected", "gateway/port_busy", 0},  // held below
      {"version=UC20GQBR03A10E1G", "rejected", "gateway/base_mismatch", 0},
      {"model=M66", "rejected", "gateway/model_mismatch", 0},
      {"no-answer", "rejected", "gateway/no_answer", 0},
      {"httpend-after=50:702", "failed", "7xx/702", 1},
      {"reboot-download=50", "failed", "gateway/module_reset", 1},
      {"", "succeeded", "", 1},
  };
  constexpr int kCount = static_cast<int>(std::size(kCases)), kHeld = 11;
  RigOptions options;
  options.rack.modules = kCount;
  for (int i = 0; i < kCount; ++i) {
    if (*kCases[i].fault != '\0') options.rack.faults.push_back(Rig::m(i) + ":" + kCases[i].fault);
  }
  options.settings = {
      {"timeouts.start", "15"}, {"timeouts.absent", "10"}, {"timeouts.progress_gap", "5"}, {"timeouts.update", "30"}};
  options.delta_bytes = 1 << 20;  // more than sockets hold, so that half of it is half of it
  options.start = false;
  Rig rig(options);
  const HeldPort held(rig.rack.port(kHeld));
  rig.start_gateway();
  rig.accept(rig.job("hostile"));
  const auto last = rig.finish("hostile");
  CHECK(last["state"] == "partial");
  rig.rack.stop();
  for (int i = 0; i < kCount; ++i) {
    check_case(rig, i, kCases[i]);
    CHECK(last["modules"][Rig::m(i)] == kCases[i].outcome);
    check_only_asked(rig, Rig::m(i), 5);
  }
  const auto message = rig.result(Rig::m(kHeld))["error"]["message"].get<std::string>();
  CHECK_MESSAGE(message.ends_with(" is held by " + HeldPort::holder()), message);
}

TEST_CASE("a module that stops reading its delta is cut off by timeouts.download") {
  RigOptions options;
  options.rack.modules = 1;
  options.rack.faults = {"stall-download=50"};
  options.delta_bytes = 4 << 20;
  options.settings = {{"timeouts.download", "8"}};
  Rig rig(options);
  rig.accept(rig.job("stalled"));
  CHECK(rig.finish("stalled")["state"] == "failed");
  rig.rack.stop();
  check_case(rig, 0, {"stall-download", "failed", "gateway/download_timeout", 1});
}

TEST_CASE("what may be tried again is: another token for each attempt, and one error for each that failed") {
  RigOptions options;
  options.rack.modules = 4;
  options.rack.faults = {"m0:httpend=703,once", "m1:httpend-after=60:722,once", "m2:reboot-download=40,once",
                         "m3:no-start,once"};
  options.delta_bytes = 2 << 20;
  options.settings = {{"timeouts.start", "15"}};
  Rig rig(options);
  auto job = rig.job("again");
  job["attempts"] = 2;
  rig.accept(job);
  CHECK(rig.finish("again")["state"] == "succeeded");
  rig.rack.stop();
  const char* errors[] = {"7xx/703", "7xx/722", "gateway/module_reset", "gateway/start_timeout"};
  for (int i = 0; i < 4; ++i) {
    const auto module = Rig::m(i);
    CAPTURE(module);
    CHECK(rig.result(module)["outcome"] == "succeeded");
    CHECK(rig.result(module)["attempts"] == 2);
    CHECK(rig.result(module)["error"].is_null());
    const auto published = rig.errors(module);
    REQUIRE(published.size() == 1);
    CHECK(published[0].first == errors[i]);
    CHECK(published[0].second["attempt"] == 1);
    CHECK(published[0].second["retryable"] == true);
    CHECK(published[0].second["next_attempt_at"].is_string());
    std::set<std::string> addresses;
    for (const auto& event : rig.rack.events(module, "qfotadl")) addresses.insert(event["url"].get<std::string>());
    CHECK(rig.rack.qfotadl(module) == 2);
    CHECK(addresses.size() == 2);
    CHECK(rig.rack.written_while_flashing(module).empty());
  }
}

TEST_CASE("attempts run out: one error for each, and no command more") {
  RigOptions options;
  options.rack.modules = 1;
  options.rack.faults = {"httpend=703"};
  Rig rig(options);
  auto job = rig.job("thrice");
  job["attempts"] = 3;
  rig.accept(job);
  CHECK(rig.finish("thrice")["state"] == "failed");
  rig.rack.stop();
  CHECK(rig.rack.qfotadl("m0") == 3);
  const auto errors = rig.errors("m0");
  REQUIRE(errors.size() == 3);
  for (int i = 0; i < 3; ++i) {
    CHECK(errors[i].second["attempt"] == i + 1);
    CHECK(errors[i].second["next_attempt_at"].is_null() == (i == 2));
  }
}

TEST_CASE("two ports that answer with one IMEI never become two updates") {
  RigOptions options;
  options.rack.modules = 3;
  options.rack.faults = {"m0-m1:imei=490154203237518"};
  Rig rig(options);
  rig.accept(rig.job("twins"));
  const auto last = rig.finish("twins");
  CHECK(last["modules"]["m2"] == "succeeded");
  // Whichever was there first may have been updated; the other one never.
  CHECK(rig.results("m1").size() + rig.results("m0").size() == 2);
  bool told = false;
  for (const char* twin : {"m0", "m1"}) {
    const auto error = rig.results(twin).back()["error"];
    told = told || (error.is_object() && error["code"] == "duplicate_imei");
  }
  CHECK(told);
  rig.rack.stop();
  CHECK(rig.rack.qfotadl("m0") + rig.rack.qfotadl("m1") <= 1);
}

TEST_CASE("nothing is written to a lost module, by no later job either, until its port went and came back") {
  RigOptions options;
  options.rack.modules = 1;
  options.rack.faults = {"stall=50"};
  options.settings = {{"timeouts.progress_gap", "2"}, {"timeouts.update", "12"}, {"timeouts.absent", "2"}};
  Rig rig(options);
  rig.accept(rig.job("first"));
  CHECK(rig.finish("first")["modules"]["m0"] == "lost");
  const auto asked = rig.rack.events("m0", "bytes_while_flashing").size();
  rig.accept(rig.job("second"));
  const auto last = rig.finish("second");
  CHECK(last["modules"]["m0"] == "rejected");
  CHECK(rig.results("m0").back()["error"]["code"] == "module_lost");
  rig.rack.stop();
  CHECK(rig.rack.qfotadl("m0") == 1);
  CHECK(rig.rack.events("m0", "bytes_while_flashing").size() == asked);
}

TEST_CASE("a module that flashes on after it was given up: listened to until it has booted, then known again") {
  RigOptions options;
  options.rack.modules = 2;
  options.rack.faults = {"m1:absent"};
  options.settings = {{"timeouts.update", "3"}, {"timeouts.absent", "1"}};
  Rig rig(options);
  rig.accept(rig.job("short", {"m0"}));
  CHECK(rig.finish("short")["modules"]["m0"] == "lost");
  CHECK(rig.request("nonsense", Json::object())["error"]["code"] == "unknown_verb");
  REQUIRE(rig.rack.wait_for("m0", "flashing_end"));
  rig.wait_for_newest(rig.topic("module/m0/state"), [](const Json& now) {
    return now["version"] == kTo && now["phase"] == "idle" && now["problem"].is_null();
  });
  rig.rack.stop();
  CHECK(rig.rack.qfotadl("m0") == 1);
  CHECK(rig.rack.written_while_flashing("m0").empty());
}

TEST_CASE("somebody else's update: hands off while FOTA is heard") {
  RigOptions options;
  options.rack.modules = 1;
  options.start = false;
  Rig rig(options);
  {
    // A person at a terminal starts an update by hand, and closes it when the module goes away to flash.
    const int fd = ::open(rig.rack.port(0).c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC);
    REQUIRE(fd >= 0);
    const std::string command = "AT+QFOTADL=\"" + rig.origin.url(kDelta) + "\"\r";
    REQUIRE(::write(fd, command.data(), command.size()) == static_cast<ssize_t>(command.size()));
    REQUIRE(rig.rack.wait_for("m0", "flashing_begin"));
    ::close(fd);
  }
  rig.start_gateway();
  rig.accept(rig.job("mine"));
  const auto outcome = rig.finish("mine")["modules"]["m0"];
  CHECK((outcome == "skipped" || outcome == "rejected"));
  REQUIRE(rig.rack.wait_for("m0", "flashing_end"));
  rig.rack.stop();
  CHECK(rig.rack.qfotadl("m0") == 1);  // by hand
  CHECK(rig.rack.written_while_flashing("m0").empty());
  CHECK(rig.rack.version("m0") == kTo);
}
