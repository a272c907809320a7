// A hundred kills at random moments of jobs of six modules: no job is lost, each module has one outcome, none that took
// its update is commanded again, none is spoken to while it flashes.
#include <iostream>
#include <random>

#include "tests/support/survivor.hpp"

using namespace dfota::test;
using Json = nlohmann::json;

namespace {

constexpr int kModules = 6, kKills = 100;

RigOptions six_modules() {
  RigOptions options;
  options.rack.modules = kModules;
  options.rack.faults = {"m1:lost-start", "m2:httpend=703,once", "m3:uart", "m4:client=slow:400000"};
  options.delta_bytes = 512 << 10;
  options.settings = {{"timeouts.progress_gap", "3"}};
  return options;
}

}  // namespace

TEST_CASE("a hundred kills at random") {
  const char* given = std::getenv("DFOTA_SEED");
  const unsigned seed = given != nullptr ? static_cast<unsigned>(std::atoi(given)) : std::random_device{}();
  std::cout << "DFOTA_SEED=" << seed << std::endl;
  std::mt19937 random(seed);
  std::uniform_int_distribution<int> pause_ms(20, 1500);
  int kills = 0, jobs = 0;
  std::size_t results = 0, copies = 0, commands = 0, flashings = 0, asked = 0, undecided = 0;
  while (kills < kKills) {
    Rig rig(six_modules());
    Survivor backend(rig);
    auto job = rig.job("night");
    job["attempts"] = 3;
    REQUIRE(backend.ask("update", job)["status"] == "ok");
    ++jobs;
    const auto last = rig.topic("job/night/state");
    const auto ended = [&](const std::vector<dfota::MqttMessage>& messages) {
      return std::any_of(messages.rbegin(), messages.rend(), [&](const dfota::MqttMessage& message) {
        return message.topic == last && Json::parse(message.payload).contains("seq");
      });
    };
    // When the pause is over without the end of the job, it is time to die; at most so often that it can end.
    constexpr int kKillsAJob = 12;
    for (int n = 0; n < kKillsAJob && kills < kKills; ++n) {
      if (rig.observer.wait_for(ended, std::chrono::milliseconds(pause_ms(random)))) break;
      backend.kill();
      ++kills;
    }
    backend.finish("night");
    backend.drain();
    std::set<std::string> modules;
    for (int i = 0; i < kModules; ++i) modules.insert(Rig::m(i));
    const auto account = backend.check({{{"night", 1}, modules}});
    CHECK(account.outcomes.at("succeeded") + account.undecided == kModules);
    undecided += static_cast<std::size_t>(account.undecided);
    results += account.results;
    copies += account.copies;
    commands += account.commands;
    flashings += account.flashings;
    asked += account.asked_in_danger;
  }
  std::cout << kills << " kills in " << jobs << " jobs of " << kModules << " modules: " << results << " results ("
            << copies << " with their copies), " << commands << " AT+QFOTADL, " << flashings << " flashings, " << asked
            << " bare AT while flashing, " << undecided << " failed with the old version" << std::endl;
  CHECK(flashings == results - undecided);
}
