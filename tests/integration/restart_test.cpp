// The gateway is killed, stopped and started again: each accepted job still ends in one outcome for each module, after
// one AT+QFOTADL, and no module that flashes is spoken to.
#include <doctest/doctest.h>

#include <fstream>

#include "tests/support/job_checks.hpp"

using namespace dfota::test;
using Json = nlohmann::json;

TEST_CASE("killed while its modules flash: each result comes once, after one command, in silence") {
  Rig rig(rack_of(4, {"m1:lost-start", "m2:garbage-boot", "m3:uart"}));
  rig.accept(rig.job("night"));
  for (int i = 0; i < 4; ++i) REQUIRE(rig.rack.wait_for_urc(Rig::m(i), "UPDATING"));
  rig.gateway().kill();
  rig.start_gateway();
  check_succeeded(rig, "night", 4);
}

TEST_CASE("killed while its modules flash, and started when they have long been through") {
  Rig rig(rack_of(2));
  rig.accept(rig.job("night"));
  for (int i = 0; i < 2; ++i) REQUIRE(rig.rack.wait_for_urc(Rig::m(i), "UPDATING"));
  rig.gateway().kill();
  for (int i = 0; i < 2; ++i) REQUIRE(rig.rack.wait_for(Rig::m(i), "flashing_end"));
  rig.write_config({{"timeouts.progress_gap", "3"}});
  rig.start_gateway();
  check_succeeded(rig, "night", 2);
}

TEST_CASE("killed again and again") {
  Rig rig(rack_of(2));
  rig.accept(rig.job("night"));
  rig.gateway().kill();
  rig.start_gateway();
  wait_for_progress(rig, "m0", "downloading");
  for (const auto* percent : {"UPDATING\",10", "UPDATING\",40", "UPDATING\",70"}) {
    REQUIRE(rig.rack.wait_for_urc("m0", percent));
    rig.gateway().kill();
    rig.start_gateway();
  }
  const auto last = rig.finish("night");
  CHECK(last["state"] == "succeeded");
  rig.rack.stop();
  for (const auto* module : {"m0", "m1"}) {
    CHECK(rig.result(module)["outcome"] == "succeeded");
    CHECK(rig.rack.qfotadl(module) == 1);
    for (const auto& text : rig.rack.written_while_flashing(module)) CHECK(text == "AT\r");
  }
}

TEST_CASE("killed while a slow module downloads: it ends in success") {
  auto options = rack_of(1, {"client=slow:200000,once"});
  options.delta_bytes = 2 << 20;
  Rig rig(options);
  auto job = rig.job("slow");
  job["attempts"] = 2;
  rig.accept(job);
  wait_for_progress(rig, "m0", "downloading");
  REQUIRE(rig.rack.wait_for("m0", "http_response"));
  rig.gateway().kill();
  rig.start_gateway();
  const auto last = rig.finish("slow");
  CHECK(last["state"] == "succeeded");
  CHECK(rig.results("m0").size() == 1);
  rig.rack.stop();
  CHECK(rig.rack.version("m0") == kTo);
  CHECK(rig.rack.written_while_flashing("m0").empty());
}

TEST_CASE("killed between the acceptance and the end of the fetch: the job is taken up again") {
  Rig rig(rack_of(1));
  const auto reply = rig.request("update", rig.job("early"));
  rig.gateway().kill();
  CHECK(reply["status"] == "ok");
  rig.start_gateway();
  const auto last = rig.finish("early");
  CHECK(last["state"] == "succeeded");
  CHECK(rig.results("m0").size() == 1);
}

TEST_CASE("SIGTERM in a slow download: exit 0, at no cost, and the next start completes the job") {
  auto options = rack_of(1, {"client=slow:200000,once"});
  options.delta_bytes = 4 << 20;
  Rig rig(options);
  rig.accept(rig.job("cut"));
  wait_for_progress(rig, "m0", "downloading");
  REQUIRE(rig.rack.wait_for("m0", "http_response"));
  CHECK(rig.gateway().terminate() == 0);
  CHECK(rig.observer.on(rig.topic("module/m0/result")).empty());
  rig.start_gateway();
  const auto last = rig.finish("cut");
  CHECK(last["state"] == "succeeded");
  CHECK(rig.results("m0").size() == 1);
  CHECK(rig.result("m0")["attempts"] == 1);
  CHECK(rig.errors("m0").empty());
}

TEST_CASE("SIGTERM while modules flash and wait: exit 0, and the next start brings every result") {
  auto options = rack_of(3);
  options.settings = {{"limits.updates", "2"}};
  Rig rig(options);
  rig.accept(rig.job("stop"));
  const auto flashing = rig.rack.wait_for([](const Json& event) { return event["event"] == "flashing_begin"; });
  REQUIRE(flashing);
  REQUIRE(rig.rack.wait_for_urc((*flashing)["module"], "UPDATING"));
  CHECK(rig.gateway().terminate() == 0);
  CHECK(rig.retained(rig.topic("status")) == "offline");
  rig.start_gateway();
  check_succeeded(rig, "stop", 3);
}

TEST_CASE("a second gateway on the same state directory, or on the same HTTP port, exits 3") {
  Rig rig(rack_of(1));
  Process same_directory(rig.gateway_argv());
  CHECK(same_directory.wait() == 3);
  CHECK(same_directory.err().find("state") != std::string::npos);
  rig.write_config({{"gateway.state_dir", "\"" + (rig.dir() / "other") + "\""}, {"gateway.id", "\"t2\""}});
  Process same_port(rig.gateway_argv());
  CHECK(same_port.wait() == 3);
  CHECK(same_port.err().find("http.listen") != std::string::npos);
  rig.accept(rig.job("still"));
  CHECK(rig.finish("still")["state"] == "succeeded");
}

TEST_CASE("two gateways of one client id: the one that started first exits 4") {
  Rig rig(rack_of(1));
  REQUIRE(rig.observer.wait_for_payload(rig.topic("status"), "online"));
  rig.write_config({{"gateway.state_dir", "\"" + (rig.dir() / "other") + "\""},
                    {"http.listen", "\"127.0.0.1:" + std::to_string(free_port()) + "\""}});
  Process twin(rig.gateway_argv());
  CHECK(rig.gateway().wait() == 4);
  CHECK(rig.gateway().err().find("dfota-t") != std::string::npos);
}

TEST_CASE("a bad configuration: exit 2, and every fault as FILE:LINE:COL: message") {
  TempDir dir;
  const auto file = dir / "bad.toml";
  std::ofstream(file) << "[gateway]\nid = \"all\"\nstate_dir = \"" << (dir / "state") << "\"\ncolour = 1\n"
                      << "[limits]\ndownloads = \"eight\"\nupdates = 0\n"
                      << "[[module]]\nid = \"a\"\nport = \"/dev/ttyX\"\n[[module]]\nid = \"a\"\nport = \"/dev/ttyY\"\n";
  for (const bool check : {false, true}) {
    std::vector<std::string> argv = {program("dfota-gateway"), "--config", file};
    if (check) argv.push_back("--check");
    Process gateway(argv);
    CHECK(gateway.wait() == 2);
    const auto err = gateway.err();
    for (const auto* place : {":2:", ":4:", ":6:", ":7:", ":12:"}) {
      CAPTURE(place);
      CHECK(err.find(file + place) != std::string::npos);
    }
    CHECK_FALSE(std::filesystem::exists(dir / "state"));
  }
  std::ofstream(file) << "[gateway\n";
  Process broken({program("dfota-gateway"), "--config", file});
  CHECK(broken.wait() == 2);
  CHECK(broken.err().starts_with(file + ":1:"));
  Process nowhere({program("dfota-gateway"), "--config", dir / "none.toml"});
  CHECK(nowhere.wait() == 2);
}

TEST_CASE("a good configuration is said to be so, and nothing is started") {
  auto options = rack_of(1);
  options.start = false;
  Rig rig(options);
  auto argv = rig.gateway_argv();
  argv.push_back("--check");
  Process check(argv);
  CHECK(check.wait() == 0);
  CHECK_FALSE(std::filesystem::exists(rig.dir() / "state"));
  CHECK(rig.observer.messages().empty());
}
