// How long jobs and their ids stay, and what a wall clock that cannot be right keeps shut: jobs and commands with a
// real journal, on a wall clock that the test sets.
#include <doctest/doctest.h>

#include <ctime>
#include <thread>

#include "tests/support/gateway_life.hpp"
#include "tests/support/quick_module.hpp"
#include "tests/support/temp_dir.hpp"

using namespace dfota;
using namespace dfota::test;
using Json = nlohmann::json;
using namespace std::chrono_literals;

namespace {

using Days = std::chrono::duration<int, std::ratio<86400>>;

/// A gateway with one module, whose port nobody has opened yet, and its clocks.
struct World {
  World() {
    module.on_order = [this](QuickModule&, const QuickModule::Order& order) { orders.push_back(order.job); };
    module.on_flash = [](const QuickModule::Order&) {};
    module.on_fault = [](const std::string& what) { FAIL_CHECK(what); };
    config.gateway.id = "g";
    config.gateway.state_dir = dir.path().string();
    config.modules.push_back({"m0", module.port(), "", {}});
    config.jobs.keep_days = 2;
    config.jobs.remember_days = 5;
    config.timeouts.listen = 1;
    module.unplug();
  }

  void begin_life() {
    life.reset();
    GatewayLife::Told told;
    told.part_ended = [](const Job&, const Part&) {};
    told.job_ended = [](const Job&) {};
    told.attempt_over = [](const Job&, const Part&) {};
    told.clock_needed = [this](bool in_vain) { clock_in_vain = in_vain; };
    life = std::make_unique<GatewayLife>(
        config, [this] { return wall; }, std::move(told));
    life->start();
  }

  /// Runs what is ready, and goes on until `done`.
  void until(const std::function<bool()>& done) {
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    do {
      REQUIRE(std::chrono::steady_clock::now() < give_up);
      life->loop().restart();
      if (life->loop().poll() == 0) std::this_thread::yield();
      module.pump();
    } while (!done());
  }
  /// The steady clock; the wall clock is the test's alone. What is due by then is done, and on the disk.
  void pass(std::chrono::seconds time) {
    clock.advance(time);
    until([] { return true; });
    life->wait_for_disk();
    until([this] { return !life->waits_for_disk(); });
  }
  /// The gateway looks for what is old once an hour.
  void look_for_old() { pass(2h); }

  Json ask(const std::string& verb, const Json& document) {
    std::optional<Json> reply;
    life->command(verb, document, [&](const Json& said) { reply = said; });
    until([&] { return reply.has_value(); });
    return *reply;
  }
  void end(const Json& job) {
    REQUIRE(ask("update", job)["status"] == "ok");
    REQUIRE(ask("cancel", {{"job", job["job"]}})["status"] == "ok");
    REQUIRE(life->jobs().find(job["job"])->ended());
  }
  [[nodiscard]] bool has(const std::string& job) const { return life->jobs().find(job) != nullptr; }

  TempDir dir;
  SteppedClock clock;
  WallTime wall = std::chrono::system_clock::now();
  Config config;
  QuickModule module{"m0", "861234567890127"};
  std::vector<std::string> orders;  ///< that it was given: which jobs
  bool clock_in_vain = false;
  std::unique_ptr<GatewayLife> life;
};

Json job_of(const std::string& id) {
  return {{"job", id},           {"modules", {"m0"}}, {"delivery", "file"}, {"file", "UFS:" + id + ".bin"},
          {"from", kOldVersion}, {"to", kNewVersion}};
}

/// HH:MM in the gateway's local time.
std::string local_time(WallTime at) {
  const std::time_t then = std::chrono::system_clock::to_time_t(at);
  tm local{};
  localtime_r(&then, &local);
  char text[8];
  std::strftime(text, sizeof text, "%H:%M", &local);
  return text;
}

/// Its answer is the stored state.
void check_remembered(World& world, const Json& job) {
  const auto reply = world.ask("update", job);
  CAPTURE(reply.dump());
  CHECK(reply["status"] == "ok");
  CHECK(reply["data"].value("forgotten", false));
  CHECK(reply["data"]["state"] == "canceled");
  CHECK_FALSE(world.has(job["job"]));
  auto other = job;
  other["attempts"] = 2;
  CHECK(world.ask("update", other)["error"]["code"] == "job_conflict");
}

}  // namespace

TEST_CASE("a job that has ended goes after keep_days, its id after remember_days, and then it is a new one") {
  World world;
  world.begin_life();
  const auto begin = world.wall;
  const auto job = job_of("night");
  world.end(job);
  world.wall = begin + Days(2) - 1min;
  world.look_for_old();
  REQUIRE(world.has("night"));
  CHECK(world.ask("update", job)["data"].value("forgotten", false) == false);

  world.wall = begin + Days(2) + 1min;
  world.look_for_old();
  REQUIRE_FALSE(world.has("night"));
  CHECK(world.ask("list", Json::object())["data"]["jobs"].empty());
  check_remembered(world, job);
  world.wall = begin + Days(4);
  world.look_for_old();
  check_remembered(world, job);
  world.begin_life();
  check_remembered(world, job);

  world.wall = begin + Days(2 + 5 + 1);
  world.look_for_old();
  const auto reply = world.ask("update", job);
  CHECK_FALSE(reply["data"].contains("forgotten"));
  CHECK(reply["data"]["state"] == "queued");
  CHECK(world.has("night"));
}

TEST_CASE("what was forgotten while the wall clock stood in 1970 is remembered from when it is set") {
  World world;
  const auto right = world.wall;
  world.wall = WallTime() + Days(1);
  world.begin_life();
  const auto job = job_of("night");
  world.end(job);
  CHECK(world.ask("forget", {{"job", "night"}})["status"] == "ok");
  world.wall = right;
  world.look_for_old();
  check_remembered(world, job);
  world.wall = right + Days(4);
  world.look_for_old();
  check_remembered(world, job);
  world.wall = right + Days(6);
  world.look_for_old();
  CHECK_FALSE(world.ask("update", job)["data"].contains("forgotten"));
}

TEST_CASE("a job that ended while the wall clock stood in 1970 goes keep_days after it is set") {
  World world;
  const auto right = world.wall;
  world.wall = WallTime() + Days(1);
  world.begin_life();
  world.end(job_of("night"));
  world.wall = right;
  world.look_for_old();
  CHECK(world.has("night"));
  world.wall = right + Days(2) + 1min;
  world.look_for_old();
  CHECK_FALSE(world.has("night"));
}

TEST_CASE("of more ended jobs than jobs.keep the oldest go, and their ids stay") {
  World world;
  world.config.jobs.keep = 2;
  world.begin_life();
  for (const auto* id : {"a", "b", "c"}) world.end(job_of(id));
  world.pass(1s);
  CHECK_FALSE(world.has("a"));
  CHECK(world.has("b"));
  CHECK(world.has("c"));
  check_remembered(world, job_of("a"));
}

TEST_CASE("a wall clock before the day of the build: the reply warns, and no window opens until it is set") {
  World world;
  const auto built = ServiceTime::built_at();
  world.wall = built - Days(1);
  world.module.plug();
  world.begin_life();
  // By the time of the day it would be open.
  auto job = job_of("night");
  job["window"] = {{"start", local_time(built - 3h)}, {"end", local_time(built + 3h)}};
  const auto reply = world.ask("update", job);
  CHECK(reply["status"] == "ok");
  REQUIRE(reply["warnings"].size() == 1);
  CHECK(reply["warnings"][0].get<std::string>().starts_with("clock_untrusted: "));
  // A job that asks for no time of the day begins, and is not warned of.
  auto other = job_of("now");
  other["attempts"] = 1;
  world.module.fates(QuickModule::Fate::refuses);
  CHECK(world.ask("update", other)["warnings"].empty());
  const auto seconds_pass_until = [&](const std::function<bool()>& done) {
    world.until([&] {
      world.clock.advance(1s);
      return done();
    });
  };
  seconds_pass_until([&] { return world.life->jobs().find("now")->ended(); });
  for (int i = 0; i < 10; ++i) world.pass(1s);
  CHECK(world.orders == std::vector<std::string>{"now"});
  CHECK(world.clock_in_vain);

  world.wall = built + Days(1);
  seconds_pass_until([&] { return world.orders.size() == 2; });
  CHECK(world.orders.back() == "night");
  CHECK_FALSE(world.clock_in_vain);
}
