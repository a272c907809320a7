#include "gateway/metrics.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <asio/co_spawn.hpp>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <thread>

using namespace dfota;

namespace {

/// The value of one line of the exposition, by its name and labels as they stand there; nothing: there is no such line.
std::optional<double> value_of(const Metrics& metrics, const std::string& series) {
  std::istringstream lines(metrics.text());
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(series + " ")) return std::stod(line.substr(series.size() + 1));
  }
  return std::nullopt;
}

std::size_t lines_of(const Metrics& metrics) {
  const auto text = metrics.text();
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

/// One module's update, as the jobs tell it.
struct Told {
  Metrics metrics;
  Job job;
  Part part;

  Told() {
    part.module = "uc20-a";
    job.command.job = "night";
  }
  void phase(Phase phase, unsigned attempt = 1) {
    UpdateProgress progress;
    progress.phase = phase;
    progress.attempt = attempt;
    metrics.update_progress(job, part, progress, {});
  }
  void error(const UpdateError& error) { metrics.update_error(job, part, 1, error, std::nullopt); }
  void end(Outcome outcome, unsigned attempts) {
    part.result.emplace();
    part.result->outcome = outcome;
    part.result->attempts = attempts;
    metrics.part_ended(job, part);
  }
  std::optional<double> value(const std::string& series) const { return value_of(metrics, series); }
};

}  // namespace

TEST_CASE("everything that there can be is there from the start") {
  const Metrics metrics;
  for (const auto* series : {
           "dfota_modules{phase=\"updating\"}",
           "dfota_jobs{state=\"paused\"}",
           "dfota_jobs_ended_total{state=\"partial\"}",
           "dfota_update_outcomes_total{outcome=\"lost\"}",
           "dfota_update_errors_total{class=\"7xx\",code=\"716\"}",
           "dfota_update_errors_total{class=\"6xx\",code=\"601\"}",
           "dfota_update_errors_total{class=\"5xx\",code=\"504\"}",
           "dfota_update_errors_total{class=\"gateway\",code=\"no_answer\"}",
           "dfota_update_errors_total{class=\"9xx\",code=\"other\"}",
           "dfota_update_errors_total{class=\"other\",code=\"other\"}",
           "dfota_problems{code=\"journal_unavailable\"}",
           "dfota_faults_total{code=\"http_listener_down\"}",
           "dfota_http_requests_total{result=\"refused\"}",
           "dfota_update_duration_seconds_count{outcome=\"failed\"}",
       }) {
    CAPTURE(series);
    CHECK(value_of(metrics, series) == 0);
  }
  CHECK(metrics.text().find("dfota_build_info{version=\"") != std::string::npos);
  CHECK(*value_of(metrics, "dfota_start_time_seconds") > 1.7e9);
  CHECK_FALSE(value_of(metrics, "dfota_jobs_ended_total{state=\"running\"}"));
  // For scripts that look at the names (tests/monitoring_test.sh).
  if (const char* file = std::getenv("DFOTA_METRICS_TEXT")) std::ofstream(file) << metrics.text();
}

TEST_CASE("nothing that a module or a command says makes another series") {
  Told told;
  const auto before = lines_of(told.metrics);
  for (const int number : {-2147483647, -1, 0, 99, 699, 731, 999, 1000, 70000, 2147483647}) {
    told.error(UpdateError::of(CodeSource::http, number, Phase::downloading, nullptr));
  }
  UpdateError odd;
  odd.name = "of_a_later_version";
  told.error(odd);
  Figures figures;
  figures.problems = {"something_new", "another"};
  figures.faults = {{"artifact_conflict", 2}, {"something_new", 3}};
  told.metrics.show(figures);
  for (const auto* module : {"a", "b", "c"}) {
    told.part.module = module;
    told.job.command.job = module;
    told.phase(Phase::preparing);
    told.phase(Phase::downloading);
    told.end(Outcome::failed, 1);
  }
  CHECK(lines_of(told.metrics) == before);
  CHECK(told.value("dfota_update_errors_total{class=\"7xx\",code=\"other\"}") == 1);
  CHECK(told.value("dfota_update_errors_total{class=\"other\",code=\"other\"}") == 5);
  CHECK(told.value("dfota_update_errors_total{class=\"gateway\",code=\"other\"}") == 1);
  CHECK(told.value("dfota_problems{code=\"other\"}") == 2);
  CHECK(told.value("dfota_faults_total{code=\"other\"}") == 5);
}

TEST_CASE("a command and a download are counted once, and only by the process that sees them begin") {
  SteppedClock clock;
  Told told;
  const auto attempts = [&] { return *told.value("dfota_attempts_total"); };
  const auto downloads = [&] { return *told.value("dfota_download_duration_seconds_count"); };
  told.phase(Phase::preparing);
  told.phase(Phase::downloading);
  clock.advance(std::chrono::seconds(42));
  told.phase(Phase::downloading);
  CHECK(attempts() == 1);
  CHECK(downloads() == 0);
  told.phase(Phase::rebooting);
  told.phase(Phase::updating);
  told.phase(Phase::rebooting);
  told.phase(Phase::verifying);
  CHECK(attempts() == 1);
  CHECK(downloads() == 1);
  CHECK(told.value("dfota_download_duration_seconds_sum") == 42);
  CHECK(told.value("dfota_download_duration_seconds_bucket{le=\"30\"}") == 0);
  CHECK(told.value("dfota_download_duration_seconds_bucket{le=\"60\"}") == 1);

  told.phase(Phase::preparing, 2);  // the next delta of its way, or another attempt: 2
  told.phase(Phase::downloading, 2);
  told.phase(Phase::preparing, 3);  // 3, a download that was cut is none
  told.phase(Phase::uploading, 3);
  told.phase(Phase::rebooting, 3);
  told.phase(Phase::uploading, 3);  // a stream goes on behind the command
  told.phase(Phase::updating, 3);
  CHECK(attempts() == 3);
  CHECK(downloads() == 1);
  told.end(Outcome::succeeded, 3);

  told.phase(Phase::downloading);  // taken up from an earlier process
  told.phase(Phase::rebooting);
  told.end(Outcome::succeeded, 1);
  told.phase(Phase::preparing);  // at its target already
  told.end(Outcome::skipped, 0);
  CHECK(attempts() == 3);
  CHECK(downloads() == 1);
}

TEST_CASE("outcomes, and the durations of those that were commanded") {
  Told told;
  told.part.begun_at = std::chrono::system_clock::now() - std::chrono::seconds(100);
  told.end(Outcome::succeeded, 1);
  told.end(Outcome::rejected, 0);
  told.part.begun_at = std::chrono::system_clock::now() + std::chrono::hours(1);  // the wall clock was set back
  told.end(Outcome::failed, 2);
  CHECK(told.value("dfota_update_outcomes_total{outcome=\"succeeded\"}") == 1);
  CHECK(told.value("dfota_update_outcomes_total{outcome=\"rejected\"}") == 1);
  CHECK(told.value("dfota_update_duration_seconds_count{outcome=\"succeeded\"}") == 1);
  CHECK(told.value("dfota_update_duration_seconds_bucket{outcome=\"succeeded\",le=\"60\"}") == 0);
  CHECK(told.value("dfota_update_duration_seconds_count{outcome=\"rejected\"}") == 0);
  CHECK(told.value("dfota_update_duration_seconds_sum{outcome=\"failed\"}") == 0);

  told.job.verdict = JobState::partial;
  told.metrics.job_ended(told.job);
  CHECK(told.value("dfota_jobs_ended_total{state=\"partial\"}") == 1);
}

TEST_CASE("what is counted elsewhere is shown as it stands, totals by their growth") {
  Metrics metrics;
  Figures figures;
  figures.modules[static_cast<std::size_t>(Phase::downloading)] = 8;
  figures.modules[static_cast<std::size_t>(Phase::idle)] = 992;
  figures.online = 999;
  figures.lost = 1;
  figures.jobs[static_cast<std::size_t>(JobState::running)] = 2;
  figures.held = true;
  figures.http = {1'000'000, 8, 3, 7};
  figures.mqtt_connected = true;
  figures.mqtt_connections = 1;
  figures.outbox_rows = 12;
  figures.problems = {"journal_unavailable"};
  figures.faults = {{"hold_invalid", 2}};
  metrics.show(figures);
  metrics.show(figures);
  CHECK(value_of(metrics, "dfota_modules{phase=\"downloading\"}") == 8);
  CHECK(value_of(metrics, "dfota_modules{phase=\"idle\"}") == 992);
  CHECK(value_of(metrics, "dfota_modules_online") == 999);
  CHECK(value_of(metrics, "dfota_modules_lost") == 1);
  CHECK(value_of(metrics, "dfota_jobs{state=\"running\"}") == 2);
  CHECK(value_of(metrics, "dfota_held") == 1);
  CHECK(value_of(metrics, "dfota_http_bytes_total") == 1'000'000);
  CHECK(value_of(metrics, "dfota_http_requests_total{result=\"served\"}") == 8);
  CHECK(value_of(metrics, "dfota_http_requests_total{result=\"refused\"}") == 3);
  CHECK(value_of(metrics, "dfota_http_connections") == 7);
  CHECK(value_of(metrics, "dfota_mqtt_connected") == 1);
  CHECK(value_of(metrics, "dfota_mqtt_reconnects_total") == 0);
  CHECK(value_of(metrics, "dfota_outbox_rows") == 12);
  CHECK(value_of(metrics, "dfota_problems{code=\"journal_unavailable\"}") == 1);
  CHECK(value_of(metrics, "dfota_faults_total{code=\"hold_invalid\"}") == 2);

  figures = Figures();
  figures.http = {1'500'000, 9, 3, 0};
  figures.mqtt_connections = 4;
  figures.faults = {{"hold_invalid", 3}};
  metrics.show(figures);
  CHECK(value_of(metrics, "dfota_modules{phase=\"idle\"}") == 0);
  CHECK(value_of(metrics, "dfota_http_bytes_total") == 1'500'000);
  CHECK(value_of(metrics, "dfota_http_requests_total{result=\"served\"}") == 9);
  CHECK(value_of(metrics, "dfota_mqtt_connected") == 0);
  CHECK(value_of(metrics, "dfota_mqtt_reconnects_total") == 3);
  CHECK(value_of(metrics, "dfota_problems{code=\"journal_unavailable\"}") == 0);
  CHECK(value_of(metrics, "dfota_faults_total{code=\"hold_invalid\"}") == 3);
}

TEST_CASE("a loop that comes late, and one that does not come at all") {
  SteppedClock clock;
  Metrics metrics;
  asio::io_context loop{1};
  int looked = 0;
  const auto look = [&looked] {
    ++looked;
    return Figures();
  };
  asio::co_spawn(loop, metrics.watch(loop, look), rethrow);
  loop.poll();
  CHECK(looked == 1);
  const auto began = Clock::now();
  clock.advance(std::chrono::milliseconds(1000));
  loop.poll();
  CHECK(looked == 2);
  CHECK(metrics.loop_turned_at() == began + std::chrono::seconds(1));
  CHECK(value_of(metrics, "dfota_loop_lag_seconds_bucket{le=\"0.001\"}") == 1);
  CHECK(value_of(metrics, "dfota_loop_lag_max_seconds") == 0);

  clock.advance(std::chrono::milliseconds(3500));
  CHECK(value_of(metrics, "dfota_loop_silence_seconds") == 3.5);
  loop.poll();
  CHECK(value_of(metrics, "dfota_loop_silence_seconds") == 0);
  CHECK(value_of(metrics, "dfota_loop_lag_seconds_sum") == 2.5);
  CHECK(value_of(metrics, "dfota_loop_lag_max_seconds") == 2.5);
  for (std::size_t turn = 0; turn < Metrics::kLagWindow; ++turn) {
    clock.advance(std::chrono::milliseconds(1010));
    loop.poll();
  }
  CHECK(*value_of(metrics, "dfota_loop_lag_max_seconds") == doctest::Approx(0.01));
  CHECK(value_of(metrics, "dfota_loop_lag_seconds_count") == Metrics::kLagWindow + 2);
}

TEST_CASE("it is read while other threads tell it") {
  Told told;
  const int times = 200;
  std::thread journal([&] {
    for (int i = 0; i < times; ++i) told.metrics.journal_wrote(std::chrono::milliseconds(2), i % 10 != 0);
  });
  std::thread streams([&] {
    for (int i = 0; i < times; ++i) told.metrics.set_admin_streams(static_cast<std::size_t>(i));
  });
  std::thread scraper([&] {
    for (int i = 0; i < 20; ++i) CHECK_FALSE(told.metrics.text().empty());
  });
  for (int i = 0; i < times; ++i) {
    told.phase(Phase::preparing);
    told.phase(Phase::downloading);
    told.metrics.loop_turned(std::chrono::milliseconds(1));
    told.end(Outcome::failed, 1);
  }
  journal.join();
  streams.join();
  scraper.join();
  CHECK(told.value("dfota_journal_commit_seconds_count") == times);
  CHECK(told.value("dfota_journal_commit_failures_total") == times / 10);
  CHECK(told.value("dfota_admin_streams") == times - 1);
  CHECK(told.value("dfota_attempts_total") == times);
}
