#include "gateway/job_listeners.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace dfota;

namespace {

using Log = std::vector<std::string>;

struct Publisher : JobListener {
  explicit Publisher(Log& log) : log(log) {}
  void update_progress(const Job&, const Part&, const UpdateProgress&, const DownloadRate::Reading&) override {
    log.push_back("publisher progress");
  }
  void update_error(const Job&, const Part&, unsigned attempt, const UpdateError& error,
                    std::optional<WallTime>) override {
    log.push_back("publisher error " + error.name + " " + std::to_string(attempt));
  }
  void job_changed(const Job&) override { log.push_back("publisher changed"); }
  void part_ended(const Job&, const Part& part) override { log.push_back("publisher part " + part.module); }
  std::uint64_t job_ended(const Job& job) override {
    log.push_back("publisher ended " + job.id());
    return 42;
  }
  void job_forgotten(const Job&) override { log.push_back("publisher forgotten"); }
  void hold_changed() override { log.push_back("publisher hold"); }
  void clock_needed(bool in_vain) override { log.push_back(in_vain ? "publisher clock" : "publisher"); }
  void module_changed(const Module&) override {}
  Log& log;
};

struct Watcher : JobWatcher {
  Watcher(Log& log, std::string name) : log(log), name(std::move(name)) {}
  void update_progress(const Job&, const Part&, const UpdateProgress&, const DownloadRate::Reading&) override {
    log.push_back(name + " progress");
  }
  void update_error(const Job&, const Part&, unsigned attempt, const UpdateError& error,
                    std::optional<WallTime>) override {
    log.push_back(name + " error " + error.name + " " + std::to_string(attempt));
  }
  void part_ended(const Job&, const Part& part) override { log.push_back(name + " part " + part.module); }
  void job_ended(const Job& job) override { log.push_back(name + " ended " + job.id()); }
  Log& log;
  std::string name;
};

}  // namespace

TEST_CASE("everybody is told what becomes of updates, the publisher first, and its seq is the job's") {
  Log log;
  Publisher publisher(log);
  Watcher first(log, "first"), second(log, "second");
  JobWatcher idle;
  JobListeners all(publisher);
  all.add(first);
  all.add(idle);
  all.add(second);
  Job job;
  job.command.job = "night";
  Part part;
  part.module = "uc20-a";
  UpdateError error;
  error.name = "no_answer";
  struct Case {
    std::function<void()> tell;
    std::string what;
  };
  const Case cases[] = {
      {[&] { all.update_progress(job, part, {}, {}); }, "progress"},
      {[&] { all.update_error(job, part, 2, error, std::nullopt); }, "error no_answer 2"},
      {[&] { all.part_ended(job, part); }, "part uc20-a"},
      {[&] { CHECK(all.job_ended(job) == 42); }, "ended night"},
  };
  for (const auto& row : cases) {
    log.clear();
    row.tell();
    CHECK(log == Log{"publisher " + row.what, "first " + row.what, "second " + row.what});
  }
  // What only the publisher keeps.
  log.clear();
  all.job_changed(job);
  all.job_forgotten(job);
  all.hold_changed();
  all.clock_needed(true);
  CHECK(log == Log{"publisher changed", "publisher forgotten", "publisher hold", "publisher clock"});
}
