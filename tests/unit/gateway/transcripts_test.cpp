#include "gateway/transcripts.hpp"

#include <doctest/doctest.h>

#include <asio/co_spawn.hpp>
#include <fstream>
#include <thread>

#include "tests/support/temp_dir.hpp"

using namespace dfota;
using namespace std::chrono_literals;
namespace fs = std::filesystem;
using Texts = std::vector<std::string>;

namespace {

Job make_job(const std::string& id, unsigned run = 1) {
  Job job;
  job.command.job = id;
  job.command.delta.from = "A";
  job.command.delta.to = "B";
  job.run = run;
  job.add_part("m1");
  job.parts[0]->begun_at = std::chrono::system_clock::now();
  return job;
}

/// One life of a gateway over a directory.
struct Life {
  explicit Life(const fs::path& directory) : transcripts(loop, "rack-1", directory) {}

  template <class Done>
  void until(Done done) {
    const auto give_up = std::chrono::steady_clock::now() + 10s;
    while (!done()) {
      loop.restart();
      if (loop.poll() == 0) std::this_thread::yield();
      REQUIRE(std::chrono::steady_clock::now() < give_up);
    }
  }
  template <class T>
  static Awaitable<> keep(Awaitable<T> work, std::optional<T>& outcome) {
    outcome = co_await std::move(work);
  }
  template <class T>
  T run(Awaitable<T> work) {
    std::optional<T> outcome;
    asio::co_spawn(loop, keep(std::move(work), outcome), rethrow);
    until([&] { return outcome.has_value(); });
    return std::move(*outcome);
  }
  void flush() {
    bool done = false;
    asio::co_spawn(loop, transcripts.flush(), [&](const std::exception_ptr&) { done = true; });
    until([&] { return done; });
  }
  /// What is in the disk's queue is done, and what that led to.
  void settle() {
    for (int i = 0; i < 4; ++i) flush();
  }
  std::string read(const std::string& module, const std::string& job = "") {
    const auto text = run(transcripts.read(module, job));
    return text ? *text : "error " + text.error().message;
  }
  Texts jobs(const std::string& module) {
    Texts out;
    for (const auto& one : run(transcripts.list(module))) out.push_back(one.job + " " + std::to_string(one.run));
    return out;
  }
  /// A whole update.
  void update(Job& job, Outcome outcome = Outcome::failed) {
    auto& part = *job.parts[0];
    transcripts.begin(job, part, nullptr).command_sent("AT+" + job.id());
    part.result.emplace().outcome = outcome;
    transcripts.end(job, part);
    settle();
  }

  asio::io_context loop{1};
  Transcripts transcripts;
};

struct Fixture {
  SteppedClock clock;
  test::TempDir dir;
  fs::path directory = dir.path() / "transcripts";
  std::unique_ptr<Life> life = std::make_unique<Life>(directory);

  void die() { life = std::make_unique<Life>(directory); }
  [[nodiscard]] fs::path file(const std::string& name) const { return directory / "m1" / name; }
  [[nodiscard]] std::string on_disk(const std::string& name) const {
    std::ifstream in(file(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  [[nodiscard]] std::size_t files() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(directory / "m1"), fs::directory_iterator()));
  }
};

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

fs::perms mode_of(const fs::path& path) {
  return fs::status(path).permissions();
}

}  // namespace

TEST_CASE_FIXTURE(Fixture, "an update under way can be read, and stands on the disk, for its owner only") {
  const auto job = make_job("j");
  auto& transcript = life->transcripts.begin(job, *job.parts[0], nullptr);
  transcript.command_sent("AT+GSN");
  CHECK(holds(life->read("m1"), "AT+GSN"));
  life->settle();
  CHECK(holds(on_disk("j-1.jsonl"), "AT+GSN"));
  CHECK(mode_of(directory) == fs::perms::owner_all);
  CHECK(mode_of(directory / "m1") == fs::perms::owner_all);
  CHECK(mode_of(file("j-1.jsonl")) == (fs::perms::owner_read | fs::perms::owner_write));
  transcript.port_opened("p");
  CHECK(holds(life->read("m1", "j"), "\"open\""));
  CHECK_FALSE(holds(on_disk("j-1.jsonl"), "\"open\""));
  life->transcripts.step_taken(*job.parts[0]);
  life->settle();
  CHECK(on_disk("j-1.jsonl") == life->read("m1"));
  CHECK(&life->transcripts.begin(job, *job.parts[0], nullptr) == &transcript);  // its next hop
}

TEST_CASE_FIXTURE(Fixture, "what is recorded is written every few seconds, too") {
  const auto job = make_job("j");
  life->transcripts.begin(job, *job.parts[0], nullptr).command_sent("AT+GSN");
  life->until([&] {
    clock.advance(Transcripts::kWriteEvery);
    return holds(on_disk("j-1.jsonl"), "AT+GSN");
  });
}

TEST_CASE_FIXTURE(Fixture, "the end: error and outcome are the last lines, and another update begins its own file") {
  auto job = make_job("j");
  auto& part = *job.parts[0];
  life->transcripts.begin(job, part, nullptr);
  part.result.emplace().error = UpdateError::of(CodeSource::http, 716, Phase::downloading, nullptr);
  part.result->outcome = Outcome::failed;
  part.result->model = "UC20";
  life->transcripts.end(job, part);
  life->settle();
  const auto text = on_disk("j-1.jsonl");
  CHECK(holds(text, "\"code\":716"));
  CHECK(text.ends_with("\"outcome\":\"failed\"}\n"));
  CHECK(holds(text, "\"model\":\"UC20\""));
  CHECK(life->read("m1") == text);
  auto next = make_job("j", 2);
  life->transcripts.begin(next, *next.parts[0], nullptr).command_sent("AT+NEXT");
  CHECK(holds(life->read("m1"), "AT+NEXT"));
  CHECK(life->jobs("m1") == Texts{"j 2", "j 1"});
}

TEST_CASE_FIXTURE(Fixture, "what never began has no transcript") {
  auto job = make_job("j");
  job.parts[0]->begun_at.reset();
  job.parts[0]->result.emplace().outcome = Outcome::rejected;
  life->transcripts.end(job, *job.parts[0]);
  life->settle();
  CHECK_FALSE(fs::exists(directory));
  CHECK(life->read("m1").starts_with("error "));
}

TEST_CASE_FIXTURE(Fixture, "a gateway that died in the midst goes on in the same file; a half line does not matter") {
  const auto job = make_job("j");
  life->transcripts.begin(job, *job.parts[0], nullptr).command_sent("AT+BEFORE");
  life->settle();
  std::ofstream(file("j-1.jsonl"), std::ios::app) << R"({"t":7.0,"cmd":"AT+HA)";
  die();
  CHECK(holds(life->read("m1"), "AT+BEFORE"));
  CHECK_FALSE(holds(life->read("m1"), "AT+HA"));
  CHECK(life->jobs("m1") == Texts{"j 1"});
  life->transcripts.begin(job, *job.parts[0], nullptr).command_sent("AT+AFTER");
  const auto text = life->read("m1");
  const auto before = text.find("AT+BEFORE"), ended = text.find("the gateway ended"), after = text.find("AT+AFTER");
  CHECK(before < ended);
  CHECK(ended < after);
  CHECK(after != std::string::npos);
  life->settle();
  CHECK(on_disk("j-1.jsonl") == text);
}

TEST_CASE_FIXTURE(Fixture, "an outcome of a part that an earlier process had begun ends its transcript") {
  auto job = make_job("j");
  life->transcripts.begin(job, *job.parts[0], nullptr).command_sent("AT+BEFORE");
  life->settle();
  die();
  job.parts[0]->result.emplace().outcome = Outcome::lost;
  life->transcripts.end(job, *job.parts[0]);
  life->settle();
  CHECK(holds(on_disk("j-1.jsonl"), "AT+BEFORE"));
  CHECK(on_disk("j-1.jsonl").ends_with("\"outcome\":\"lost\"}\n"));
}

TEST_CASE_FIXTURE(Fixture, "a file of an id that was used before, long ago, is begun anew") {
  auto job = make_job("j");
  life->update(job);
  auto again = make_job("j");
  life->transcripts.begin(again, *again.parts[0], nullptr).command_sent("AT+AGAIN");
  life->settle();
  CHECK(holds(on_disk("j-1.jsonl"), "AT+AGAIN"));
  CHECK_FALSE(holds(on_disk("j-1.jsonl"), "AT+j"));
}

TEST_CASE_FIXTURE(Fixture, "the newest five of a module are kept, and what is none of ours is left alone") {
  fs::create_directories(directory / "m1");
  for (const auto* foreign : {"notes.txt", "j-.jsonl", "j-0.jsonl", "-1.jsonl"}) std::ofstream(file(foreign)) << "mine";
  std::ofstream(file("~j-9-1.jsonl")) << "half";
  auto time = fs::file_time_type::clock::now() - 1h;
  for (int i = 0; i < 8; ++i) {
    auto job = make_job("j-" + std::to_string(i));
    life->update(job);
    if (fs::exists(file(job.id() + "-1.jsonl"))) fs::last_write_time(file(job.id() + "-1.jsonl"), time += 1min);
  }
  CHECK(files() == 5 + 4);
  CHECK(fs::exists(file("j-7-1.jsonl")));
  CHECK_FALSE(fs::exists(file("j-2-1.jsonl")));
  CHECK(life->jobs("m1").size() == 5);
  CHECK(holds(life->read("m1", "j-4"), "AT+j-4"));
  CHECK(life->read("m1", "j-0").starts_with("error "));
}

TEST_CASE_FIXTURE(Fixture, "of all modules the oldest go when there is too much") {
  auto job = make_job("new");
  fs::create_directories(directory / "m0");
  std::ofstream(directory / "m0" / "old-1.jsonl") << "x";
  fs::resize_file(directory / "m0" / "old-1.jsonl", Transcripts::kMostBytes);  // a hole
  fs::last_write_time(directory / "m0" / "old-1.jsonl", fs::file_time_type::clock::now() - 1h);
  life->update(job);
  CHECK_FALSE(fs::exists(directory / "m0" / "old-1.jsonl"));
  CHECK(fs::exists(file("new-1.jsonl")));
}

TEST_CASE_FIXTURE(Fixture, "a module that is forgotten takes its transcripts with it") {
  auto job = make_job("j");
  life->update(job);
  life->transcripts.forget("m1");
  life->settle();
  CHECK_FALSE(fs::exists(directory / "m1"));
  CHECK(life->read("m1").starts_with("error "));
  CHECK(life->jobs("m1").empty());
}

TEST_CASE_FIXTURE(Fixture, "a disk that takes nothing hurts nobody, and once it does again all is written") {
  std::ofstream(directory) << "no directory";
  const auto job = make_job("j");
  auto& transcript = life->transcripts.begin(job, *job.parts[0], nullptr);
  transcript.command_sent("AT+FIRST");
  life->settle();
  CHECK(holds(life->read("m1"), "AT+FIRST"));
  fs::remove(directory);
  transcript.command_sent("AT+SECOND");
  life->settle();
  CHECK(holds(on_disk("j-1.jsonl"), "AT+FIRST"));
  CHECK(holds(on_disk("j-1.jsonl"), "AT+SECOND"));
  fs::remove(file("j-1.jsonl"));  // somebody tidied up
  transcript.command_sent("AT+THIRD");
  life->settle();
  CHECK(on_disk("j-1.jsonl") == life->read("m1"));
}

TEST_CASE_FIXTURE(Fixture, "a dialogue beyond its bounds is on the disk as it is in memory") {
  const auto job = make_job("j");
  auto& transcript = life->transcripts.begin(job, *job.parts[0], nullptr);
  for (int i = 0; i < 5000; ++i) {
    transcript.command_sent("AT+" + std::to_string(i));
    if (i % 700 == 0) life->settle();
  }
  life->settle();
  CHECK(on_disk("j-1.jsonl") == life->read("m1"));
  CHECK(holds(on_disk("j-1.jsonl"), "\"dropped\":3000"));
}

TEST_CASE_FIXTURE(Fixture, "names that are none lead to no file") {
  std::ofstream(dir.path() / "secret-1.jsonl") << "secret";
  for (const auto* name : {"..", "../x", "", "a/b", "m 1"}) {
    CHECK(life->read(name).starts_with("error "));
    CHECK(life->jobs(name).empty());
  }
  CHECK(life->read("m1", "../secret").starts_with("error "));
}
