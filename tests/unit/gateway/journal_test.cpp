#include "gateway/journal.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <csignal>
#include <cstdlib>
#include <optional>

#include "tests/support/temp_dir.hpp"

using namespace dfota;
namespace fs = std::filesystem;

namespace {
struct Directory {
  test::TempDir made;
  fs::path path = made.path(), file = path / "journal.db";
};

std::unique_ptr<Journal> must_open(asio::io_context& loop, const fs::path& file) {
  auto journal = Journal::open(loop, file);
  if (!journal) FAIL(journal.error().message);
  return std::move(*journal);
}

Awaitable<> await_commit(Journal& journal, std::optional<Result<void>>& outcome) {
  outcome = co_await journal.committed();
}

/// Runs the loop until everything put is on the disk, or is not.
Result<void> commit(asio::io_context& loop, Journal& journal) {
  std::optional<Result<void>> outcome;
  asio::co_spawn(loop, await_commit(journal, outcome), rethrow);
  loop.restart();
  loop.run();
  REQUIRE(outcome.has_value());
  return *outcome;
}

JournalContents read_back(const fs::path& file) {
  asio::io_context loop;
  return must_open(loop, file)->take_contents();
}

std::string name_of(int n) {
  return "job" + std::to_string(n);
}

Awaitable<> put_and_commit(Journal& journal, int n, int& done) {
  journal.put_job(Write::job_accepted, name_of(n), std::string(100, 'x'));
  const auto outcome = co_await journal.committed();
  if (outcome) ++done;
}

/// No file grows beyond `bytes` while it lives: the full disk that needs no root.
class FileLimit {
 public:
  explicit FileLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    REQUIRE(getrlimit(RLIMIT_FSIZE, &before_) == 0);
    rlimit now = before_;
    now.rlim_cur = bytes;
    REQUIRE(setrlimit(RLIMIT_FSIZE, &now) == 0);
  }
  ~FileLimit() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  void (*handler_)(int);
  rlimit before_{};
};

/// This program again, running one skipped test case of this file; what it writes to descriptor 3 is read from here.
class Child {
 public:
  Child(const char* test_case, const fs::path& file, int first) {
    int ends[2];
    REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
    const std::string filter = std::string("--test-case=") + test_case;
    setenv("DFOTA_TEST_JOURNAL", file.c_str(), 1);
    setenv("DFOTA_TEST_FIRST", std::to_string(first).c_str(), 1);
    pid_ = fork();
    if (pid_ == 0) {
      dup2(ends[1], 3);
      if (ends[1] == 3) fcntl(3, F_SETFD, 0);
      execl("/proc/self/exe", "unit_gateway", "--no-skip", "--minimal", filter.c_str(), nullptr);
      _exit(127);
    }
    close(ends[1]);
    acknowledged_ = ends[0];
    REQUIRE(pid_ > 0);
  }
  ~Child() {
    kill();
    close(acknowledged_);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  /// The next number that it acknowledged; none once it is dead and all were read.
  std::optional<int> next() {
    int n = 0;
    return read(acknowledged_, &n, sizeof n) == sizeof n ? std::optional(n) : std::nullopt;
  }
  void kill() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }

 private:
  pid_t pid_ = 0;
  int acknowledged_ = -1;
};
}  // namespace

TEST_CASE("what is committed is there after reopening, each kind of it") {
  Directory dir;
  {
    asio::io_context loop;
    const auto journal = must_open(loop, dir.file);
    CHECK(journal->set_aside().empty());
    CHECK(journal->take_contents().jobs.empty());
    journal->put_job(Write::job_accepted, "b", "{\"n\":1}");
    journal->put_job(Write::job_accepted, "a", "{\"n\":2}");
    journal->put_job(Write::job_accepted, "gone", "{}");
    journal->put_part(Write::part_accepted, "b", 1, "uc20-a", "p");
    journal->put_part(Write::part_accepted, "gone", 1, "uc20-a", "p");
    journal->put_outbox(Write::result, {journal->next_seq(), "b", "topic", "payload", true});
    journal->put_outbox(Write::result, {journal->next_seq(), "b", "topic", "payload", false});
    REQUIRE(commit(loop, *journal).ok());
    journal->put_job(Write::job_accepted, "b", "{\"n\":3}");
    journal->remove_job(Write::job_forgotten, "gone");
    journal->mark_sent(Write::outbox_sent, 1);
    REQUIRE(commit(loop, *journal).ok());
  }
  const auto contents = read_back(dir.file);
  REQUIRE(contents.jobs.size() == 2);
  CHECK(contents.jobs[0].id == "b");
  CHECK(contents.jobs[0].document == "{\"n\":3}");
  CHECK(contents.jobs[1].id == "a");
  REQUIRE(contents.parts.size() == 1);
  CHECK(contents.parts[0].job == "b");
  REQUIRE(contents.outbox.size() == 1);
  CHECK(contents.outbox[0].seq == 2);
  CHECK(contents.outbox[0].payload == "payload");
}

TEST_CASE("contents are moved out once") {
  Directory dir;
  asio::io_context loop;
  must_open(loop, dir.file)->put_job(Write::job_accepted, "a", "{}");
  const auto journal = must_open(loop, dir.file);
  CHECK(journal->take_contents().jobs.size() == 1);
  CHECK(journal->take_contents().jobs.empty());
}

TEST_CASE("committed with nothing to commit goes on at once") {
  Directory dir;
  asio::io_context loop;
  const auto journal = must_open(loop, dir.file);
  CHECK(commit(loop, *journal).ok());
}

TEST_CASE("what one turn of the loop puts shares one commit") {
  Directory dir;
  asio::io_context loop;
  const auto journal = must_open(loop, dir.file);
  const auto wal_before = fs::file_size(dir.file.string() + "-wal");
  int done = 0;
  constexpr int kJobs = 500;
  for (int i = 0; i < kJobs; ++i) asio::co_spawn(loop, put_and_commit(*journal, i, done), rethrow);
  loop.run();
  CHECK(done == kJobs);
  // Each commit appends at least one page to the WAL.
  CHECK(fs::file_size(dir.file.string() + "-wal") - wal_before < kJobs / 2 * 4096);
}

TEST_CASE("what nobody waits for is committed, by a turn of the loop or by the end") {
  Directory dir;
  {
    asio::io_context loop;
    const auto journal = must_open(loop, dir.file);
    journal->put_job(Write::job_accepted, "turn", "{}");
    loop.run();
    journal->put_job(Write::job_accepted, "end", "{}");
  }
  CHECK(read_back(dir.file).jobs.size() == 2);
}

TEST_CASE("seq grows on over a restart with an emptied outbox") {
  Directory dir;
  asio::io_context loop;
  std::uint64_t last = 0;
  for (int round = 0; round < 3; ++round) {
    const auto journal = must_open(loop, dir.file);
    for (int i = 0; i < 5; ++i) {
      const auto seq = journal->next_seq();
      CHECK(seq > last);
      last = seq;
      journal->put_outbox(Write::result, {seq, "job", "t", "p", false});
      journal->mark_sent(Write::outbox_sent, seq);
    }
  }
  CHECK(last == 15);
  CHECK(read_back(dir.file).outbox.empty());
}

TEST_CASE("a thousand parts come back in order") {
  Directory dir;
  {
    asio::io_context loop;
    const auto journal = must_open(loop, dir.file);
    journal->put_job(Write::job_accepted, "big", "{}");
    for (int i = 0; i < 1000; ++i)
      journal->put_part(Write::part_accepted, "big", 1, "m" + std::to_string(i), std::to_string(i));
    REQUIRE(commit(loop, *journal).ok());
    for (int i = 999; i >= 0; --i)
      journal->put_part(Write::part_accepted, "big", 1, "m" + std::to_string(i), std::to_string(i * 2));
  }
  const auto contents = read_back(dir.file);
  REQUIRE(contents.parts.size() == 1000);
  for (int i = 0; i < 1000; ++i) {
    REQUIRE(contents.parts[i].module == "m" + std::to_string(i));
    REQUIRE(contents.parts[i].document == std::to_string(i * 2));
  }
}

TEST_CASE("a broken file is named, and the journal works") {
  Directory dir;
  asio::io_context loop;
  FILE* broken = std::fopen(dir.file.c_str(), "w");
  REQUIRE(broken);
  std::fputs("this was a journal, once upon a time", broken);
  std::fclose(broken);
  const auto journal = must_open(loop, dir.file);
  CHECK(journal->set_aside() == dir.file.string() + ".corrupt-1");
  journal->put_job(Write::job_accepted, "a", "{}");
  CHECK(commit(loop, *journal).ok());
}

TEST_CASE("a full disk is told to everybody who waits, and nothing is lost when there is room again") {
  Directory dir;
  {
    asio::io_context loop;
    const auto journal = must_open(loop, dir.file);
    journal->put_job(Write::job_accepted, "before", "{}");
    REQUIRE(commit(loop, *journal).ok());
    {
      const FileLimit limit(fs::file_size(dir.file.string() + "-wal"));
      int done = 0;
      for (int i = 0; i < 10; ++i) asio::co_spawn(loop, put_and_commit(*journal, i, done), rethrow);
      loop.restart();
      loop.run();
      CHECK(done == 0);
      // Asked again without a new write: the answer is a new attempt's.
      const auto full = commit(loop, *journal);
      REQUIRE_FALSE(full.ok());
      CHECK(full.error().code == Errc::no_space);
      journal->put_job(Write::job_accepted, name_of(0), "newer");
      REQUIRE_FALSE(commit(loop, *journal).ok());
    }
    SUBCASE("with the next write") {
      journal->put_job(Write::job_accepted, "after", "{}");
    }
    SUBCASE("without one") {}
    CHECK(commit(loop, *journal).ok());
    journal->put_job(Write::job_accepted, "after", "{}");
    CHECK(commit(loop, *journal).ok());
  }
  const auto contents = read_back(dir.file);
  REQUIRE(contents.jobs.size() == 12);
  CHECK(contents.jobs[0].id == "before");
  CHECK(contents.jobs[1].id == name_of(0));
  CHECK(contents.jobs[1].document == "newer");
  CHECK(contents.jobs[10].id == name_of(9));
  CHECK(contents.jobs[11].id == "after");
}

TEST_CASE("beyond its bound the journal takes nothing more, and what it took is on the disk without a gap") {
  Directory dir;
  constexpr int kMegabytes = 80;
  int overruns = 0;
  {
    asio::io_context loop;
    const auto journal = must_open(loop, dir.file);
    journal->on_overrun = [&] { ++overruns; };
    for (int i = 0; i < kMegabytes; ++i) journal->put_job(Write::job_accepted, name_of(i), std::string(1 << 20, 'x'));
    const auto refused = commit(loop, *journal);
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().code == Errc::io);
    journal->put_job(Write::job_accepted, "small, after the gap", "{}");
    CHECK_FALSE(commit(loop, *journal).ok());
  }
  CHECK(overruns == 1);
  const auto contents = read_back(dir.file);
  REQUIRE(contents.jobs.size() == 63);  // 64 MiB, and each carries a little more than its megabyte
  for (int i = 0; i < 63; ++i) CHECK(contents.jobs[i].id == name_of(i));
}

TEST_CASE("who waits when the journal is closed hears that it is on the disk") {
  Directory dir;
  asio::io_context loop;
  auto journal = must_open(loop, dir.file);
  int done = 0;
  for (int i = 0; i < 3; ++i) asio::co_spawn(loop, put_and_commit(*journal, i, done), rethrow);
  for (int i = 0; i < 3; ++i) loop.run_one();  // all three have put and wait; nothing was handed over
  journal.reset();
  SUBCASE("and the loop goes on") {
    loop.run();
    CHECK(done == 3);
  }
  SUBCASE("and the loop ends, too") {}
  CHECK(read_back(dir.file).jobs.size() == 3);
}

TEST_CASE("a canceled wait ends, and its write is committed all the same") {
  Directory dir;
  asio::io_context loop;
  {
    const auto journal = must_open(loop, dir.file);
    asio::cancellation_signal stop;
    int done = 0;
    asio::co_spawn(loop, put_and_commit(*journal, 1, done), asio::bind_cancellation_slot(stop.slot(), rethrow));
    loop.run_one();
    stop.emit(asio::cancellation_type::terminal);
    loop.run();
    CHECK(done == 0);
  }
  CHECK(read_back(dir.file).jobs.size() == 1);
}

TEST_CASE("child: commits, acknowledging each" * doctest::skip()) {
  const char* file = std::getenv("DFOTA_TEST_JOURNAL");
  if (!file) return;  // only a parent below starts this
  const int first = std::atoi(std::getenv("DFOTA_TEST_FIRST"));
  asio::io_context loop;
  const auto journal = must_open(loop, file);
  for (int n = first; n < first + 20000; ++n) {
    journal->put_job(Write::job_accepted, name_of(n), std::string(300, 'x'));
    journal->put_part(Write::part_accepted, name_of(n), 1, "m", "{}");
    REQUIRE(commit(loop, *journal).ok());
    REQUIRE(write(3, &n, sizeof n) == sizeof n);
  }
}

TEST_CASE("kill -9: every acknowledged commit is there, and each is whole") {
  Directory dir;
  int first = 0;
  for (int round = 0; round < 8; ++round) {
    CAPTURE(round);
    Child child("child: commits*", dir.file, first);
    int last = first - 1;
    for (int i = 0; i < 3 + round * 40; ++i) {
      const auto n = child.next();
      REQUIRE(n.has_value());
      last = *n;
    }
    child.kill();
    while (const auto n = child.next()) last = *n;
    const auto contents = read_back(dir.file);
    const int kept = static_cast<int>(contents.jobs.size());
    REQUIRE(kept > last);
    REQUIRE(contents.parts.size() == contents.jobs.size());
    for (int i = 0; i < kept; ++i) REQUIRE(contents.jobs[i].id == name_of(i));
    first = kept;
  }
}

TEST_CASE("a second gateway is told busy, and its turn comes when the first one died") {
  Directory dir;
  Child first("child: commits*", dir.file, 0);
  REQUIRE(first.next().has_value());
  asio::io_context loop;
  {
    const auto second = Journal::open(loop, dir.file);
    REQUIRE_FALSE(second.ok());
    CHECK(second.error().code == Errc::busy);
  }
  first.kill();
  CHECK_FALSE(must_open(loop, dir.file)->take_contents().jobs.empty());
  CHECK_FALSE(fs::exists(dir.file.string() + ".corrupt-1"));
}
