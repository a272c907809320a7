// /metrics of a real gateway, by curl: the numbers are those of the results and of the rack, promtool takes the scrape,
// and the scrape goes on without a broker.
#include <doctest/doctest.h>

#include <fstream>
#include <sstream>

#include "tests/support/curl.hpp"
#include "tests/support/rig.hpp"

using namespace dfota::test;

namespace {

RigOptions with_admin(int modules, std::vector<std::string> faults) {
  auto options = rack_of(modules, std::move(faults));
  options.admin = true;
  return options;
}

std::string scrape(const Rig& rig) {
  const auto reply = curl("http://127.0.0.1:" + std::to_string(rig.admin_port()) + "/metrics");
  REQUIRE(reply.status == 200);
  CHECK(reply.head.find("text/plain; version=0.0.4; charset=utf-8") != std::string::npos);
  return reply.body;
}

std::optional<double> value_of(const std::string& text, const std::string& series) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(series + " ")) return std::stod(line.substr(series.size() + 1));
  }
  return std::nullopt;
}

/// What is counted once a second is there soon.
bool becomes(const Rig& rig, const std::string& series, double value) {
  const auto limit = std::chrono::steady_clock::now() + kWatchdog;
  std::string text;
  while (std::chrono::steady_clock::now() < limit) {
    text = scrape(rig);
    if (value_of(text, series) == value) return true;
  }
  MESSAGE(text);
  return false;
}

}  // namespace

TEST_CASE("the numbers of a job are those of its results, and promtool has nothing to say of them") {
  Rig rig(with_admin(3, {"m1:httpend=716"}));
  CHECK(becomes(rig, "dfota_modules_online", 3));
  CHECK(becomes(rig, "dfota_modules{phase=\"idle\"}", 3));
  rig.accept(rig.job("night"));
  CHECK(rig.finish("night")["state"] == "partial");
  CHECK(becomes(rig, "dfota_jobs{state=\"partial\"}", 1));
  CHECK(becomes(rig, "dfota_modules{phase=\"idle\"}", 3));

  const auto text = scrape(rig);
  rig.rack.stop();
  const std::map<std::string, double> wanted = {
      {"dfota_update_outcomes_total{outcome=\"succeeded\"}", 2},
      {"dfota_update_outcomes_total{outcome=\"failed\"}", 1},
      {"dfota_update_duration_seconds_count{outcome=\"succeeded\"}", 2},
      {"dfota_update_duration_seconds_count{outcome=\"failed\"}", 1},
      {"dfota_update_errors_total{class=\"7xx\",code=\"716\"}", 1},
      {"dfota_jobs_ended_total{state=\"partial\"}", 1},
      {"dfota_download_duration_seconds_count", 2},
      {"dfota_attempts_total",
       static_cast<double>(rig.rack.qfotadl("m0") + rig.rack.qfotadl("m1") + rig.rack.qfotadl("m2"))},
      {"dfota_mqtt_connected", 1},
      {"dfota_mqtt_reconnects_total", 0},
      {"dfota_journal_commit_failures_total", 0},
      {"dfota_problems{code=\"journal_unavailable\"}", 0},
  };
  for (const auto& [series, value] : wanted) {
    CAPTURE(series);
    CHECK(value_of(text, series) == value);
  }
  CHECK(*value_of(text, "dfota_http_bytes_total") >= 2 * 65536);
  CHECK(*value_of(text, "dfota_http_requests_total{result=\"served\"}") >= 2);
  CHECK(*value_of(text, "dfota_journal_commit_seconds_count") > 0);
  CHECK(*value_of(text, "dfota_loop_lag_seconds_count") > 0);
  CHECK(text.find("night") == std::string::npos);  // no job, module or version of a module is a label
  CHECK(text.find("m1") == std::string::npos);
  CHECK(text.find(kTo) == std::string::npos);

  const std::string file = rig.dir() / "metrics.txt";
  std::ofstream(file) << text;
  Process judge({std::string(DFOTA_SOURCE_DIR) + "/tests/monitoring_test.sh", file});
  const auto verdict = judge.wait(kJobWatchdog);
  INFO(judge.out(), judge.err());
  REQUIRE(verdict);
  CHECK((*verdict == 0 || *verdict == 77));
}

TEST_CASE("without a broker the numbers go on, and say so") {
  Rig rig(with_admin(1, {}));
  CHECK(becomes(rig, "dfota_mqtt_connected", 1));
  rig.broker.stop();
  CHECK(becomes(rig, "dfota_mqtt_connected", 0));
  rig.broker.start();
  CHECK(becomes(rig, "dfota_mqtt_connected", 1));
  CHECK(becomes(rig, "dfota_mqtt_reconnects_total", 1));
}
