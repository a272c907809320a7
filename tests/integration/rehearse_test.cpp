// cmd/rehearse with the real programs: modules that really fetch the gateway's file, and what is told of those that
// cannot. AT+QFOTADL is never sent.
#include <doctest/doctest.h>

#include "tests/support/rig.hpp"

using namespace dfota::test;
using Json = Rig::Json;

namespace {

Json rehearse(Rig& rig, const Json& order) {
  const auto reply = rig.request("rehearse", order);
  REQUIRE_MESSAGE(reply["status"] == "ok", reply.dump());
  return reply["data"];
}

Json rehearse(Rig& rig, int module) {
  return rehearse(rig, {{"module", Rig::m(module)}});
}

constexpr int kBytes = 32768;

}  // namespace

TEST_CASE("a module fetches the file: that it reaches the gateway, how fast, and how long a delta would take") {
  Rig rig(rack_of(3, {"m1:client=slow:20000", "m2:split-writes", "m2:client=chunks"}));
  const auto data = rehearse(rig, {{"module", "m0"}, {"size", 10 * kBytes}});
  CHECK(data["error"].is_null());
  CHECK(data["reached"] == true);
  CHECK(data["http_status"] == 200);
  CHECK(data["bytes"] == kBytes);
  CHECK(data["total_bytes"] == kBytes);
  CHECK(data["size"] == 10 * kBytes);
  REQUIRE(data["eta_s"].is_number());
  CHECK(data["eta_s"].get<double>() == doctest::Approx(10 * data["duration_s"].get<double>()));
  CHECK(data["url"] == "http://127.0.0.1:" + std::to_string(rig.http_port()));
  const auto slow = rehearse(rig, 1);
  CHECK(slow["error"].is_null());
  CHECK(slow["bytes_per_second"].get<double>() < 3 * 20000);
  CHECK(slow["eta_s"].is_null());
  const auto uneven = rehearse(rig, 2);
  CHECK(uneven["error"].is_null());
  CHECK(uneven["bytes"] == kBytes);
  const auto got = rig.rack.events("m0", "http_get");
  REQUIRE(got.size() == 1);
  CHECK(got[0]["bytes"] == kBytes);
  rig.accept(rig.job("after"));
  CHECK(rig.finish("after")["state"] == "succeeded");
  rig.rack.stop();
  for (int i = 0; i < 3; ++i) CHECK(rig.rack.qfotadl(Rig::m(i)) == 1);
}

TEST_CASE("what stops a download is told before it can break anything") {
  auto options = rack_of(7, {"m0:no-pdp", "m1:unregistered", "m2:httpend=716", "m3:httpend-after=50:722", "m4:sim=pin",
                             "m5:no-request", "m6:no-answer"});
  options.absent = 1;
  Rig rig(options);
  const auto code = [&](const Json& data) { return data["error"]["code"]; };
  CHECK(code(rehearse(rig, 0)) == "no_pdp_context");
  CHECK(code(rehearse(rig, 1)) == "not_registered");
  const auto refused = rehearse(rig, 2);
  CHECK(code(refused) == 716);
  CHECK(refused["error"]["class"] == "7xx");
  CHECK(refused["error"]["source"] == "http");
  CHECK(refused["reached"] == false);
  CHECK(refused["bytes"] == 0);
  const auto half = rehearse(rig, 3);
  CHECK(code(half) == 722);
  CHECK(half["reached"] == true);
  CHECK(half["bytes"] < kBytes);
  CHECK(half["duration_s"].is_null());
  CHECK(code(rehearse(rig, 4)) == "sim_not_ready");
  const auto deaf = rehearse(rig, 5);
  CHECK(code(deaf) == 702);
  CHECK(deaf["error"]["message"] == "no request of the module has reached the file server");
  CHECK(code(rehearse(rig, 6)) == "no_answer");
  CHECK(code(rehearse(rig, {{"module", "absent-0"}})) == "absent");
  rig.rack.stop();
  for (int i = 0; i < 7; ++i) CHECK(rig.rack.qfotadl(Rig::m(i)) == 0);
}

TEST_CASE("a module that works or is released is left alone; what cannot be meant is refused with its place") {
  Rig rig(rack_of(2, {"m0:client=slow:20000"}));
  const auto refused = [&](const Json& order, const std::string& code, const std::string& pointer) {
    const auto reply = rig.request("rehearse", order);
    CHECK(reply["error"]["code"] == code);
    CHECK(reply["error"]["pointer"] == pointer);
  };
  rig.accept(rig.job("j", {"m0"}));
  REQUIRE(rig.rack.wait_for("m0", "http_request"));
  refused({{"module", "m0"}}, "updating", "/module");
  refused({{"module", "m7"}}, "unknown_module", "/module");
  refused({{"module", "a/b"}}, "invalid", "/module");
  refused(Json::object(), "invalid", "/module");
  refused({{"module", "m1"}, {"size", 0}}, "invalid", "/size");
  refused({{"module", "m1"}, {"size", "1M"}}, "invalid", "/size");
  refused({{"module", "m1"}, {"bytes", 1}}, "unknown_key", "/bytes");
  REQUIRE(rig.request("release", {{"module", "m1"}})["status"] == "ok");
  const auto released = rehearse(rig, 1);
  CHECK(released["error"]["code"] == "released");
  CHECK(released["reached"] == false);
  CHECK(rig.finish("j")["state"] == "succeeded");
}
