// dfota doctor: each thing that can be wrong on the way to a gateway is made so, and named at its step. A real broker,
// and a gateway that is played by the test.
#include <doctest/doctest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "tests/support/doctor_run.hpp"
#include "tests/support/origin.hpp"
#include "tests/support/scripted_gateway.hpp"

using namespace dfota;
using namespace dfota::test;
using Json = nlohmann::json;
using Texts = std::vector<std::string>;
using Names = std::set<std::string>;

namespace {
const Texts kAllSteps = {"broker_name",  "broker_tcp",    "broker_tls",    "broker_login",
                         "rights_read",  "rights_write",  "gateway_reply", "gateway_problems",
                         "gateway_hold", "gateway_clock", "file_server",   "module",
                         "sim",          "network",       "pdp_context"};

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

Texts doctor(const std::string& uri, const Texts& more = {}, const std::string& timeout = "5") {
  Texts argv = {DFOTA_BINARY_DIR "/dfota", "--broker", uri, "--gateway", "rack-1", "--timeout", timeout, "doctor"};
  argv.insert(argv.end(), more.begin(), more.end());
  return argv;
}

Json info(const std::string& http) {
  return {{"version", "1.2.3"}, {"http", http}, {"modules", 2}, {"hold", nullptr}, {"problems", Json::array()}};
}

Json pong(const std::string& ts) {
  return {{"status", "ok"}, {"data", {{"version", "1.2.3"}}}, {"warnings", Json::array()}, {"ts", ts}};
}

std::string now() {
  const std::time_t seconds = std::time(nullptr);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S.000Z", std::gmtime(&seconds));
  return text;
}

/// A broker whose anonymous clients may do everything, and those with a name only what stands here.
struct LimitedBroker {
  explicit LimitedBroker(const std::string& rules) : broker(options(rules)) {}
  Broker::Options options(const std::string& rules) const {
    std::ofstream(dir / "acl") << "topic readwrite #\n" << rules;
    return {.persistence = false, .extra = "acl_file " + (dir / "acl"), .start = true};
  }
  TempDir dir;
  Broker broker;
};

/// Answers each ping from a thread of its own, until a test case ends.
class Answering {
 public:
  Answering(const Broker& broker, Json reply, Json scan = nullptr) : gateway(broker) {
    gateway.online();
    thread_ = std::thread([this, reply, scan] {
      try {
        gateway.answer(gateway.command("ping"), reply);
        if (!scan.is_null()) gateway.answer(gateway.command("scan"), scan);
      } catch (const std::exception&) {  // doctor never came so far: the test tells
      }
    });
  }
  ~Answering() { thread_.join(); }
  ScriptedGateway gateway;

 private:
  std::thread thread_;
};
}  // namespace

TEST_CASE("the broker: its name, its port, its TLS") {
  const DoctorRun name(doctor("mqtt://no-such-host.invalid"));
  CHECK(name.code == 1);
  CHECK(name.failed() == Names{"broker_name"});
  CHECK(name.steps == kAllSteps);
  CHECK(name.result("gateway_reply") == "skip");

  Broker broker({.persistence = false, .extra = {}, .start = false});
  const DoctorRun down(doctor(broker.uri()));
  CHECK(down.code == 1);
  CHECK(down.failed() == Names{"broker_tcp"});
  CHECK(has(down.message("broker_tcp"), "Connection refused"));
  CHECK(down.result("broker_name") == "ok");

  broker.start();
  const DoctorRun plain(doctor("mqtts://127.0.0.1:" + std::to_string(broker.port())));
  CHECK(plain.code == 1);
  CHECK(plain.failed() == Names{"broker_tls"});
  CHECK(plain.result("broker_tcp") == "ok");
}

TEST_CASE("the broker: something else listens there, or it does not let us in") {
  Origin origin;  // speaks HTTP
  const auto uri = "mqtt://" + origin.url("/").substr(7);
  const DoctorRun other(doctor(uri.substr(0, uri.size() - 1), {}, "3"));
  CHECK(other.code == 1);
  CHECK(other.failed() == Names{"broker_login"});
  TempDir dir;
  std::ofstream(dir / "passwords") << "";
  Broker broker(
      {.persistence = false, .extra = "allow_anonymous false\npassword_file " + (dir / "passwords"), .start = true});
  const DoctorRun refused(doctor(broker.uri()));
  CHECK(refused.failed() == Names{"broker_login"});
  CHECK(has(refused.message("broker_login"), "Not authorized"));
}

TEST_CASE("rights: commands are refused by the ACL") {
  LimitedBroker limited("user watcher\ntopic read dfota/v1/#\n");
  Answering gateway(limited.broker, pong(now()));
  const DoctorRun run(doctor(limited.broker.uri(), {"--username", "watcher"}));
  CHECK(run.code == 1);
  CHECK(run.failed() == Names{"rights_write"});
  CHECK(has(run.hint("rights_write"), "write dfota/v1/rack-1/cmd/#"));
  MqttObserver(limited.broker.uri()).publish("dfota/v1/rack-1/cmd/ping", "{}");  // ends the thread
}

TEST_CASE("rights: the ACL keeps the answers from us") {
  LimitedBroker limited(
      "user deaf\ntopic write dfota/v1/+/cmd/#\ntopic write dfota/v1/client/#\ntopic read dfota/v1/+/status\n"
      "user mute\ntopic write dfota/v1/+/cmd/#\ntopic read dfota/v1/+/status\n");
  ScriptedGateway gateway(limited.broker);
  gateway.online();
  const DoctorRun deaf(doctor(limited.broker.uri(), {"--username", "deaf"}, "1"));
  CHECK(deaf.failed() == Names{"gateway_reply"});
  CHECK(has(deaf.message("gateway_reply"), "the broker gives us nothing of what is published on"));
  const DoctorRun mute(doctor(limited.broker.uri(), {"--username", "mute"}, "1"));
  CHECK(mute.failed() == Names{"gateway_reply"});
  CHECK(has(mute.hint("gateway_reply"), "must let us read dfota/v1/client/#"));
  const DoctorRun stuck(doctor(limited.broker.uri(), {}, "1"));
  CHECK(stuck.failed() == Names{"gateway_reply"});
  CHECK(has(stuck.message("gateway_reply"), "is online and did not answer, though we hear"));
}

TEST_CASE("the gateway: offline, another one, or none at all") {
  Broker broker;
  const DoctorRun none(doctor(broker.uri(), {}, "1"));
  CHECK(none.code == 1);
  CHECK(none.failed() == Names{"gateway_reply"});
  CHECK(has(none.message("gateway_reply"), "no gateway has a status on dfota/v1/+/status"));
  ScriptedGateway other(broker, "rack-7"), third(broker, "rack-8");
  other.online();
  third.say("status", "offline", true);
  const DoctorRun wrong(doctor(broker.uri(), {}, "1"));
  CHECK(has(wrong.message("gateway_reply"), "there is no gateway rack-1 below dfota/v1; there is rack-7, rack-8"));
  ScriptedGateway gateway(broker);
  gateway.say("status", "offline", true);
  const DoctorRun offline(doctor(broker.uri(), {}, "1"));
  CHECK(offline.failed() == Names{"gateway_reply"});
  CHECK(has(offline.message("gateway_reply"), "gateway rack-1 is offline"));
}

TEST_CASE("the gateway: its problems, a hold, its clock; and that nothing of it steers the terminal") {
  Broker broker;
  auto bad = info("http://127.0.0.1:1");
  bad["problems"] = {"journal_unavailable"};
  bad["hold"] = "UPS on battery\x1b[2J";
  Answering gateway(broker, pong("2020-01-01T00:00:00.000Z"));
  gateway.gateway.say("info", bad, true);
  const DoctorRun run(doctor(broker.uri()));
  CHECK(run.code == 1);
  CHECK(run.failed() == Names{"gateway_problems", "gateway_hold", "gateway_clock", "file_server"});
  CHECK(has(run.message("gateway_problems"), "dfota-gateway 1.2.3 tells journal_unavailable"));
  CHECK(has(run.message("gateway_clock"), "behind ours"));
  Answering again(broker, pong(now()));
  Process text(doctor(broker.uri()));
  CHECK(text.wait() == 1);
  CHECK(has(text.out(), "FAIL  gateway_hold: no module is commanded while it is held: UPS on battery?[2J; "));
  CHECK(has(text.out(), "ok    gateway_clock: goes as ours\n"));
}

TEST_CASE("the file server: unreachable, another server, not to be asked from here; never through a proxy") {
  Broker broker;
  const auto file_server = [&](const std::string& http, const Process::Environment& environment = {}) {
    Answering gateway(broker, pong(now()));
    gateway.gateway.say("info", info(http), true);
    return DoctorRun(doctor(broker.uri()), environment);
  };
  const auto gone = file_server("http://127.0.0.1:" + std::to_string(free_port()));
  CHECK(gone.failed() == Names{"file_server"});
  CHECK(has(gone.message("file_server"), "cannot be reached from here: Connection refused"));
  Origin origin;
  origin.serve("/a/doctor/doctor", "a page of somebody else's");
  const auto base = origin.url("/a/doctor/doctor");
  const auto other = file_server(base.substr(0, base.find("/a/")));
  CHECK(other.failed() == Names{"file_server"});
  CHECK(has(other.message("file_server"), "was answered by 200 with 25 bytes"));
  const auto unproxied = file_server("http://127.0.0.1:" + std::to_string(free_port()),
                                     {{"http_proxy", origin.url("")}, {"no_proxy", ""}});
  CHECK(has(unproxied.message("file_server"), "Connection refused"));
}

TEST_CASE("the module: unknown, or what its scan told") {
  Broker broker;
  const auto module = [&](const Json& scan) {
    Answering gateway(broker, pong(now()), scan);
    gateway.gateway.say("info", info("http://127.0.0.1:1"), true);
    gateway.gateway.say("module/b/status", "online", true);
    return DoctorRun(doctor(broker.uri(), {"--module", "a"}));
  };
  const auto unknown = module({{"status", "error"}, {"error", {{"code", "unknown_module"}, {"message", "no a"}}}});
  CHECK(unknown.result("module") == "fail");
  CHECK(unknown.hint("module") == "There is b");
  const auto scanned = [](const Json& more) -> Json {
    Json one = {{"module", "a"}, {"online", true}, {"problem", nullptr}, {"model", "UC20"},   {"version", "V1"},
                {"imei", "861"}, {"sim", "READY"}, {"registered", true}, {"signal_dbm", -71}, {"network", nullptr}};
    one.update(more);
    return {{"status", "ok"}, {"data", {{"modules", Json::array({one})}}}, {"warnings", Json::array()}};
  };
  const auto well = module(scanned(Json::object()));
  CHECK(well.failed() == Names{"file_server"});
  CHECK(well.result("pdp_context") == "ok");
  const auto absent = module(scanned({{"online", false}, {"problem", "absent"}}));
  CHECK(absent.failed() == Names{"file_server", "module"});
  CHECK(absent.result("sim") == "skip");
}
