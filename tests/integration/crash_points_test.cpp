// Every crash point: the gateway is killed before and after each kind of journal write, and before and after a command
// is acknowledged, and started again. The points come from the source (journal_writes.hpp); one that no part of the day
// reaches fails the test.
#include <csignal>
#include <fstream>
#include <iostream>

#include "gateway/journal_writes.hpp"
#include "tests/support/crash_day.hpp"

using namespace dfota::test;
using Json = nlohmann::json;

namespace {

/// An undone write follows one that failed: journal_faults_test has the disk for it.
const std::set<std::string> kElsewhere = {"part_undone"};

std::vector<std::string> all_points() {
  std::vector<std::string> points = {"puback.before", "puback.after"};
  for (const auto name : dfota::kWriteNames) {
    if (kElsewhere.contains(std::string(name))) continue;
    points.push_back(std::string(name) + ".before");
    points.push_back(std::string(name) + ".after");
  }
  return points;
}

/// How often each point is passed in a day without a crash.
std::map<std::string, int> points_of(const CrashDay& day) {
  auto options = day.rig();
  options.start = false;
  Rig rig(options);
  const std::string log = rig.dir() / "points";
  rig.start_gateway({{"DFOTA_CRASH_LOG", log}});
  Survivor backend(rig);
  day.play(rig, backend);
  backend.drain();
  rig.gateway().terminate();
  std::map<std::string, int> counts;
  std::ifstream lines(log);
  for (std::string line; std::getline(lines, line);) ++counts[line];
  return counts;
}

struct Sum {
  int crashes = 0;
  std::size_t results = 0, copies = 0, commands = 0, flashings = 0, asked = 0;
};

void crash_at(const CrashDay& day, const std::string& point, Sum& sum) {
  CAPTURE(point);
  auto options = day.rig();
  options.start = false;
  Rig rig(options);
  rig.start_gateway({{"DFOTA_CRASH_AT", point}}, true);
  Survivor backend(rig);
  const auto expected = day.play(rig, backend);
  backend.drain();
  const auto account = backend.check(expected);
  if (&day == &kUpdateDay) {
    CHECK(account.outcomes.at("succeeded") + account.undecided == 2);
    CHECK((account.undecided == 0 || point.starts_with("part_released.after")));
  }
  CHECK_MESSAGE(backend.deaths() > 0, "it did not die at DFOTA_CRASH_AT=" << point);
  ++sum.crashes;
  sum.results += account.results;
  sum.copies += account.copies;
  sum.commands += account.commands;
  sum.flashings += account.flashings;
  sum.asked += account.asked_in_danger;
}

void enumerate(const CrashDay& day, const std::set<std::string>& points) {
  const auto counts = points_of(day);
  Sum sum;
  for (const auto& point : points) {
    REQUIRE_MESSAGE(counts.contains(point), point << " is not reached in the part " << day.name);
    crash_at(day, point + ":1", sum);
    if (counts.at(point) > 2) crash_at(day, point + ":" + std::to_string(counts.at(point) / 2 + 1), sum);
  }
  std::cout << day.name << ": " << points.size() << " crash points, " << sum.crashes << " crashes: " << sum.results
            << " results (" << sum.copies << " with their copies), " << sum.commands << " AT+QFOTADL, " << sum.flashings
            << " flashings, " << sum.asked << " bare AT while flashing" << std::endl;
}

/// Which part of the day a point is tried in.
const std::set<std::string> kOrders = {"job_canceled", "job_stopped",     "job_paused",    "job_resumed",
                                       "job_retried",  "part_retried",    "job_forgotten", "tombstone",
                                       "hold",         "module_forgotten"};
const std::set<std::string> kPlan = {"part_hop"}, kStop = {"part_interrupted"};

std::set<std::string> points_in(const CrashDay& day) {
  std::set<std::string> points;
  for (const auto& point : all_points()) {
    const auto write = point.substr(0, point.find('.'));
    const auto* its = kOrders.contains(write) ? &kOrdersDay
                      : kPlan.contains(write) ? &kPlanDay
                      : kStop.contains(write) ? &kStopDay
                                              : &kUpdateDay;
    if (its == &day) points.insert(point);
  }
  return points;
}

}  // namespace

TEST_CASE("every crash point of an update") {
  enumerate(kUpdateDay, points_in(kUpdateDay));
}

TEST_CASE("every crash point of what is ordered") {
  enumerate(kOrdersDay, points_in(kOrdersDay));
}

TEST_CASE("every crash point of a plan over several deltas") {
  enumerate(kPlanDay, points_in(kPlanDay));
}

TEST_CASE("every crash point of an end in mid-download") {
  enumerate(kStopDay, points_in(kStopDay));
}
