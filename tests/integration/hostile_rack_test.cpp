// A rack of twelve modules that all misbehave, three attempts each: twelve right outcomes, the right number of
// AT+QFOTADL for each, and not a byte to any of them while it flashed.
#include <doctest/doctest.h>

#include "tests/support/rig.hpp"

using namespace dfota::test;
using Json = nlohmann::json;

namespace {

struct Hostile {
  const char* fault;
  const char* outcome;
  int commands;                     ///< AT+QFOTADL
  std::vector<std::string> errors;  ///< the topics behind error/, in their order
  std::vector<std::string> warnings{};
};

const std::vector<Hostile> kHostile = {
    {"refuse=error", "failed", 1, {"gateway/at_error"}},
    {"no-start", "failed", 3, {"gateway/start_timeout", "gateway/start_timeout", "gateway/start_timeout"}},
    {"stall=40", "lost", 1, {"gateway/update_timeout"}},
    {"end=505", "failed", 1, {"5xx/505"}},
    {"keep-old", "failed", 1, {"gateway/target_mismatch"}},
    {"lost-end", "succeeded", 1, {}, {"end_not_seen"}},
    {"httpend=703,times=2", "succeeded", 3, {"7xx/703", "7xx/703"}},
    {"httpend=711", "failed", 1, {"7xx/711"}},
    {"hangup-download=50,once", "succeeded", 1, {}},
    {"version=UC20GQBR03A10E1G", "rejected", 0, {"gateway/base_mismatch"}},
    {"httpend=608", "failed", 1, {"6xx/608"}},
    {"no-return", "lost", 1, {"gateway/update_timeout"}},
};

}  // namespace

TEST_CASE("twelve hostile modules: twelve right outcomes") {
  const int count = static_cast<int>(kHostile.size());
  RigOptions options;
  options.rack.modules = count;
  for (int i = 0; i < count; ++i)
    options.rack.faults.push_back(Rig::m(i) + ":" + kHostile[static_cast<std::size_t>(i)].fault);
  options.delta_bytes = 1 << 20;  // more than sockets hold, so that half of it is half of it
  // No silence is as long as progress_gap here: not even the one bare AT of law 3 is due.
  options.settings = {{"timeouts.start", "8"}, {"timeouts.progress_gap", "600"}, {"timeouts.update", "60"}};
  Rig rig(options);
  auto job = rig.job("hostile");
  job["attempts"] = 3;
  rig.accept(job);
  const auto last = rig.finish("hostile");
  CHECK(last["state"] == "partial");
  rig.rack.stop();
  for (int i = 0; i < count; ++i) {
    const auto& expected = kHostile[static_cast<std::size_t>(i)];
    const auto module = Rig::m(i);
    CAPTURE(module);
    CAPTURE(expected.fault);
    const auto results = rig.results(module);
    REQUIRE(results.size() == 1);
    CHECK(results[0]["outcome"] == expected.outcome);
    CHECK(results[0]["attempts"] == expected.commands);
    CHECK(results[0]["warnings"] == Json(expected.warnings));
    CHECK(last["modules"][module] == expected.outcome);
    CHECK(rig.rack.qfotadl(module) == expected.commands);
    CHECK(rig.rack.written_while_flashing(module).empty());
    std::vector<std::string> errors;
    for (const auto& [topic, error] : rig.errors(module)) {
      errors.push_back(topic);
      const bool last_one = errors.size() == expected.errors.size();
      const bool ends_it = last_one && std::string(expected.outcome) != "succeeded";
      CHECK(error["next_attempt_at"].is_null() == ends_it);
    }
    CHECK(errors == expected.errors);
    if (std::string(expected.outcome) == "lost") {
      CHECK(results[0]["error"]["message"].get<std::string>().find("the last that was heard") != std::string::npos);
    }
  }
}
