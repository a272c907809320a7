#include "modem/simulator/faults.hpp"

#include <doctest/doctest.h>

using namespace dfota;
using namespace dfota::sim;

namespace {

Behaviour one(std::string_view spec, int index = 0, int attempt = 1) {
  const auto fault = Fault::parse(spec);
  REQUIRE_MESSAGE(fault.ok(), fault.error().message);
  return behaviour_of({*fault}, index, attempt);
}

}  // namespace

TEST_CASE("WHICH selects modules") {
  CHECK(one("no-start", 9).no_start);
  CHECK(one("all:no-start", 9).no_start);
  CHECK(one("m3:no-start", 3).no_start);
  CHECK_FALSE(one("m3:no-start", 4).no_start);
  for (int index = 0; index < 8; ++index)
    CHECK(one("m2-m5:stall=50", index).stall.has_value() == (index >= 2 && index <= 5));
  CHECK(one("m0:client=chunks:100").client.bytes == 100);
  CHECK(one("client=chunks:100").client.client == Client::chunks);
}

TEST_CASE("values arrive where they belong") {
  CHECK(one("httpend=703").httpend == 703);
  CHECK(one("httpend=-1").httpend == -1);
  CHECK(one("ftpend=608").ftpend == 608);
  CHECK(one("httpend-after=50:717").httpend_after->percent == 50);
  CHECK(one("httpend-after=50:717").httpend_after->code == 717);
  CHECK(one("end=502").end == 502);
  CHECK(one("refuse=error").refuse == Refusal::error);
  CHECK(one("refuse=cme:30").refuse == Refusal::cme);
  CHECK(one("refuse=cme:30").refuse_cme == 30);
  CHECK(one("ftpend-after=50:607").ftpend_after->code == 607);
  CHECK(one("power-down=60").power_down == 60);
  CHECK(one("power-down-download=60").power_down_download == 60);
  CHECK(one("low-voltage=60").low_voltage == 60);
  CHECK(one("sim=pin").sim == Sim::pin);
  CHECK(one("sim=busy").sim_busy_times == 0);
  CHECK(one("sim=busy:3").sim_busy_times == 3);
  CHECK(one("unregistered").unregistered == 0);
  CHECK(one("unregistered=3").unregistered == 3);
  CHECK(one("no-pdp").no_pdp);
  CHECK(one("qgmr=long").qgmr_long);
  CHECK(one("qflst-bare").qflst_bare);
  CHECK(one("ufs=5000").ufs_bytes == 5000);
  CHECK(one("no-start").ufs_bytes == 16777216);
  CHECK(one("corrupt-upload").corrupt_upload);
  CHECK(one("no-flow-control").no_flow_control);
  CHECK(one("no-request").no_request);
  CHECK(one("no-request=728").no_request_code == 728);
  CHECK(one("wrong-version=V2").wrong_version == "V2");
  CHECK(one("echo=crcrlf").echo_crcrlf);
  CHECK(one("client=slow").client.client == Client::slow);
  CHECK(one("idle=5,total=9").client.idle_s == 5);
  CHECK(one("client=barelf,idle=5").client.client == Client::barelf);
  for (const auto* flag : {"lost-start",
                           "lost-updating",
                           "lost-end",
                           "no-return",
                           "keep-old",
                           "garbage-boot",
                           "uart",
                           "boot-noise",
                           "split-writes",
                           "echo-always",
                           "urc-in-answer",
                           "end-twice",
                           "percent-back",
                           "no-answer",
                           "absent",
                           "hangup-download=40",
                           "reboot-download=40",
                           "stall-download=40",
                           "imei=861850030000008",
                           "model=UC15",
                           "version=V1"}) {
    CHECK_MESSAGE(Fault::parse(flag).ok(), flag);
  }
}

TEST_CASE("times and once bound a fault to the first commands; several faults add up, the later wins") {
  CHECK(one("httpend=703,times=2", 0, 2).httpend == 703);
  CHECK_FALSE(one("httpend=703,times=2", 0, 3).httpend);
  CHECK(one("once,no-start", 0, 1).no_start);
  CHECK_FALSE(one("once,no-start", 0, 2).no_start);
  const auto both = behaviour_of({*Fault::parse("httpend=701,lost-end"), *Fault::parse("m0:httpend=702,once")}, 0, 1);
  CHECK(both.httpend == 702);
  CHECK(both.lost_end);
}

TEST_CASE("a bad spelling is refused with the word that is wrong") {
  struct Bad {
    const char* spec;
    const char* word;
  };
  const Bad table[] = {{"", "a name is missing"},
                       {"m3:", "a name is missing"},
                       {"no-start,", "a name is missing"},
                       {",no-start", "a name is missing"},
                       {"=5", "a name is missing"},
                       {"no-strat", "unknown name 'no-strat'"},
                       {"x3:no-start", "'x3' names no modules"},
                       {"m:no-start", "'m' names no modules"},
                       {"3:no-start", "'3' names no modules"},
                       {"m-1:no-start", "names no modules"},
                       {"m2-5:no-start", "names no modules"},
                       {"m5-m2:no-start", "ends before it begins"},
                       {"httpend", "needs a value: httpend=CODE"},
                       {"httpend=", "'' is no value for 'httpend'"},
                       {"httpend=seven", "'seven' is no value for 'httpend'"},
                       {"httpend=70x", "'70x' is no value"},
                       {"httpend=99999999999", "is no value"},
                       {"no-start=1", "'no-start' takes no value"},
                       {"stall=101", "'101' is no value for 'stall'"},
                       {"stall=-1", "is no value"},
                       {"httpend-after=50", "PERCENT:CODE"},
                       {"httpend-after=150:717", "PERCENT:CODE"},
                       {"ftpend-after=50", "PERCENT:CODE"},
                       {"sim", "needs a value"},
                       {"sim=gone", "pin|absent|failure|busy[:N]"},
                       {"sim=busy:0", "pin|absent|failure|busy[:N]"},
                       {"unregistered=0", "is no value"},
                       {"qgmr=short", "is no value"},
                       {"ufs=0", "is no value"},
                       {"power-down=101", "is no value"},
                       {"refuse=cme", "error|cme:N"},
                       {"refuse=cme:x", "error|cme:N"},
                       {"client=curl", "'curl' is no value for 'client'"},
                       {"client=chunks:0", "is no value"},
                       {"client=get:5", "is no value"},
                       {"echo=lf", "is no value"},
                       {"once", "need a fault beside them"},
                       {"no-start,times=0", "'times' needs a number"},
                       {"no-start,times", "'times' needs a number"},
                       {"no-start,once=2", "unknown name 'once'"},
                       {"version=a b", "is no value"},
                       {"no-request=", "is no value"}};
  for (const auto& bad : table) {
    const auto fault = Fault::parse(bad.spec);
    REQUIRE_MESSAGE(!fault.ok(), bad.spec);
    CHECK(fault.error().code == Errc::invalid);
    CHECK_MESSAGE(fault.error().message.find(bad.word) != std::string::npos, fault.error().message);
  }
}

TEST_CASE("the help names every fault") {
  const auto help = fault_help();
  for (const auto* name : {"client=HABIT", "no-request[=CODE]", "httpend-after=PERCENT:CODE", "times=N, once"}) {
    CHECK_MESSAGE(help.find(name) != std::string::npos, name);
  }
}
