#include "gateway/payloads.hpp"

#include <doctest/doctest.h>

using namespace dfota;

namespace {

Job make_job() {
  Job job;
  job.command.job = "r1";
  job.command.delta.from = "A";
  job.command.delta.to = "B";
  for (const char* id : {"m1", "m2", "m3"}) {
    job.add_part(id);
  }
  job.parts[0]->result.emplace().outcome = Outcome::succeeded;
  job.parts[1]->begun = true;
  job.count_again();
  return job;
}

}  // namespace

TEST_CASE("topics are those of the contract") {
  const Topics topics("dfota/v1", "rack-1");
  CHECK(topics.commands() == "dfota/v1/rack-1/cmd/+");
  CHECK(topics.commands_to_all() == "dfota/v1/all/cmd/+");
  CHECK(topics.reply("update") == "dfota/v1/rack-1/rsp/update");
  CHECK(topics.job_state("r1") == "dfota/v1/rack-1/job/r1/state");
  CHECK(topics.error("m1", UpdateError::of(CodeSource::http, 716, Phase::downloading, nullptr)) ==
        "dfota/v1/rack-1/module/m1/error/7xx/716");
  CHECK(topics.error("m1", UpdateError::of(CodeSource::http, 608, Phase::downloading, nullptr)) ==
        "dfota/v1/rack-1/module/m1/error/6xx/608");
  CHECK(topics.error("m1", UpdateError::of(CodeSource::update, -1, Phase::updating, nullptr)) ==
        "dfota/v1/rack-1/module/m1/error/other/-1");
  CHECK(topics.error("m1", UpdateError::of(Finding::absent, Phase::preparing)) ==
        "dfota/v1/rack-1/module/m1/error/gateway/absent");
}

TEST_CASE("progress: what is not known is null") {
  const auto job = make_job();
  UpdateProgress progress;
  progress.phase = Phase::downloading;
  progress.attempt = 1;
  progress.overall_percent = 20;
  auto out = progress_payload("rack-1", job, *job.parts[1], progress, {});
  for (const char* key : {"ts", "gateway", "job", "run", "module", "attempt", "phase", "percent", "overall_percent",
                          "bytes", "total_bytes", "bytes_per_second", "eta_s", "hop", "hops"}) {
    CHECK_MESSAGE(out.contains(key), key);
  }
  CHECK(out["phase"] == "downloading");
  CHECK(out["percent"].is_null());
  progress.percent = 40;
  CHECK(progress_payload("rack-1", job, *job.parts[1], progress, {})["percent"] == 40);
}

TEST_CASE("result and error carry the same code, and the guide's meaning") {
  auto job = make_job();
  job.parts[1]->begun_at = WallTime(std::chrono::hours(480000));
  job.parts[1]->ended_at = *job.parts[1]->begun_at + std::chrono::milliseconds(90500);
  auto& result = job.parts[1]->result.emplace();
  result.error = UpdateError::of(CodeSource::http, 716, Phase::downloading, nullptr);
  const auto out = result_payload("rack-1", 9, job, *job.parts[1]);
  CHECK(out["seq"] == 9);
  CHECK(out["duration_s"] == 90.5);
  CHECK(out["outcome"] == "failed");
  CHECK(out["version"].is_null());
  CHECK(out["error"]["code"] == 716);
  CHECK(out["error"]["class"] == "7xx");
  CHECK(out["error"]["meaning"] == "HTTP socket connect error");
  const auto error = error_payload("rack-1", 8, job, "m2", 1, *result.error, {});
  CHECK(error["code"] == 716);
  CHECK(error["source"] == "http");
  CHECK(error["next_attempt_at"].is_null());
  CHECK(error["retryable"] == true);
}

TEST_CASE("job/state: counts always, outcomes only in the last one") {
  auto job = make_job();
  auto out = job_state_payload("rack-1", 0, job);
  CHECK(out["state"] == "running");
  CHECK(out["counts"]["succeeded"] == 1);
  CHECK(out["counts"]["running"] == 1);
  CHECK(out["counts"]["queued"] == 1);
  CHECK(out["counts"]["lost"] == 0);
  CHECK_FALSE(out.contains("modules"));
  CHECK_FALSE(out.contains("seq"));
  out = job_state_payload("rack-1", 12, job);
  CHECK(out["seq"] == 12);
  CHECK(out["modules"]["m1"] == "succeeded");
}
