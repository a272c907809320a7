// Every code of the guide's two tables, and an FTP code under HTTPEND: published once, on its topic, in the guide's
// words. The table is written here a second time on purpose: from the guide, not from the program.
#include <doctest/doctest.h>

#include "tests/support/rig.hpp"

using namespace dfota::test;
using Json = nlohmann::json;

namespace {

struct Code {
  int number;
  const char* meaning;
};

constexpr Code kFtpCodes[] = {
    {601, "Unknown error"},
    {602, "FTP service blocked"},
    {603, "FTP service busy"},
    {604, "DNS parse fail"},
    {605, "Network error"},
    {606, "Control connection closed"},
    {607, "Data connection closed"},
    {608, "Socket closed by peer"},
    {609, "Timeout error"},
    {610, "Invalid parameter"},
    {611, "Failed to open file"},
    {612, "File position invalid"},
    {613, "File error"},
    {614, "Service not available, closing control connection"},
    {615, "Open data connection fail"},
    {616, "Connection closed; transfer aborted"},
    {617, "Requested file action not taken"},
    {618, "Requested action aborted: local error in processing"},
    {619, "Requested action not taken: insufficient system storage"},
    {620, "Syntax error, command unrecognized"},
    {621, "Syntax error in parameters or arguments"},
    {622, "Command not implemented"},
    {623, "Bad sequence of commands"},
    {624, "Command parameter not implemented"},
    {625, "Fail to login FTP"},
    {626, "Need account for storing files"},
    {627, "Requested action not taken."},
    {628, "Requested action aborted: page type unknown"},
    {629, "Requested file action aborted"},
    {630, "Requested file name invalid"},
};

constexpr Code kCodes[] = {
    {701, "HTTP unknown error"},
    {702, "HTTP timeout"},
    {703, "HTTP busy"},
    {704, "HTTP UART busy"},
    {705, "HTTP does not get/post request"},
    {706, "HTTP network busy"},
    {707, "HTTP network open failure"},
    {708, "HTTP network not configured"},
    {709, "HTTP network deactivated"},
    {710, "HTTP network error"},
    {711, "HTTP URL error"},
    {712, "HTTP empty URL"},
    {713, "HTTP IP address error"},
    {714, "HTTP DNS error"},
    {715, "HTTP socket create error"},
    {716, "HTTP socket connect error"},
    {717, "HTTP socket read error"},
    {718, "HTTP socket write error"},
    {719, "HTTP socket close"},
    {720, "HTTP data encode error"},
    {721, "HTTP data decode error"},
    {722, "HTTP read timeout"},
    {723, "HTTP response failure"},
    {724, "Incoming call busy"},
    {725, "Voice call busy"},
    {726, "Input timeout"},
    {727, "Wait for data timeout"},
    {728, "HTTP response timeout"},
    {729, "Allocate memory failure"},
    {730, "Invalid parameter"},
    {608, "Socket closed by peer"},
};
constexpr int kCount = static_cast<int>(std::size(kCodes));

void check_code(Rig& rig, int index, const Code& code, const char* source, const Json& last) {
  const auto module = Rig::m(index);
  CAPTURE(code.number);
  const auto results = rig.results(module);
  REQUIRE(results.size() == 1);
  CHECK(results[0]["outcome"] == "failed");
  CHECK(results[0]["attempts"] == 1);
  CHECK(results[0]["version"] == kFrom);
  CHECK(results[0]["error"]["code"] == code.number);
  CHECK(last["modules"][module] == "failed");

  const auto errors = rig.errors(module);
  REQUIRE(errors.size() == 1);
  const auto& [topic, error] = errors[0];
  CHECK(topic == std::to_string(code.number / 100) + "xx/" + std::to_string(code.number));
  CHECK(error["code"] == code.number);
  CHECK(error["class"] == std::to_string(code.number / 100) + "xx");
  CHECK(error["source"] == source);
  CHECK(error["meaning"] == code.meaning);
  CHECK_FALSE(error["name"].get<std::string>().empty());
  CHECK_FALSE(error["hint"].get<std::string>().empty());
  CHECK(error["phase"] == "downloading");
  CHECK(error["job"] == "codes");
  CHECK(error["run"] == 1);
  CHECK(error["module"] == module);
  CHECK(error["attempt"] == 1);
  CHECK(error["retryable"].is_boolean());
  CHECK(error["next_attempt_at"].is_null());
  CHECK(error["gateway"] == "t");
  CHECK(error["seq"].get<std::uint64_t>() < results[0]["seq"].get<std::uint64_t>());
  CHECK(rig.rack.qfotadl(module) == 1);
  CHECK(rig.rack.version(module) == kFrom);
}

}  // namespace

TEST_CASE("701 to 730, and 608 under HTTPEND, are each published once with the guide's meaning") {
  RigOptions options;
  options.rack.modules = kCount;
  for (int i = 0; i < kCount; ++i) {
    options.rack.faults.push_back(Rig::m(i) + ":httpend=" + std::to_string(kCodes[i].number));
  }
  Rig rig(options);
  rig.accept(rig.job("codes"));
  const auto last = rig.finish("codes");
  CHECK(last["state"] == "failed");
  CHECK(last["counts"]["failed"] == kCount);
  rig.rack.stop();
  for (int i = 0; i < kCount; ++i) check_code(rig, i, kCodes[i], "http", last);
}

TEST_CASE("601 to 630 are each published once with the guide's meaning") {
  constexpr int kCount = static_cast<int>(std::size(kFtpCodes));
  RigOptions options;
  options.rack.modules = kCount;
  for (int i = 0; i < kCount; ++i) {
    options.rack.faults.push_back(Rig::m(i) + ":ftpend=" + std::to_string(kFtpCodes[i].number));
  }
  Rig rig(options);
  auto job = rig.job("codes");
  job.erase("artifact");
  job["delivery"] = "url";
  job["url"] = "FTP://user:secret@127.0.0.1:2121/delta.bin";
  rig.accept(job);
  const auto last = rig.finish("codes");
  CHECK(last["state"] == "failed");
  CHECK(last["counts"]["failed"] == kCount);
  rig.rack.stop();
  for (int i = 0; i < kCount; ++i) check_code(rig, i, kFtpCodes[i], "ftp", last);
}

TEST_CASE("codes of no table are published under their number, whichever it is") {
  RigOptions options;
  options.rack.modules = 4;
  options.rack.faults = {"m0:httpend=12", "m1:httpend=420", "m2:httpend=70000", "m3:ftpend=609"};
  Rig rig(options);
  rig.accept(rig.job("odd"));
  CHECK(rig.finish("odd")["state"] == "failed");
  const char* topics[] = {"0xx/12", "4xx/420", "other/70000", "6xx/609"};
  for (int i = 0; i < 4; ++i) {
    const auto errors = rig.errors(Rig::m(i));
    REQUIRE(errors.size() == 1);
    CHECK(errors[0].first == topics[i]);
    CHECK(errors[0].second["source"] == (i == 3 ? "ftp" : "http"));
    CHECK_FALSE(errors[0].second["meaning"].get<std::string>().empty());
  }
  rig.rack.stop();
  for (int i = 0; i < 4; ++i) CHECK(rig.rack.qfotadl(Rig::m(i)) == 1);
}
