#include "gateway/rollout.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <ctime>

#include "gateway/job.hpp"

using namespace dfota;

namespace {

/// The rules are told in local time.
struct InBerlin {
  InBerlin() {
    ::setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
    ::tzset();
  }
  ~InBerlin() {
    ::unsetenv("TZ");
    ::tzset();
  }
};

WallTime at(const std::string& text) {
  return parse_rfc3339(text).value();
}

Job job_with(unsigned parts, Rollout rollout) {
  Job job;
  job.command.rollout = rollout;
  for (unsigned i = 0; i < parts; ++i) job.add_part("m" + std::to_string(i));
  return job;
}

void end(Job& job, std::size_t part, Outcome outcome) {
  UpdateResult result;
  result.outcome = outcome;
  job.end(*job.parts[part], result);
}

}  // namespace

TEST_CASE("a window is of local time, its end is not in it, and it may go over midnight") {
  const InBerlin zone;
  const DailyWindow night{60, 300}, over_midnight{22 * 60, 6 * 60};
  CHECK_FALSE(is_open(night, at("2026-01-10T23:59:59Z")));
  CHECK(is_open(night, at("2026-01-11T00:00:00Z")));
  CHECK(is_open(night, at("2026-01-11T03:59:59Z")));
  CHECK_FALSE(is_open(night, at("2026-01-11T04:00:00Z")));
  CHECK(is_open(night, at("2026-07-11T02:59:00Z")));  // summer time
  CHECK_FALSE(is_open(night, at("2026-07-11T03:00:00Z")));
  CHECK(is_open(over_midnight, at("2026-01-11T21:00:00Z")));
  CHECK(is_open(over_midnight, at("2026-01-11T04:59:00Z")));
  CHECK_FALSE(is_open(over_midnight, at("2026-01-11T05:00:00Z")));
  CHECK_FALSE(is_open(over_midnight, at("2026-01-11T20:59:00Z")));
}

TEST_CASE("without a clock that can be trusted not_before and the window stay shut, and jobs without them go on") {
  Rollout rollout;
  CHECK(clock_allows(rollout, std::nullopt));
  rollout.not_before = at("2026-01-11T00:00:00Z");
  CHECK_FALSE(clock_allows(rollout, std::nullopt));
  CHECK_FALSE(clock_allows(rollout, at("2026-01-10T23:59:59Z")));
  CHECK(clock_allows(rollout, at("2026-01-11T00:00:00Z")));
  rollout.window = DailyWindow{0, 1};
  CHECK_FALSE(clock_allows(rollout, std::nullopt));
}

TEST_CASE("canaries: as many run as are missing, then all") {
  Rollout rollout;
  rollout.canary = 2;
  auto job = job_with(5, rollout);
  CHECK(may_begin_another(job));
  job.begin(*job.parts[0]);
  CHECK(may_begin_another(job));
  job.begin(*job.parts[1]);
  CHECK_FALSE(may_begin_another(job));
  end(job, 0, Outcome::rejected);
  CHECK(may_begin_another(job));
  job.begin(*job.parts[2]);
  end(job, 1, Outcome::succeeded);
  CHECK_FALSE(may_begin_another(job));
  end(job, 2, Outcome::succeeded);
  job.begin(*job.parts[3]);
  CHECK(may_begin_another(job));
  CHECK_FALSE(reason_to_stop(job));
}

TEST_CASE("what stops a job") {
  Rollout rollout;
  rollout.canary = 1;
  rollout.abort_after_failures = 2;
  SUBCASE("a canary that fails") {
    auto job = job_with(3, rollout);
    end(job, 0, Outcome::failed);
    CHECK(reason_to_stop(job) == Stop::canary_failed);
  }
  SUBCASE("so many failures, when the canaries are through") {
    auto job = job_with(4, rollout);
    end(job, 0, Outcome::succeeded);
    end(job, 1, Outcome::failed);
    end(job, 2, Outcome::rejected);
    CHECK_FALSE(reason_to_stop(job));
    end(job, 3, Outcome::failed);
    CHECK(reason_to_stop(job) == Stop::too_many_failures);
  }
  SUBCASE("a lost module, always") {
    auto job = job_with(2, Rollout());
    end(job, 0, Outcome::lost);
    CHECK(reason_to_stop(job) == Stop::module_lost_in_job);
  }
  for (const auto stop :
       {Stop::canceled, Stop::expired, Stop::canary_failed, Stop::too_many_failures, Stop::module_lost_in_job}) {
    CHECK(stop_from_word(to_word(stop)) == stop);
    CHECK(finding_of(stop).has_value() == (stop != Stop::canceled));
  }
}
