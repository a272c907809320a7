// cmd/release and cmd/claim with the real programs: the port is an engineer's own, over a restart of the gateway, and
// the test is the engineer.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <termios.h>
#include <unistd.h>

#include <filesystem>

#include "tests/support/rig.hpp"

using namespace dfota::test;
using Json = Rig::Json;

namespace {

/// Somebody's own terminal on a port, alone on it.
class Terminal {
 public:
  explicit Terminal(const std::string& port) : descriptor_(::open(port.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC)) {
    REQUIRE(descriptor_ >= 0);
    REQUIRE(::flock(descriptor_, LOCK_EX | LOCK_NB) == 0);
    termios raw{};
    ::tcgetattr(descriptor_, &raw);
    ::cfmakeraw(&raw);
    ::tcsetattr(descriptor_, TCSANOW, &raw);
  }
  ~Terminal() { ::close(descriptor_); }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  /// What the module says to it, up to its OK.
  std::string ask(const std::string& command) {
    const auto line = command + "\r";
    REQUIRE(::write(descriptor_, line.data(), line.size()) == static_cast<ssize_t>(line.size()));
    std::string answer;
    while (answer.find("\r\nOK\r\n") == std::string::npos) {
      pollfd readable{descriptor_, POLLIN, 0};
      REQUIRE(::poll(&readable, 1, static_cast<int>(std::chrono::milliseconds(kWatchdog).count())) == 1);
      char room[256];
      const auto size = ::read(descriptor_, room, sizeof room);
      REQUIRE(size > 0);
      answer.append(room, static_cast<std::size_t>(size));
    }
    return answer;
  }

 private:
  const int descriptor_;
};

std::string release(Rig& rig, const std::string& module) {
  const auto reply = rig.request("release", {{"module", module}});
  REQUIRE_MESSAGE(reply["status"] == "ok", reply.dump());
  CHECK(reply["data"]["module"] == module);
  return reply["data"]["port"];
}

void claim(Rig& rig, const std::string& module) {
  REQUIRE(rig.request("claim", {{"module", module}})["status"] == "ok");
  rig.wait_for_newest(rig.topic("module/" + module + "/state"),
                      [](const Json& now) { return now["problem"].is_null() && now["version"].is_string(); });
}

void wait_for_problem(Rig& rig, const std::string& module, const std::string& problem) {
  rig.wait_for_newest(rig.topic("module/" + module + "/state"),
                      [&](const Json& now) { return now["problem"] == problem; });
}

std::string code_of(const Json& reply) {
  return reply["error"].value("code", "");
}

}  // namespace

TEST_CASE("released: the engineer has the port for himself, also over a restart; claimed: it is updated as ever") {
  auto options = rack_of(2);
  options.settings["timeouts.absent"] = "0.5";
  Rig rig(options);
  REQUIRE(rig.request("scan", Json::object())["status"] == "ok");
  const auto port = release(rig, "m0");
  CHECK(port == std::filesystem::canonical(rig.rack.port(0)).string());
  wait_for_problem(rig, "m0", "released");
  CHECK(rig.retained(rig.topic("module/m0/status")) == "offline");
  const auto commands = rig.rack.events("m0", "command").size();
  {
    Terminal terminal(port);
    CHECK(terminal.ask("ATI").find(kFrom) != std::string::npos);
    CHECK(release(rig, "m0") == port);  // again
    CHECK(rig.request("scan", {{"module", "m0"}})["data"]["modules"][0]["problem"] == "released");
    rig.accept(rig.job("waits"));
    CHECK(rig.finish("waits")["modules"] == Json({{"m0", "rejected"}, {"m1", "succeeded"}}));
    CHECK(rig.result("m0")["error"]["code"] == "released");
    REQUIRE(rig.gateway().terminate() == 0);
    rig.start_gateway();
    wait_for_problem(rig, "m0", "released");
    CHECK(terminal.ask("AT+GSN").find("\r\nOK\r\n") != std::string::npos);
    CHECK(rig.rack.events("m0", "command").size() == commands + 2);
  }
  claim(rig, "m0");
  claim(rig, "m0");  // again
  rig.accept(rig.job("then"));
  CHECK(rig.finish("then")["modules"] == Json({{"m0", "succeeded"}, {"m1", "skipped"}}));
}

TEST_CASE("a module that an update works on is not released; what cannot be meant is refused with its place") {
  Rig rig(rack_of(1, {"client=slow:20000"}));
  rig.accept(rig.job("j"));
  REQUIRE(rig.rack.wait_for("m0", "http_request"));
  const auto busy = rig.request("release", {{"module", "m0"}});
  CHECK(code_of(busy) == "updating");
  CHECK(busy["error"]["pointer"] == "/module");
  CHECK(rig.request("claim", {{"module", "m0"}})["status"] == "ok");  // it is the gateway's
  for (const auto* verb : {"release", "claim"}) {
    CHECK(code_of(rig.request(verb, {{"module", "m7"}})) == "unknown_module");
    CHECK(code_of(rig.request(verb, {{"module", "a/b"}})) == "invalid");
    CHECK(code_of(rig.request(verb, Json::object())) == "invalid");
    CHECK(code_of(rig.request(verb, {{"module", "m0"}, {"force", true}})) == "unknown_key");
  }
  CHECK(rig.finish("j")["state"] == "succeeded");
  release(rig, "m0");
}

TEST_CASE("a job that waits for absent modules waits for a released one") {
  auto options = rack_of(1);
  options.settings["timeouts.absent"] = "0.5";
  Rig rig(options);
  release(rig, "m0");
  auto job = rig.job("patient");
  job["absent"] = "wait";
  rig.accept(job);
  rig.accept({{"job", "hasty"}, {"modules", {"m0"}}, {"artifact", job["artifact"]}, {"from", kFrom}, {"to", kTo}});
  CHECK(rig.finish("hasty")["state"] == "rejected");
  claim(rig, "m0");
  CHECK(rig.finish("patient")["state"] == "succeeded");
  rig.rack.stop();
  CHECK(rig.rack.qfotadl("m0") == 1);
}
