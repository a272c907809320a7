// Artifacts of a real gateway: added by URL, by a file that is dropped and by dfota; listed, kept over a restart,
// removed; and what is wrong with one said in the reply and on the error topic, while the gateway goes on.
#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <future>

#include "tests/support/fetch_fixture.hpp"
#include "tests/support/minisign_signer.hpp"
#include "tests/support/rig.hpp"

using namespace dfota;
using namespace dfota::test;
using Json = nlohmann::json;

namespace {

const std::string kBytes(100000, 'd'), kOther(70000, 'o');

Json manifest_of(const std::string& name, const std::string& bytes, const std::string& to = kTo) {
  return {{"name", name}, {"model", "UC20"},      {"from", kFrom},
          {"to", to},     {"size", bytes.size()}, {"sha256", hash_of(bytes)}};
}

Json by_url(const std::string& name, const std::string& bytes, const std::string& url) {
  auto manifest = manifest_of(name, bytes);
  manifest["url"] = url;
  return manifest;
}

void write(const std::string& file, const std::string& text) {
  std::ofstream(file, std::ios::binary) << text;
}

/// Signed as `jq -c '{model,from,to,sha256}'` and minisign would.
std::string signature_of(const Signer& signer, const std::string& bytes, const Json& manifest) {
  nlohmann::ordered_json said;
  for (const auto* key : {"model", "from", "to", "sha256"}) said[key] = manifest[key];
  return signer.sign(bytes, said.dump());
}

std::vector<std::string> names_of(const Json& list) {
  std::vector<std::string> names;
  for (const auto& row : list["data"]["artifacts"]) names.push_back(row["name"]);
  return names;
}
using Names = std::vector<std::string>;

void wait_for_artifact(Rig& rig, const std::string& name) {
  const auto watchdog = std::chrono::steady_clock::now() + kWatchdog;
  for (;;) {
    const auto names = names_of(rig.request("artifact_list", Json::object()));
    if (std::find(names.begin(), names.end(), name) != names.end()) return;
    REQUIRE(std::chrono::steady_clock::now() < watchdog);
  }
}

/// Refused with this code, which is told on the error topic, too.
void check_refused(Rig& rig, const Json& manifest, const std::string& code) {
  const auto topic = rig.topic("error/gateway/" + code);
  const auto before = rig.published(topic).size();
  const auto reply = rig.request("artifact_add", manifest);
  CAPTURE(manifest.dump());
  CAPTURE(reply.dump());
  CHECK(reply["status"] == "error");
  CHECK(reply["error"]["code"] == code);
  const auto told = [&](const std::vector<MqttMessage>& messages) {
    const auto on_topic = [&](const MqttMessage& message) { return message.topic == topic; };
    return static_cast<std::size_t>(std::count_if(messages.begin(), messages.end(), on_topic)) > before;
  };
  rig.wait_until(told, "the error topic");
}

Process dfota_of(Rig& rig, std::vector<std::string> words) {
  std::vector<std::string> argv = {DFOTA_BINARY_DIR "/dfota", "--broker", rig.broker.uri(), "--gateway", "t"};
  argv.insert(argv.end(), words.begin(), words.end());
  return Process(std::move(argv));
}

}  // namespace

TEST_CASE("by URL: added, listed, there after a restart, used by nobody, removed") {
  Rig rig(RigOptions{});
  const auto manifest = by_url("new.bin", kBytes, rig.origin.url("/new.bin?key=secret"));
  rig.origin.serve("/new.bin?key=secret", kBytes);
  for (int i = 0; i < 2; ++i) {
    const auto added = rig.request("artifact_add", manifest);
    CHECK(added["status"] == "ok");
    CHECK(added["data"]["name"] == "new.bin");
  }
  rig.gateway().terminate();
  rig.start_gateway();
  const auto list = rig.request("artifact_list", Json::object());
  REQUIRE(names_of(list) == Names{"new.bin"});
  const auto& row = list["data"]["artifacts"][0];
  CHECK(row["present"] == true);
  CHECK(row["used_at"].is_string());
  CHECK(row["sha256"] == hash_of(kBytes));
  CHECK(row["url"].get<std::string>().find("secret") == std::string::npos);
  CHECK(list["data"]["next"] == nullptr);
  CHECK(list["data"]["used_bytes"] >= kBytes.size());
  CHECK(rig.origin.requests("/new.bin?key=secret") == 1);
  CHECK(rig.request("artifact_remove", {{"name", "new.bin"}})["status"] == "ok");
  CHECK(names_of(rig.request("artifact_list", Json::object())).empty());
  CHECK(rig.request("artifact_remove", {{"name", "new.bin"}})["error"]["code"] == "unknown_artifact");
  CHECK_FALSE(std::filesystem::exists(rig.dir() / ("state/artifacts/" + hash_of(kBytes))));
}

TEST_CASE("the list comes page by page") {
  Rig rig(RigOptions{});
  rig.origin.serve("/f", kBytes);
  for (const auto* name : {"a.bin", "b.bin", "c.bin"}) {
    REQUIRE(rig.request("artifact_add", by_url(name, kBytes, rig.origin.url("/f")))["status"] == "ok");
  }
  const auto first = rig.request("artifact_list", {{"limit", 2}});
  CHECK(names_of(first) == Names{"a.bin", "b.bin"});
  const auto last = rig.request("artifact_list", {{"limit", 2}, {"after", first["data"]["next"]}});
  CHECK(names_of(last) == Names{"c.bin"});
  CHECK(last["data"]["next"] == nullptr);
  CHECK(rig.request("artifact_list", {{"after", "../x"}})["error"]["pointer"] == "/after");
}

TEST_CASE("a file dropped with its manifest is taken; a wrong one is told once and set aside") {
  Rig rig(RigOptions{});
  const auto incoming = rig.dir() / "state/incoming";
  write(incoming + "/drop.bin", kBytes);
  write(incoming + "/drop.bin.json", manifest_of("drop.bin", kBytes).dump());
  wait_for_artifact(rig, "drop.bin");
  write(incoming + "/wrong.bin", kBytes);
  auto wrong = manifest_of("wrong.bin", kBytes);
  wrong["sha256"] = std::string(64, 'a');
  write(incoming + "/wrong.bin.json", wrong.dump());
  rig.observer.wait_for_topic(rig.topic("error/gateway/artifact_hash_mismatch"));
  write(incoming + "/after.bin", kOther);
  write(incoming + "/after.bin.json", manifest_of("after.bin", kOther).dump());
  wait_for_artifact(rig, "after.bin");
  CHECK(std::filesystem::exists(incoming + "/wrong.bin.json.rejected"));
  CHECK_FALSE(std::filesystem::exists(incoming + "/drop.bin"));
  CHECK(rig.published(rig.topic("error/gateway/artifact_hash_mismatch")).size() == 1);
}

TEST_CASE("dfota artifact: a file of the gateway's host, one by URL, the list, one removed") {
  Rig rig(RigOptions{});
  const auto file = rig.dir() / "laptop.bin";
  write(file, kBytes);
  const std::vector<std::string> what = {"--model", "UC20", "--from", kFrom, "--to", kTo};
  const auto add = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {"artifact", "add"});
    words.insert(words.end(), what.begin(), what.end());
    return words;
  };
  auto added = dfota_of(rig, add({file, "--released", "2024-05-01"}));
  CHECK(added.wait() == 0);
  CHECK(added.out() == "artifact laptop.bin: added, 100000 bytes, sha256 " + hash_of(kBytes) + "\n");
  CHECK(std::filesystem::is_empty(rig.dir() / "state/incoming"));
  rig.origin.serve("/url.bin", kOther);
  auto by_url =
      dfota_of(rig, add({"--url", rig.origin.url("/url.bin"), "--sha256", hash_of(kOther), "--size", "70000"}));
  CHECK(by_url.wait() == 0);
  auto list = dfota_of(rig, {"artifact", "list"});
  CHECK(list.wait() == 0);
  CHECK(list.out().find("laptop.bin  UC20") != std::string::npos);
  CHECK(list.out().find("url.bin") != std::string::npos);
  CHECK(list.out().find("170000 of 2147483648 bytes used") != std::string::npos);
  auto conflict = dfota_of(rig, add({file, "--name", "url.bin"}));
  CHECK(conflict.wait() == 1);
  CHECK(conflict.err().find("artifact_conflict") != std::string::npos);
  CHECK(std::filesystem::is_empty(rig.dir() / "state/incoming"));
  auto elsewhere = dfota_of(rig, add({file, "--incoming", rig.dir() / "none"}));
  CHECK(elsewhere.wait() == 1);
  CHECK(elsewhere.err().find("not on this host") != std::string::npos);
  auto removed = dfota_of(rig, {"artifact", "remove", "laptop.bin"});
  CHECK(removed.wait() == 0);
  CHECK(names_of(rig.request("artifact_list", Json::object())) == Names{"url.bin"});
}

TEST_CASE("each bad manifest has its word in the reply and on the error topic, and nothing of it gets in") {
  const Signer ours(1), other(2);
  RigOptions options;
  options.settings = {{"artifacts.trusted_keys", "[\"" + ours.public_key() + "\"]"}, {"artifacts.max_bytes", "200000"}};
  Rig rig(options);
  rig.origin.serve("/f", kBytes);
  const auto good = by_url("delta.bin", kBytes, rig.origin.url("/f"));
  const auto with = [&](const std::string& key, const Json& value) {
    auto manifest = good;
    manifest[key] = value;
    return manifest;
  };
  check_refused(rig, with("name", "../delta.bin"), "invalid");
  check_refused(rig, with("name", "/etc/passwd"), "invalid");
  check_refused(rig, with("notse", "x"), "unknown_key");
  check_refused(rig, with("to", kFrom), "invalid");
  check_refused(rig, with("sha256", std::string(64, 'a')), "artifact_hash_mismatch");
  check_refused(rig, with("size", kBytes.size() - 1), "artifact_hash_mismatch");
  check_refused(rig, with("size", kBytes.size() + 1), "artifact_hash_mismatch");
  check_refused(rig, with("size", 300000), "artifact_unavailable");
  check_refused(rig, with("url", rig.origin.url("/none")), "artifact_unavailable");
  check_refused(rig, with("url", "http://127.0.0.1:" + std::to_string(free_port()) + "/"), "artifact_unavailable");
  check_refused(rig, manifest_of("delta.bin", kOther), "artifact_unavailable");
  check_refused(rig, with("signature", "RW..."), "signature_invalid");
  check_refused(rig, with("signature", signature_of(ours, kBytes, with("to", "R13"))), "signature_invalid");
  check_refused(rig, with("signature", signature_of(ours, kOther, good)), "signature_invalid");
  check_refused(rig, with("signature", signature_of(other, kBytes, good)), "signature_unverifiable");
  CHECK(names_of(rig.request("artifact_list", Json::object())).empty());
  const auto signed_well = with("signature", signature_of(ours, kBytes, good));
  CHECK(rig.request("artifact_add", signed_well)["status"] == "ok");
  check_refused(rig, with("to", "R13"), "artifact_conflict");
  CHECK(names_of(rig.request("artifact_list", Json::object())) == Names{"delta.bin"});
}

TEST_CASE("no mix and match: two validly signed deltas with their signatures swapped, both are refused") {
  const Signer ours(1);
  RigOptions options;
  options.settings = {{"artifacts.trusted_keys", "[\"" + ours.public_key() + "\"]"},
                      {"artifacts.require_signature", "true"}};
  Rig rig(options);
  rig.origin.serve("/one", kBytes);
  rig.origin.serve("/two", kOther);
  auto one = by_url("one.bin", kBytes, rig.origin.url("/one")), two = by_url("two.bin", kOther, rig.origin.url("/two"));
  check_refused(rig, one, "signature_unverifiable");
  one["signature"] = signature_of(ours, kBytes, one);
  two["signature"] = signature_of(ours, kOther, two);
  std::swap(one["signature"], two["signature"]);
  check_refused(rig, one, "signature_invalid");
  check_refused(rig, two, "signature_invalid");
  std::swap(one["signature"], two["signature"]);
  CHECK(rig.request("artifact_add", one)["status"] == "ok");
  CHECK(rig.request("artifact_add", two)["status"] == "ok");
}

TEST_CASE("while an origin drips, other commands are answered; the reply comes when it is done") {
  Rig rig(RigOptions{});
  std::promise<void> go_on;
  const std::shared_future<void> may_go_on = go_on.get_future().share();
  ScriptedOrigin slow([&](int socket, const std::string&) {
    const auto all = answer(kBytes);
    send_all(socket, all.substr(0, 1000));
    may_go_on.wait_for(kWatchdog);
    send_all(socket, all.substr(1000));
  });
  rig.observer.publish(rig.topic("cmd/artifact_add"), by_url("slow.bin", kBytes, slow.url()).dump());
  CHECK(rig.request("list", Json::object())["status"] == "ok");
  CHECK(names_of(rig.request("artifact_list", Json::object())).empty());
  CHECK(rig.published(rig.topic("rsp/artifact_add")).empty());
  go_on.set_value();
  const auto reply = rig.observer.wait_for_topic(rig.topic("rsp/artifact_add"));
  REQUIRE(reply.has_value());
  CHECK(Json::parse(reply->payload)["status"] == "ok");
}
