// What the watchdog asks of the journal: has its thread come round? And what the metrics hear of its commits.
#include <doctest/doctest.h>

#include <asio/co_spawn.hpp>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <thread>

#include "gateway/journal.hpp"
#include "tests/support/temp_dir.hpp"

using namespace dfota;
namespace fs = std::filesystem;

namespace {

Awaitable<> commit_and_turn(Journal& journal, std::optional<Result<void>>& turned) {
  journal.put_job(Write::job_accepted, "night", "{}");
  const auto committed = co_await journal.committed();
  if (committed) turned = co_await journal.turned();
}

Awaitable<> turn(Journal& journal, std::optional<Result<void>>& turned) {
  turned = co_await journal.turned();
}

std::string bytes_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

}  // namespace

TEST_CASE("an idle journal comes round, and writes nothing for it") {
  test::TempDir made;
  const fs::path directory = made.path();
  asio::io_context loop;
  auto journal = Journal::open(loop, directory / "journal.db");
  REQUIRE(journal);
  std::optional<Result<void>> turned;
  asio::co_spawn(loop, commit_and_turn(**journal, turned), rethrow);
  loop.run();
  REQUIRE(turned);
  CHECK(*turned);

  const auto log = directory / "journal.db-wal";
  const auto before = bytes_of(log);
  CHECK_FALSE(before.empty());
  for (int i = 0; i < 10; ++i) {
    turned.reset();
    asio::co_spawn(loop, turn(**journal, turned), rethrow);
    loop.restart();
    loop.run();
    REQUIRE(turned);
    CHECK(*turned);
  }
  CHECK(bytes_of(log) == before);
}

TEST_CASE("each commit is told on the journal's thread, with the time that it took") {
  test::TempDir made;
  std::atomic<int> written = 0, failed = 0, elsewhere = 0, timeless = 0;
  asio::io_context loop;
  {
    auto journal = Journal::open(loop, fs::path(made.path()) / "journal.db");
    REQUIRE(journal);
    (*journal)->on_commit = [&, test = std::this_thread::get_id()](std::chrono::nanoseconds took, bool ok) {
      ++(ok ? written : failed);
      if (std::this_thread::get_id() != test) ++elsewhere;
      if (took <= std::chrono::nanoseconds(0)) ++timeless;
    };
    for (int i = 0; i < 3; ++i) {
      std::optional<Result<void>> turned;
      asio::co_spawn(loop, commit_and_turn(**journal, turned), rethrow);
      loop.restart();
      loop.run();
      REQUIRE(turned);
      CHECK(*turned);
    }
    CHECK(written == 3);
    (*journal)->put_job(Write::job_accepted, "last", "{}");
  }
  CHECK(written == 4);
  CHECK(elsewhere == 4);
  CHECK(failed == 0);
  CHECK(timeless == 0);
}
