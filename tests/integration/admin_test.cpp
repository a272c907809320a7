// The admin listener of a real gateway, by curl: what it shows of a rack that is being updated, who may read and write,
// what a command and an artifact over HTTP lead to, health, and that it goes on while streams are stalled.
#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "tests/support/curl.hpp"
#include "tests/support/fetch_fixture.hpp"
#include "tests/support/rig.hpp"

using namespace dfota;
using namespace dfota::test;
using Json = nlohmann::json;

namespace {

struct AdminRig {
  explicit AdminRig(int modules) : AdminRig(options(modules)) {}
  explicit AdminRig(const RigOptions& options) : rig(options), port(rig.admin_port()) {}

  static RigOptions options(int modules, std::vector<std::string> faults = {}) {
    auto options = rack_of(modules, std::move(faults));
    options.admin = true;
    return options;
  }

  [[nodiscard]] std::string url(const std::string& path) const {
    return "http://127.0.0.1:" + std::to_string(port) + path;
  }
  [[nodiscard]] CurlReply get(const std::string& path) const { return curl(url(path)); }
  [[nodiscard]] Json read(const std::string& path) const {
    const auto reply = get(path);
    INFO(path, ": ", reply.body);
    REQUIRE(reply.status == 200);
    return reply.json();
  }
  [[nodiscard]] std::string token() const {
    std::ifstream in(rig.dir() / "state/admin_token");
    std::string token;
    std::getline(in, token);
    REQUIRE(token.size() >= 32);
    return token;
  }
  [[nodiscard]] std::string bearer() const { return "Authorization: Bearer " + token(); }
  [[nodiscard]] CurlReply post(const std::string& verb, const std::string& body,
                               std::vector<std::string> arguments = {}) const {
    arguments.insert(arguments.end(), {"-H", "Content-Type: application/json", "--data-binary", body});
    return curl(url("/api/v1/commands/" + verb), std::move(arguments));
  }
  Json command(const std::string& verb, const Json& body) const {
    const auto reply = post(verb, body.dump(), {"-H", bearer()});
    INFO(verb, ": ", reply.body);
    REQUIRE(reply.status == 200);
    return reply.json();
  }

  Rig rig;
  std::uint16_t port;
};

/// The events of a stream so far, as a browser takes them apart.
std::vector<std::pair<std::string, Json>> events_of(const std::string& text) {
  std::vector<std::pair<std::string, Json>> events;
  std::istringstream lines(text);
  std::string kind, data;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("event: ")) kind = line.substr(7);
    if (line.starts_with("data: ")) data += line.substr(6) + "\n";
    if (!line.empty() || data.empty()) continue;
    events.emplace_back(kind, Json::parse(data));
    kind = data = "";
  }
  return events;
}

Process open_stream(const AdminRig& admin) {
  return Process({"curl", "-q", "-sS", "-N", "--noproxy", "*", admin.url("/api/v1/events")});
}

}  // namespace

TEST_CASE("a rack that is updated is told by events, and lies in the lists afterwards") {
  AdminRig admin(AdminRig::options(3, {"m1:httpend=716"}));
  auto& rig = admin.rig;
  auto stream = open_stream(admin);
  REQUIRE(stream.wait_for_out("event: snapshot"));
  auto job = rig.job("night");
  job["max_parallel"] = 2;
  rig.accept(job);
  CHECK(rig.finish("night")["state"] == "partial");
  REQUIRE(stream.wait_for_out([](const std::string& text) {
    for (const auto& [kind, data] : events_of(text)) {
      if (data.contains("job/night") && data["job/night"]["state"] == "partial") return true;
    }
    return false;
  }));

  Json seen = Json::object();
  bool progress = false;
  const auto events = events_of(stream.out());
  CHECK(events.front().first == "snapshot");
  for (const auto& [kind, data] : events) {
    progress = progress || (data.contains("module/m0/progress") && data["module/m0/progress"].is_object());
    if (kind != "time") seen.update(data);
  }
  CHECK(progress);
  CHECK(seen["info"]["gateway"] == "t");
  CHECK(seen["module/m0/status"] == "online");

  const auto modules = admin.read("/api/v1/modules");
  REQUIRE(modules["modules"].size() == 3);
  CHECK(modules["modules"][0]["version"] == kTo);
  CHECK(modules["modules"][0]["status"] == "online");
  CHECK(modules["modules"][0]["progress"].is_null());
  CHECK(modules["modules"][1]["last_error"]["code"] == 716);
  CHECK(modules["modules"][1]["last_error"]["meaning"] == "HTTP socket connect error");
  const auto module = admin.read("/api/v1/modules/m1");
  REQUIRE(module["history"].size() == 1);
  CHECK(module["history"][0]["job"] == "night");
  CHECK(module["history"][0]["outcome"] == "failed");
  CHECK(module["history"][0]["error"]["code"] == 716);
  CHECK(module["history"][0]["duration_s"] > 0);
  CHECK(module["history"][0]["ended_at"].is_string());
  REQUIRE(module["transcripts"].size() == 1);
  CHECK(module["transcripts"][0]["job"] == "night");
  const auto jobs = admin.read("/api/v1/jobs");
  REQUIRE(jobs["jobs"].size() == 1);
  CHECK(jobs["jobs"][0]["counts"]["succeeded"] == 2);
  CHECK(jobs["jobs"][0]["rollout"]["max_parallel"] == 2);
  const auto night = admin.read("/api/v1/jobs/night");
  CHECK(night["modules"] == Json({{"m0", "succeeded"}, {"m1", "failed"}, {"m2", "succeeded"}}));
  CHECK(admin.read("/api/v1/info")["gateway"] == "t");
  CHECK(admin.read("/api/v1/artifacts")["artifacts"].empty());

  const auto transcript = admin.get("/api/v1/modules/m1/transcript");
  CHECK(transcript.status == 200);
  CHECK(transcript.body.find("HTTPEND") != std::string::npos);
  CHECK(transcript.body.find("\"outcome\":\"failed\"") != std::string::npos);
  CHECK(admin.get("/api/v1/modules/m1/transcript?job=other").status == 404);
  for (const auto* path : {"/api/v1/modules/m9", "/api/v1/jobs/day", "/api/v1/nothing", "/page/../admin_token"}) {
    CHECK(admin.get(path).status == 404);
  }
  const auto metrics = admin.get("/metrics");
  CHECK(metrics.status == 200);
  CHECK(metrics.body.find("dfota_update_outcomes_total{outcome=\"succeeded\"} 2") != std::string::npos);
  CHECK(metrics.body.find("dfota_update_errors_total{class=\"7xx\",code=\"716\"}") != std::string::npos);
}

TEST_CASE("a page that comes back after the gateway was away gets everything at once") {
  AdminRig admin(1);
  auto& rig = admin.rig;
  auto stream = open_stream(admin);
  REQUIRE(stream.wait_for_out("event: snapshot"));
  rig.gateway().kill();
  CHECK(stream.wait().has_value());
  rig.start_gateway();
  auto again = open_stream(admin);
  REQUIRE(again.wait_for_out([](const std::string& text) {
    for (const auto& [kind, data] : events_of(text)) {
      if (data.contains("module/m0/state") && data["module/m0/state"]["version"] == kFrom) return true;
    }
    return false;
  }));
}

TEST_CASE("who writes needs the token and comes from here; who reads under another name gets nothing") {
  AdminRig admin(1);
  const auto body = admin.rig.job("night").dump();
  const auto refused = [&](int status, std::vector<std::string> arguments) {
    const auto reply = admin.post("update", body, std::move(arguments));
    INFO(reply.head, reply.body);
    CHECK(reply.status == status);
    CHECK(reply.json()["error"]["message"].get<std::string>().size() > 10);
  };
  refused(401, {});
  refused(401, {"-H", "Authorization: Bearer 0123456789abcdef0123456789abcdef"});
  refused(403, {"-H", admin.bearer(), "-H", "Origin: https://evil.example"});
  refused(403, {"-H", admin.bearer(), "-H", "Sec-Fetch-Site: cross-site"});
  refused(421, {"-H", admin.bearer(), "-H", "Host: evil.example"});
  refused(415, {"-H", admin.bearer(), "-H", "Content-Type: text/plain"});
  CHECK(curl(admin.url("/api/v1/modules"), {"-H", "Host: evil.example"}).status == 421);
  CHECK(curl(admin.url("/api/v1/artifacts/a.bin"), {"-T", admin.rig.config_file()}).status == 401);
  CHECK(curl(admin.url("/api/v1/modules"), {"-X", "DELETE", "-H", admin.bearer()}).status == 405);
  CHECK(admin.read("/api/v1/jobs")["jobs"].empty());

  const auto page = admin.get("/");
  CHECK(page.status == 200);
  for (const auto* header :
       {"Content-Security-Policy: default-src 'none'", "X-Frame-Options: DENY", "X-Content-Type-Options: nosniff"}) {
    CHECK(page.head.find(header) != std::string::npos);
  }

  const std::string jar = admin.rig.dir() / "cookies";
  const auto session = admin.url("/api/v1/session");
  CHECK(curl(session).json()["may_write"] == false);
  CHECK(curl(session, {"-X", "POST", "-H", "Authorization: Bearer wrong", "-c", jar}).status == 401);
  const auto entered = curl(session, {"-X", "POST", "-H", admin.bearer(), "-c", jar});
  CHECK(entered.status == 204);
  CHECK(entered.head.find("HttpOnly") != std::string::npos);
  CHECK(entered.head.find("SameSite=Strict") != std::string::npos);
  CHECK(entered.head.find(admin.token()) == std::string::npos);
  CHECK(curl(session, {"-b", jar}).json()["may_write"] == true);
  const auto accepted =
      admin.post("update", body, {"-b", jar, "-H", "Origin: http://127.0.0.1:" + std::to_string(admin.port)});
  CHECK(accepted.status == 200);
  CHECK(admin.rig.finish("night")["state"] == "succeeded");
}

TEST_CASE("a command over HTTP is answered as over MQTT") {
  auto options = AdminRig::options(2, {"m1:client=slow:2000,once"});
  options.delta_bytes = 1 << 20;  // more than the kernel takes ahead of a slow reader
  AdminRig admin(options);
  auto& rig = admin.rig;
  auto job = rig.job("night");
  job["transaction"] = "t-1";
  auto reply = admin.command("update", job);
  CHECK(reply["status"] == "ok");
  CHECK(reply["transaction"] == "t-1");
  CHECK(reply["data"]["modules"] == Json({"m0", "m1"}));
  CHECK(rig.result("m0")["outcome"] == "succeeded");
  CHECK(admin.command("cancel", {{"module", "m1"}})["status"] == "ok");
  CHECK(rig.result("m1")["outcome"] == "canceled");
  CHECK(rig.finish("night")["state"] == "canceled");
  CHECK(admin.command("retry", {{"job", "night"}, {"run", 1}})["data"]["run"] == 2);

  const auto refusal = [&](const std::string& verb, const std::string& body, int status, const std::string& code) {
    const auto refused = admin.post(verb, body, {"-H", admin.bearer()});
    INFO(verb, " ", refused.body);
    CHECK(refused.status == status);
    CHECK(refused.json()["error"]["code"] == code);
  };
  refusal("update", "{", 400, "not_json");
  refusal("update", R"({"modules":["m9"],"target":"x"})", 404, "unknown_module");
  refusal("cancel", R"({"job":"day"})", 404, "unknown_job");
  refusal("dance", "{}", 404, "unknown_verb");
  refusal("update", "{\"job\":\"" + std::string(70000, 'x') + "\"}", 413, "too_large");
  const auto scanned = admin.command("scan", Json::object());
  CHECK(scanned["data"]["modules"].size() == 2);
}

TEST_CASE(
    "so many commands wait for an end that takes long; one more is told that it goes on, and readers are answered") {
  AdminRig admin(1);
  TcpProxy nobody(admin.rig.broker.port());
  nobody.silence();
  const auto add = [&](int number) {
    const Json manifest = {{"name", "a" + std::to_string(number)},
                           {"model", "UC20"},
                           {"from", kFrom},
                           {"to", kTo},
                           {"size", 1000},
                           {"sha256", std::string(63, 'a') + std::to_string(number)},
                           {"url", "http://127.0.0.1:" + std::to_string(nobody.port()) + "/a"}};
    return std::make_unique<Process>(
        std::vector<std::string>{"curl", "-q", "-sS", "--noproxy", "*", "-w", "%{http_code}", "-H", admin.bearer(),
                                 "-H", "Content-Type: application/json", "--data-binary", manifest.dump(),
                                 admin.url("/api/v1/commands/artifact_add")});
  };
  std::vector<std::unique_ptr<Process>> calls;
  for (int i = 0; i < 4; ++i) calls.push_back(add(i));
  const auto told = [&] {
    return std::count_if(calls.begin(), calls.end(), [](const auto& call) { return !call->out().empty(); });
  };
  const auto watchdog = std::chrono::steady_clock::now() + kWatchdog;
  while (told() == 0 && std::chrono::steady_clock::now() < watchdog) CHECK(admin.get("/healthz").status == 200);
  REQUIRE(told() == 1);
  for (const auto& call : calls) {
    if (call->out().empty()) continue;
    CHECK(call->wait() == 0);
    CHECK(call->out().find("going_on") != std::string::npos);
    CHECK(call->out().ends_with("202"));
  }
  CHECK(admin.rig.gateway().terminate() == 0);  // nobody waits for them any longer
}

TEST_CASE("an artifact that is put is in the catalog, and modules are brought to its version") {
  AdminRig admin(1);
  auto& rig = admin.rig;
  const std::string file = rig.dir() / "delta.bin";
  const auto path = "/api/v1/artifacts/a12.bin?model=UC20&from=" + kFrom + "&to=" + kTo;
  const auto put = [&](const std::string& to) { return curl(admin.url(to), {"-H", admin.bearer(), "-T", file}); };
  CHECK(put(path + "&sha256=" + std::string(64, '0')).json()["error"]["code"] == "artifact_hash_mismatch");
  CHECK(put("/api/v1/artifacts/.hidden?model=UC20").status == 400);
  CHECK(put("/api/v1/artifacts/a12.bin?model=UC20").json()["error"]["code"] == "invalid");
  CHECK(std::filesystem::is_empty(rig.dir() / "state/incoming"));
  const auto added = put(path + "&notes=fixes%20the%20clock&from_released=2026-01-02&released=2026-03-04");
  INFO(added.body);
  CHECK(added.status == 200);
  CHECK(added.json()["data"]["sha256"] == rig.sha256);
  const auto list = admin.read("/api/v1/artifacts");
  REQUIRE(list["artifacts"].size() == 1);
  CHECK(list["artifacts"][0]["notes"] == "fixes the clock");
  CHECK(list["artifacts"][0]["released"] == Json({{"from", "2026-01-02"}, {"to", "2026-03-04"}}));
  CHECK(std::filesystem::is_empty(std::filesystem::path(list["incoming"].get<std::string>())));
  admin.command("update", {{"job", "day"}, {"modules", "all"}, {"target", kTo}});
  CHECK(rig.finish("day")["state"] == "succeeded");
}

TEST_CASE("health says whether the loop turns, readiness what is missing") {
  auto options = AdminRig::options(1);
  options.proxy = true;
  AdminRig admin(options);
  CHECK(admin.read("/healthz")["checks"]["loop"]["ok"] == true);
  CHECK(admin.read("/readyz")["status"] == "ok");
  admin.rig.proxy->refuse();
  admin.rig.proxy->reset();
  const auto watchdog = std::chrono::steady_clock::now() + kWatchdog;
  CurlReply ready = admin.get("/readyz");
  while (ready.status == 200 && std::chrono::steady_clock::now() < watchdog) ready = admin.get("/readyz");
  CHECK(ready.status == 503);
  const auto document = ready.json();
  CHECK(document["status"] == "failing");
  CHECK(document["checks"]["broker"]["ok"] == false);
  CHECK(document["checks"]["journal"]["ok"] == true);
  CHECK(document["checks"]["http"]["ok"] == true);
  CHECK(admin.get("/healthz").status == 200);
}

TEST_CASE("fifty streams that nobody reads are no hindrance") {
  AdminRig admin(4);
  auto& rig = admin.rig;
  std::vector<std::unique_ptr<Process>> stalled;
  for (int i = 0; i < 50; ++i) {
    stalled.push_back(std::make_unique<Process>(
        std::vector<std::string>{"curl", "-q", "-sS", "-N", "--noproxy", "*", admin.url("/api/v1/events")}));
    REQUIRE(stalled.back()->wait_for_out("event: snapshot"));
    stalled.back()->signal(SIGSTOP);
  }
  rig.accept(rig.job("night"));
  CHECK(rig.finish("night")["state"] == "succeeded");
  CHECK(admin.read("/api/v1/jobs")["jobs"][0]["state"] == "succeeded");
  for (const auto& stream : stalled) {
    stream->signal(SIGCONT);
    stream->kill();
  }
}

TEST_CASE("a gateway that is stopped while streams are told things ends well") {
  AdminRig admin(2);
  auto& rig = admin.rig;
  for (int i = 0; i < 3; ++i) {
    std::vector<std::unique_ptr<Process>> streams;
    for (int stream = 0; stream < 8; ++stream) {
      streams.push_back(std::make_unique<Process>(
          std::vector<std::string>{"curl", "-q", "-sS", "-N", "--noproxy", "*", admin.url("/api/v1/events")}));
      REQUIRE(streams.back()->wait_for_out("event: snapshot"));
    }
    CHECK(rig.gateway().terminate() == 0);
    rig.start_gateway();
  }
}

TEST_CASE("a port that is taken, and a token file that cannot be, end the gateway at its start") {
  auto options = AdminRig::options(1);
  options.start = false;
  Rig rig(options);
  options.settings["admin.listen"] = "\"127.0.0.1:" + std::to_string(rig.broker.port()) + "\"";
  rig.write_config(options.settings);
  rig.start_gateway({}, true);
  CHECK(rig.gateway().wait() == 3);
  CHECK(rig.gateway().err().find("admin.listen") != std::string::npos);
}
