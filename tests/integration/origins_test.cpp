// Origins that misbehave, each a real server on loopback, under the real gateway: each has its word in the reply to
// artifact_add, on the error topic of a job and in its result; no module is told of what they brought, and the next
// good delta goes through. And one that behaves: fetched once, for however many modules and jobs.
#include <doctest/doctest.h>

#include <memory>

#include "tests/support/deltas.hpp"
#include "tests/support/fetch_fixture.hpp"

using namespace dfota::test;
using Json = nlohmann::json;

namespace {

const std::string kBody(20000, 'x'), kPage = "<!DOCTYPE html><html><body>Please log in</body></html>";

std::string head_of(std::size_t length, const std::string& more = {}) {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(length) + "\r\n" + more + "\r\n";
}

struct BadOrigin {
  const char* name;
  ScriptedOrigin::Play play;
  const char* word;
  const char* told;  ///< in its message
  std::size_t size = kBody.size();
};

ScriptedOrigin::Play says(std::string text) {
  return [text = std::move(text)](int socket, const std::string&) { send_all(socket, text); };
}

void drip(int socket, const std::string&) {
  send_all(socket, head_of(kBody.size()));
  for (const char byte : kBody) {
    if (!send_all(socket, std::string(1, byte))) return;
    std::this_thread::sleep_for(100ms);  // its habit; nothing waits for it
  }
}

void stall(int socket, const std::string&) {
  send_all(socket, head_of(kBody.size()) + kBody.substr(0, 1000));
  wait_for_end(socket);
}

std::vector<BadOrigin> bad_origins() {
  return {
      {"cuts", says(head_of(kBody.size()) + kBody.substr(0, 9000)), "artifact_unavailable", "cut"},
      {"stalls", stall, "artifact_unavailable", "slow"},
      {"drips", drip, "artifact_unavailable", "slow"},
      {"promises-more", says(head_of(kBody.size() + 10) + kBody), "artifact_unavailable", "cut"},
      {"promises-less", says(head_of(kBody.size() - 10) + kBody), "artifact_hash_mismatch", "size"},
      {"sends-more", says(head_of(kBody.size()) + kBody), "artifact_hash_mismatch", "size", kBody.size() - 1},
      {"is-not-there", says("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"), "artifact_unavailable", "404"},
      {"is-a-page", says(head_of(kPage.size(), "Content-Type: text/html\r\n") + kPage), "artifact_hash_mismatch",
       "HTML", kPage.size()},
      {"redirects", says(redirect("/delta.bin")), "artifact_unavailable", "redirect"},
      {"is-another", says(head_of(kBody.size()) + kBody), "artifact_hash_mismatch", "sha256"},
  };
}

/// A hash that nothing here has, another one for each.
std::string some_hash(std::size_t i) {
  return std::string(63, 'a') + "0123456789abcdef"[i];
}

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("each bad origin has its word, in the reply and on the error topic; nothing of it is ever served") {
  const auto bad = bad_origins();
  const auto count = static_cast<int>(bad.size());
  RigOptions options;
  options.rack.modules = count + 1;
  Rig rig(options);
  std::vector<std::unique_ptr<ScriptedOrigin>> origins;
  for (std::size_t i = 0; i < bad.size(); ++i) {
    origins.push_back(std::make_unique<ScriptedOrigin>(bad[i].play));
    auto job = rig.job(bad[i].name, {Rig::m(static_cast<int>(i))});
    job["artifact"] = {{"url", origins.back()->url()}, {"sha256", some_hash(i)}, {"size", bad[i].size}};
    rig.accept(job);
  }
  // While they do their worst, a good one goes through.
  rig.accept(rig.job("good", {Rig::m(count)}));
  CHECK(rig.finish("good")["state"] == "succeeded");
  for (std::size_t i = 0; i < bad.size(); ++i) {
    CAPTURE(bad[i].name);
    const auto module = Rig::m(static_cast<int>(i));
    CHECK(rig.finish(bad[i].name)["state"] == "rejected");
    const auto error = rig.result(module)["error"];
    CHECK(error["code"] == bad[i].word);
    CHECK_MESSAGE(holds(error["message"], bad[i].told), error["message"]);
    REQUIRE(rig.errors(module).size() == 1);
    CHECK(rig.errors(module)[0].first == std::string("gateway/") + bad[i].word);
  }
  for (std::size_t i = 0; i < bad.size(); ++i) {
    const Json manifest = {{"name", bad[i].name},
                           {"model", "UC20"},
                           {"from", kFrom},
                           {"to", kTo},
                           {"size", bad[i].size},
                           {"sha256", some_hash(i)},
                           {"url", origins[i]->url()},
                           {"transaction", bad[i].name}};
    rig.observer.publish(rig.topic("cmd/artifact_add"), manifest.dump());
  }
  const auto replies_topic = rig.topic("rsp/artifact_add");
  rig.wait_until(
      [&](const std::vector<dfota::MqttMessage>& messages) {
        return std::count_if(messages.begin(), messages.end(),
                             [&](const auto& message) { return message.topic == replies_topic; }) == count;
      },
      "the replies to artifact_add", kJobWatchdog);
  for (const auto& reply : rig.published(replies_topic)) {
    const auto one =
        std::find_if(bad.begin(), bad.end(), [&](const auto& row) { return reply["transaction"] == row.name; });
    REQUIRE(one != bad.end());
    CAPTURE(one->name);
    CHECK(reply["error"]["code"] == one->word);
  }
  for (const auto& row : bad) CHECK_FALSE(rig.published(rig.topic(std::string("error/gateway/") + row.word)).empty());
  CHECK(rig.request("artifact_list", Json::object())["data"]["artifacts"].empty());
  rig.rack.stop();
  for (int i = 0; i < count; ++i) CHECK(rig.rack.qfotadl(Rig::m(i)) == 0);
}

TEST_CASE("no room on the disk: no_space, and what is small enough still goes through") {
  RigOptions options;
  options.rack.modules = 2;
  options.delta_bytes = 8 << 20;
  options.wrapper = {"prlimit", "--fsize=4194304"};  // of one file
  Rig rig(options);
  rig.accept(rig.job("large", {"m0"}));
  CHECK(rig.finish("large")["state"] == "rejected");
  CHECK(rig.result("m0")["error"]["code"] == "no_space");
  REQUIRE(rig.errors("m0").size() == 1);
  CHECK(rig.errors("m0")[0].first == "gateway/no_space");
  add(rig, {"small.bin", kFrom, kTo});
  rig.accept({{"job", "small"}, {"modules", {"m1"}}, {"artifact", {{"name", "small.bin"}}}, {"allow_downgrade", true}});
  CHECK(rig.finish("small")["state"] == "succeeded");
}

TEST_CASE("50 modules and five jobs on one artifact: one transfer") {
  RigOptions options;
  options.rack.modules = 50;
  options.rack.speed = 60;
  options.settings = {{"limits.downloads", "50"}};
  Rig rig(options);
  for (int j = 0; j < 5; ++j) {
    Json modules = Json::array();
    for (int i = 0; i < 10; ++i) modules.push_back(Rig::m(10 * j + i));
    rig.accept(rig.job("shelf-" + std::to_string(j), modules));
  }
  for (int j = 0; j < 5; ++j) CHECK(rig.finish("shelf-" + std::to_string(j))["state"] == "succeeded");
  CHECK(rig.origin.requests(kDelta) == 1);
}
