// dfota doctor and dfota ping with the real gateway and a rack: the whole way, and modules that cannot download.
#include <doctest/doctest.h>

#include "tests/support/doctor_run.hpp"
#include "tests/support/rig.hpp"

using namespace dfota::test;
using Names = std::set<std::string>;
using Texts = std::vector<std::string>;

namespace {
Texts call(const Rig& rig, const Texts& more, const std::string& gateway = "t", const std::string& timeout = "30") {
  Texts argv = {program("dfota"), "--broker", rig.broker.uri(), "--gateway", gateway, "--timeout", timeout};
  argv.insert(argv.end(), more.begin(), more.end());
  return argv;
}

void wait_online(Rig& rig, int module) {
  const auto topic = rig.topic("module/" + Rig::m(module) + "/status");
  REQUIRE(rig.observer.wait_for_payload(topic, "online"));
}
}  // namespace

TEST_CASE("the whole way to a module is well") {
  Rig rig(rack_of(1));
  wait_online(rig, 0);
  const DoctorRun run(call(rig, {"doctor", "--module", "m0"}));
  INFO(run.message("gateway_reply"), run.message("file_server"), run.message("module"));
  CHECK(run.failed() == Names{});
  CHECK(run.code == 0);
  CHECK(run.result("module") == "ok");
  CHECK(run.result("pdp_context") == "ok");
  Process ping(call(rig, {"ping"}));
  CHECK(ping.wait() == 0);
  CHECK(ping.out().find("t: dfota-gateway ") == 0);
  CHECK(ping.out().find("modules 1 of 1 online") != std::string::npos);
}

TEST_CASE("each module's own trouble is told at its step") {
  auto options = rack_of(4, {"m1:sim=pin", "m2:unregistered", "m3:no-pdp"});
  options.absent = 1;
  Rig rig(options);
  for (const int module : {0, 1, 2, 3}) wait_online(rig, module);
  const auto failed = [&](const std::string& module) {
    return DoctorRun(call(rig, {"doctor", "--module", module})).failed();
  };
  CHECK(failed("m0") == Names{});
  CHECK(failed("m1") == Names{"sim"});
  CHECK(failed("m2") == Names{"network"});
  CHECK(failed("m3") == Names{"pdp_context"});
  CHECK(failed("absent-0") == Names{"module"});
  const DoctorRun unknown(call(rig, {"doctor", "--module", "m9"}));
  CHECK(unknown.failed() == Names{"module"});
  CHECK(unknown.hint("module").find("m0") != std::string::npos);
}

TEST_CASE("a gateway that was stopped, one that is held, one whose file server is not where it says") {
  Rig rig(rack_of(1, {}, {{"http.public_url", "\"http://127.0.0.1:1\""}}));
  rig.observer.publish(rig.topic("hold"), R"({"hold": true, "reason": "UPS on battery"})", true);
  rig.wait_for_newest(rig.topic("info"), [](const auto& info) { return info["hold"] == "UPS on battery"; });
  const DoctorRun held(call(rig, {"doctor"}));
  CHECK(held.code == 1);
  CHECK(held.failed() == Names{"gateway_hold", "file_server"});
  CHECK(held.result("module") == "skip");
  const DoctorRun wrong(call(rig, {"doctor"}, "rack-9", "3"));
  CHECK(wrong.failed() == Names{"gateway_reply"});
  CHECK(wrong.message("gateway_reply").find("there is t") != std::string::npos);
  rig.gateway().terminate();
  const DoctorRun stopped(call(rig, {"doctor"}, "t", "3"));
  CHECK(stopped.failed() == Names{"gateway_reply"});
  CHECK(stopped.message("gateway_reply").find("gateway t is offline") != std::string::npos);
}
