// The flight recorder with the real programs: the dialogue of a failed update over MQTT, by dfota and on the disk; a
// gateway that is killed in the midst of it; and no secret in any of it.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/support/ftp_server.hpp"
#include "tests/support/job_checks.hpp"
#include "tests/support/scripted_gateway.hpp"

using namespace dfota::test;
using Json = nlohmann::json;
namespace fs = std::filesystem;

namespace {

constexpr auto kPassword = "word-of-the-module", kApnPassword = "word-of-the-apn";

std::string on_disk(const Rig& rig, const std::string& job, const std::string& module = "m0") {
  std::ifstream in(rig.dir().path() / "state" / "transcripts" / module / (job + "-1.jsonl"), std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<Json> lines_of(const std::string& text) {
  std::istringstream in(text);
  std::vector<Json> out;
  for (std::string line; std::getline(in, line);) out.push_back(Json::parse(line));
  return out;
}

/// All pages.
std::vector<Json> asked(Rig& rig, Json order) {
  std::vector<Json> out;
  for (;;) {
    const auto reply = rig.request("transcript", order);
    REQUIRE_MESSAGE(reply["status"] == "ok", reply.dump());
    const auto& data = reply["data"];
    if (out.empty()) out.push_back(data["head"]);
    out.insert(out.end(), data["lines"].begin(), data["lines"].end());
    if (data["next"].is_null()) return out;
    order["after"] = data["next"];
  }
}

/// Where the first event stands whose `key` begins so; the number of events when there is none.
std::size_t place(const std::vector<Json>& events, const std::string& key, const std::string& text) {
  const auto found = std::find_if(events.begin(), events.end(), [&](const Json& event) {
    return event.contains(key) && event[key].is_string() && event[key].get<std::string>().starts_with(text);
  });
  return static_cast<std::size_t>(found - events.begin());
}

void check_times(const std::vector<Json>& lines) {
  double last = 0;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    CHECK(lines[i]["t"].get<double>() >= last);
    last = lines[i]["t"];
  }
}

std::string told(const Rig& rig, std::vector<std::string> words, int code) {
  words.insert(words.begin(), "transcript");
  Process process(dfota_call(rig.broker, words, "t"));
  CHECK(process.wait() == code);
  return code == 0 ? process.out() : process.err();
}

}  // namespace

TEST_CASE("a forced 716: what was said, over MQTT, by dfota and on the disk") {
  Rig rig(rack_of(1, {"m0:httpend-after=50:716"}));
  CHECK(rig.request("transcript", {{"module", "m0"}})["error"]["code"] == "unknown_transcript");
  rig.accept(rig.job("j-1"));
  CHECK(rig.finish("j-1")["state"] == "failed");

  const auto lines = asked(rig, {{"module", "m0"}});
  const auto& head = lines.front();
  CHECK(head["transcript"] == 1);
  CHECK(head["module"] == "m0");
  CHECK(head["model"] == "UC20");
  CHECK(head["profile"] == "uc20");
  CHECK(head["job"] == "j-1");
  CHECK(head["run"] == 1);
  CHECK(head["from"] == kFrom);
  CHECK(head["to"] == kTo);
  CHECK(head["delivery"] == "http");
  check_times(lines);
  CHECK(lines[1]["open"] == rig.rack.port(0));
  const auto gsn = place(lines, "cmd", "AT+GSN"), command = place(lines, "cmd", "AT+QFOTADL=\"HTTP://"),
             started = place(lines, "urc", "+QIND: \"FOTA\",\"HTTPSTART\""),
             ended = place(lines, "urc", "+QIND: \"FOTA\",\"HTTPEND\",716");
  REQUIRE(ended < lines.size());
  CHECK(lines[gsn + 1]["line"] == head["imei"]);
  CHECK(lines[gsn + 2]["final"] == "OK");
  CHECK(gsn < command);
  CHECK(command < started);
  CHECK(started < ended);
  CHECK(lines[command]["cmd"].get<std::string>().find("/a/***/") != std::string::npos);
  const auto file = std::find_if(lines.begin(), lines.end(), [](const Json& one) { return one.contains("file"); });
  REQUIRE(file != lines.end());
  CHECK((*file)["file"]["size"] == 65536);
  CHECK(lines[lines.size() - 2]["error"]["code"] == 716);
  CHECK(lines.back()["outcome"] == "failed");

  const auto text = on_disk(rig, "j-1");
  CHECK(lines_of(text) == lines);
  CHECK(told(rig, {"m0", "--json"}, 0) == text);
  CHECK(told(rig, {"m0", "--job", "j-1", "-o", rig.dir() / "out.jsonl"}, 0).empty());
  std::ifstream written(rig.dir() / "out.jsonl", std::ios::binary);
  CHECK(std::string(std::istreambuf_iterator<char>(written), {}) == text);
  const auto shown = told(rig, {"m0"}, 0);
  CHECK(shown.starts_with("module m0, job j-1, run 1: UC20 IMEI "));
  CHECK(shown.find("  >  AT+GSN\n") != std::string::npos);
  CHECK(shown.find("  *  +QIND: \"FOTA\",\"HTTPEND\",716\n") != std::string::npos);
  CHECK(shown.find("  -  error 716 ") != std::string::npos);
  CHECK(shown.ends_with("  -  outcome: failed\n"));
  CHECK(told(rig, {"m0", "--job", "other"}, 1).find("other") != std::string::npos);
  CHECK(told(rig, {"m7"}, 1).find("m7") != std::string::npos);
  CHECK(told(rig, {"m0", "-o", rig.dir() / "no" + "/where"}, 1).find("cannot be written") != std::string::npos);
}

TEST_CASE("killed while its module flashes: the transcript can be read at once, and goes on in the next process") {
  Rig rig(rack_of(1));
  rig.accept(rig.job("night"));
  REQUIRE(rig.rack.wait_for_urc("m0", "UPDATING\",40"));
  rig.gateway().kill();
  const auto half = lines_of(on_disk(rig, "night"));
  CHECK(half.front()["transcript"] == 1);
  CHECK(place(half, "cmd", "AT+QFOTADL") < half.size());
  rig.start_gateway();
  check_succeeded(rig, "night", 1);

  const auto lines = asked(rig, {{"module", "m0"}, {"job", "night"}});
  check_times(lines);
  CHECK(std::equal(half.begin() + 1, half.end(), lines.begin() + 1));  // the head may have learned the model since
  CHECK(lines[half.size()]["closed"] == "the gateway ended");
  const std::vector<Json> rest(lines.begin() + static_cast<std::ptrdiff_t>(half.size()), lines.end());
  CHECK(place(rest, "open", rig.rack.port(0)) < rest.size());
  CHECK(place(rest, "urc", "RDY") < rest.size());
  CHECK(lines.back()["outcome"] == "succeeded");
  CHECK(lines_of(on_disk(rig, "night")) == lines);
}

TEST_CASE("every way of bringing a delta, and no secret of any is recorded") {
  const FtpServer server({.user = "module", .password = kPassword, .extra = "", .start = true});
  auto options = rack_of(2);
  options.settings = {{"ftp.public_url", "\"" + server.url() + "\""},
                      {"ftp.dir", "\"" + server.directory().string() + "\""},
                      {"modem.pdp", std::string("{ cid = 1, apn = \"internet\", user = \"apn-user\", password = \"") +
                                        kApnPassword + "\", auth = 1 }"}};
  Rig rig(options);
  for (const auto* delivery : {"ftp", "upload"}) {
    auto job = rig.job(delivery, {delivery == std::string("ftp") ? "m0" : "m1"});
    job["delivery"] = delivery;
    rig.accept(job);
  }
  for (const auto* delivery : {"ftp", "upload"}) CHECK(rig.finish(delivery)["state"] == "succeeded");
  const auto ftp = asked(rig, {{"module", "m0"}}), upload = asked(rig, {{"module", "m1"}});
  CHECK(ftp[place(ftp, "cmd", "AT+QFOTADL")]["cmd"].get<std::string>().find("://***@") != std::string::npos);
  CHECK(ftp[place(ftp, "cmd", "AT+QICSGP")]["cmd"] == "AT+QICSGP=1,1,\"internet\",\"***\",\"***\",1");
  const auto data = std::find_if(upload.begin(), upload.end(), [](const Json& one) { return one.contains("data"); });
  REQUIRE(data != upload.end());
  CHECK((data - 1)->value("final", "") == "CONNECT");
  CHECK((*data)["data"] == 65536);
  for (const auto& lines : {ftp, upload}) {
    for (const auto* secret : {kPassword, kApnPassword, "apn-user"}) {
      CHECK(Json(lines).dump().find(secret) == std::string::npos);
    }
  }
}
