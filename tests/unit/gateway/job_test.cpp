#include "gateway/job.hpp"

#include <doctest/doctest.h>

using namespace dfota;

namespace {

Job job_with(const std::vector<Outcome>& outcomes) {
  auto parsed = parse_update_command(nlohmann::json::parse(R"({"job": "r1", "modules": "all", "from": "A", "to": "B",
    "artifact": {"url": "http://h/d.bin", "sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}})"));
  Job job;
  job.command = std::get<UpdateCommand>(parsed);
  for (const auto outcome : outcomes) {
    job.add_part("m" + std::to_string(job.parts.size() + 1));
    job.parts.back()->result.emplace().outcome = outcome;
  }
  job.count_again();
  return job;
}

}  // namespace

TEST_CASE("the outcomes make the job's last state") {
  using O = Outcome;
  struct Row {
    std::vector<Outcome> outcomes;
    JobState expected;
  };
  const Row rows[] = {
      {{O::succeeded, O::succeeded}, JobState::succeeded},
      {{O::succeeded, O::skipped}, JobState::succeeded},
      {{O::skipped}, JobState::succeeded},
      {{O::rejected, O::rejected}, JobState::rejected},
      {{O::failed, O::rejected}, JobState::failed},
      {{O::lost}, JobState::failed},
      {{O::succeeded, O::failed}, JobState::partial},
      {{O::skipped, O::rejected}, JobState::partial},
      {{O::canceled, O::canceled}, JobState::canceled},
      {{O::succeeded, O::canceled}, JobState::canceled},
      {{O::failed, O::canceled}, JobState::failed},
      {{O::succeeded, O::failed, O::canceled}, JobState::partial},
  };
  for (const auto& row : rows) CHECK(verdict_of(job_with(row.outcomes)) == row.expected);
}

TEST_CASE("a job and its parts come back from the journal as they went in") {
  auto job = job_with({Outcome::succeeded, Outcome::failed});
  job.verdict = JobState::partial;
  job.final_seq = 7;
  job.accepted_at = from_ms(1772366400123);
  const auto back = job_from_document(to_document(job));
  REQUIRE(back);
  CHECK(back->id() == "r1");
  CHECK(back->state() == JobState::partial);
  CHECK(back->final_seq == 7);
  CHECK(back->accepted_at == job.accepted_at);
  CHECK(back->command.body == job.command.body);
  REQUIRE(back->parts.size() == 2);
  CHECK(back->parts[1]->module == "m2");

  Part part;
  part.module = "m1";
  part.checkpoint.step = Step::released;
  part.checkpoint.attempt = 2;
  part.checkpoint.token = "00ff";
  part.begun_at = from_ms(5);
  auto& result = part.result.emplace();
  result.outcome = Outcome::failed;
  result.version = "A";
  result.attempts = 2;
  result.warnings = {"end_not_seen"};
  result.error = UpdateError::of(CodeSource::http, 716, Phase::downloading, nullptr);
  const auto again = part_from_document(to_document(part));
  REQUIRE(again);
  CHECK(again->checkpoint.step == Step::released);
  CHECK(again->checkpoint.attempt == 2);
  CHECK(again->checkpoint.token == "00ff");
  CHECK(again->begun_at == part.begun_at);
  CHECK(again->result->warnings == result.warnings);
  CHECK(again->result->error->number == 716);
  CHECK(to_document(*again) == to_document(part));
}

TEST_CASE("a part of a plan keeps its way, and the hop that is under way") {
  Part part;
  part.module = "m1";
  part.target = "A14";
  part.from = "A11";
  part.hops = 2;
  part.way = {{"one.bin", "A11", "A12", 2, 12.5}};
  part.warnings = {"end_not_seen"};
  Manifest hop;
  hop.name = "two.bin";
  hop.model = "UC20";
  hop.from = "A12";
  hop.to = "A14";
  hop.sha256 = std::string(64, 'a');
  hop.size = 7;
  hop.released = Released{"2024-02-01", *parse_rfc3339("2024-02-01T00:00:00Z")};
  hop.aliases["A12"] = {"A12_01"};
  part.hop = hop;
  part.hop_begun_at = ServiceTime::Instant(5);
  const auto again = part_from_document(to_document(part));
  REQUIRE(again);
  CHECK(to_document(*again) == to_document(part));
  CHECK(again->attempts_before() == 2);
  CHECK(again->hop->is("A12", "A12_01"));
  CHECK(again->hop->released->at == hop.released->at);
}

TEST_CASE("what the manifest said when the job was accepted stays with the job") {
  Job job;
  auto parsed = parse_update_command({{"job", "r1"}, {"modules", "all"}, {"artifact", {{"name", "one.bin"}}}});
  job.command = std::get<UpdateCommand>(parsed);
  job.command.delta.model = "UC20";
  job.command.delta.from = "A11";
  job.command.delta.to = "A12";
  job.command.delta.sha256 = std::string(64, 'b');
  job.command.delta.size = 9;
  const auto again = job_from_document(to_document(job));
  REQUIRE(again);
  CHECK(again->command.delta.from == "A11");
  CHECK(again->command.delta.sha256 == job.command.delta.sha256);
  CHECK(again->command.body == job.command.body);
}

TEST_CASE("a job by URL is read again whatever its file is called") {
  Job job;
  auto parsed = parse_update_command({{"job", "r1"},
                                      {"modules", "all"},
                                      {"artifact", {{"url", "http://h/d.json"}, {"sha256", std::string(64, 'b')}}},
                                      {"from", "A11"},
                                      {"to", "A12"}});
  job.command = std::get<UpdateCommand>(parsed);
  job.command.delta.model = "UC20";  // as its signature says
  job.command.delta.size = 9;
  const auto again = job_from_document(to_document(job));
  REQUIRE(again);
  CHECK(again->command.delta.url == "http://h/d.json");
  CHECK(again->command.delta.to == "A12");
}

TEST_CASE("a job that has begun is not queued again, when a restart finds its module away") {
  auto job = job_with({});
  job.add_part("m1");
  job.count_again();
  CHECK(job.state() == JobState::queued);
  job.parts[0]->begun_at = from_ms(5);
  auto back = *job_from_document(to_document(job));
  *back.parts[0] = *part_from_document(to_document(*job.parts[0]));
  back.count_again();
  CHECK(back.state() == JobState::running);
  CHECK(back.tally.running == 0);
}

TEST_CASE("a document that is none is told, not taken") {
  CHECK_FALSE(job_from_document("{}"));
  CHECK_FALSE(job_from_document("nonsense"));
  CHECK_FALSE(part_from_document(R"({"module":"m","step":"dancing","attempt":1,"token":""})"));
}
