#include "gateway/ctl/doctor_steps.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace dfota;
using namespace dfota::ctl;
using Texts = std::vector<std::string>;

namespace {
Texts words(const std::vector<Step>& steps) {
  Texts result;
  for (const auto& step : steps) {
    const std::string line = line_of(step);
    result.push_back(line.substr(0, line.find(':')));
  }
  return result;
}

ScannedModule well() {
  ScannedModule module;
  module.module = "a";
  module.online = true;
  module.model = "UC20";
  module.version = "V1";
  module.imei = "861";
  module.sim = "READY";
  module.registered = true;
  module.signal_dbm = -71;
  return module;
}

ScannedModule with_finding(const std::string& code) {
  auto module = well();
  module.network = ScannedModule::Finding{code, "message", "hint"};
  return module;
}

/// 2026-03-01T00:00:00Z
const auto kNow = std::chrono::system_clock::from_time_t(1772323200);

HttpProbe answered(long status, std::size_t bytes, const std::string& via = "") {
  HttpProbe probe;
  probe.address = "10.0.0.2";
  probe.status = status;
  probe.body_bytes = bytes;
  probe.via = via;
  return probe;
}
}  // namespace

TEST_CASE("a step as a line and as a document") {
  const Step step{Step::Result::fail, "broker_tcp", "refused", "start it"};
  CHECK(line_of(step) == "FAIL  broker_tcp: refused; start it");
  CHECK(document_of(step) ==
        Json{{"step", "broker_tcp"}, {"result", "fail"}, {"message", "refused"}, {"hint", "start it"}});
  const Step well{Step::Result::ok, "broker_tcp", "there", ""};
  CHECK(line_of(well) == "ok    broker_tcp: there");
  CHECK(document_of(well).at("hint").is_null());
}

TEST_CASE("the broker, as far as it came") {
  ConnectionProbe probe;
  probe.fault = ProbeFault{ProbeStage::name, "no such name"};
  CHECK(words(broker_steps(probe, "h:1", true)) == Texts{"FAIL  broker_name"});
  probe.fault = ProbeFault{ProbeStage::tcp, "refused"};
  CHECK(words(broker_steps(probe, "h:1", true)) == Texts{"ok    broker_name", "FAIL  broker_tcp"});
  probe.address = "10.0.0.1";
  probe.fault = ProbeFault{ProbeStage::tls, "not trusted"};
  CHECK(words(broker_steps(probe, "h:1", true)) == Texts{"ok    broker_name", "ok    broker_tcp", "FAIL  broker_tls"});
  probe.fault.reset();
  CHECK(words(broker_steps(probe, "h:1", true)) == Texts{"ok    broker_name", "ok    broker_tcp", "ok    broker_tls"});
  CHECK(words(broker_steps(probe, "h:1", false)) == Texts{"ok    broker_name", "ok    broker_tcp", "skip  broker_tls"});
}

TEST_CASE("problems, hold and clock of the gateway") {
  const Json info = {{"version", "1.0"}, {"hold", nullptr}, {"problems", Json::array()}};
  const Json reply = {{"status", "ok"}, {"ts", "2026-03-01T00:00:30.123Z"}, {"data", {{"version", "1.1"}}}};
  const auto good = gateway_steps(info, reply, kNow);
  CHECK(words(good) == Texts{"ok    gateway_problems", "ok    gateway_hold", "ok    gateway_clock"});
  CHECK(good[0].message == "dfota-gateway 1.1 has none");
  const Json bad = {{"version", "1.0"}, {"hold", "door open"}, {"problems", {"clock_untrusted", "journal_corrupt"}}};
  for (const char* ts : {"2026-03-01T00:02:00Z", "2026-02-28T23:58:00.000Z", "1970-01-01T00:00:00Z"}) {
    const auto steps = gateway_steps(bad, {{"ts", ts}}, kNow);
    CHECK(words(steps) == Texts{"FAIL  gateway_problems", "FAIL  gateway_hold", "FAIL  gateway_clock"});
    CHECK(steps[0].message == "dfota-gateway 1.0 tells clock_untrusted, journal_corrupt");
  }
  CHECK(words(gateway_steps(nullptr, nullptr, kNow)) ==
        Texts{"FAIL  gateway_problems", "ok    gateway_hold", "skip  gateway_clock"});
}

TEST_CASE("the file server answers 404 with nothing behind it; all else is somebody else") {
  const std::string url = "http://10.0.0.2:8480";
  CHECK(file_server_step(url, answered(404, 0)).result == Step::Result::ok);
  for (const auto& probe : {answered(404, 10), answered(200, 0), answered(403, 0), answered(404, 0, "1.1 squid")}) {
    CHECK(file_server_step(url, probe).result == Step::Result::fail);
  }
  HttpProbe gone;
  gone.fault = ProbeFault{ProbeStage::tcp, "Connection refused"};
  CHECK(file_server_step(url, gone).result == Step::Result::fail);
  for (const char* host : {"127.0.0.1", "127.1.2.3", "localhost", "::1"}) CHECK(is_loopback(host));
  for (const char* host : {"192.168.1.10", "rack.lan", "", "::2"}) CHECK_FALSE(is_loopback(host));
}

TEST_CASE("the module, its SIM, network and context") {
  CHECK(words(module_steps(well())) == Texts{"ok    module", "ok    sim", "ok    network", "ok    pdp_context"});
  CHECK(words(module_steps(with_finding("sim_not_ready"))) ==
        Texts{"ok    module", "FAIL  sim", "skip  network", "skip  pdp_context"});
  CHECK(words(module_steps(with_finding("not_registered"))) ==
        Texts{"ok    module", "ok    sim", "FAIL  network", "skip  pdp_context"});
  CHECK(words(module_steps(with_finding("no_pdp_context"))) ==
        Texts{"ok    module", "ok    sim", "ok    network", "FAIL  pdp_context"});
  auto weak = well();
  weak.signal_dbm = -111;
  CHECK_FALSE(module_steps(weak)[2].hint.empty());
  auto busy = well();
  busy.problem = "busy";
  CHECK(words(module_steps(busy)) == Texts{"skip  module", "skip  sim", "skip  network", "skip  pdp_context"});
  auto absent = well();
  absent.online = false;
  absent.problem = "absent";
  CHECK(words(module_steps(absent)) == Texts{"FAIL  module", "skip  sim", "skip  network", "skip  pdp_context"});
  CHECK(module_steps(absent)[0].hint.find("powered") != std::string::npos);
}

TEST_CASE("the steps are told in the order of their names") {
  ConnectionProbe probe;
  auto steps = broker_steps(probe, "h:1", true);
  const auto& names = step_names();
  for (std::size_t i = 0; i < steps.size(); ++i) CHECK(steps[i].name == names[i]);
  CHECK(silence_step({}).name == names[6]);
  steps = gateway_steps(nullptr, nullptr, kNow);
  for (std::size_t i = 0; i < steps.size(); ++i) CHECK(steps[i].name == names[7 + i]);
  CHECK(file_server_step("", {}).name == names[10]);
  steps = module_steps(well());
  for (std::size_t i = 0; i < steps.size(); ++i) CHECK(steps[i].name == names[11 + i]);
}
