#include "gateway/forgotten_ids.hpp"

#include <doctest/doctest.h>
#include <sys/resource.h>

#include <asio/co_spawn.hpp>
#include <csignal>

#include "gateway/journal.hpp"
#include "tests/support/temp_dir.hpp"

using namespace dfota;

namespace {

using Found = Result<std::optional<std::string>>;

std::unique_ptr<Journal> open(asio::io_context& loop, const test::TempDir& dir) {
  auto journal = Journal::open(loop, dir.path() / "journal.db");
  REQUIRE(journal.ok());
  return std::move(*journal);
}

/// Looks it up; puts it first, in the same turn of the loop, where that is wanted.
Awaitable<> ask(Journal& journal, std::string id, bool put, std::optional<Found>& found) {
  JournalContents::Tombstone tombstone{id, 1000, "{}"};
  if (put) journal.put_tombstone(Write::tombstone, std::move(tombstone));
  found = co_await journal.tombstone(id);
}

Found look_up(asio::io_context& loop, Journal& journal, const std::string& id, bool put = false) {
  std::optional<Found> found;
  asio::co_spawn(loop, ask(journal, id, put, found), [](const std::exception_ptr& bug) {
    if (bug) std::rethrow_exception(bug);
  });
  loop.restart();
  loop.run();
  REQUIRE(found.has_value());
  return *found;
}

/// No file of this process grows while it lives.
struct FullDisk {
  FullDisk() : handler(std::signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &before);
    rlimit none = before;
    none.rlim_cur = 0;
    setrlimit(RLIMIT_FSIZE, &none);
  }
  ~FullDisk() {
    setrlimit(RLIMIT_FSIZE, &before);
    std::signal(SIGXFSZ, handler);
  }
  void (*handler)(int);
  rlimit before{};
};

}  // namespace

TEST_CASE("an id that was added is held, and of ten thousand others hardly any is taken for one") {
  ForgottenIds ids;
  for (int i = 0; i < 10'000; ++i) ids.add("night-" + std::to_string(i));
  int mistaken = 0;
  for (int i = 0; i < 10'000; ++i) {
    CHECK(ids.may_hold("night-" + std::to_string(i)));
    if (ids.may_hold("day-" + std::to_string(i))) ++mistaken;
  }
  CHECK(mistaken < 500);
}

TEST_CASE(
    "an id may be a forgotten one from the turn of the loop on in which its tombstone is put, and after reopening") {
  const test::TempDir dir;
  asio::io_context loop;
  {
    const auto journal = open(loop, dir);
    CHECK(look_up(loop, *journal, "r3").value() == std::nullopt);
    CHECK(look_up(loop, *journal, "r3", true).value() == "{}");
  }
  const auto journal = open(loop, dir);
  CHECK(look_up(loop, *journal, "r3").value() == "{}");
  CHECK(look_up(loop, *journal, "r4").value() == std::nullopt);
}

TEST_CASE("a tombstone that waits for the disk is waited for: until it is written, its id is not taken for a new one") {
  const test::TempDir dir;
  asio::io_context loop;
  const auto journal = open(loop, dir);
  {
    const FullDisk full;
    CHECK_FALSE(look_up(loop, *journal, "r3", true).ok());
    CHECK_FALSE(look_up(loop, *journal, "r3").ok());
    CHECK(look_up(loop, *journal, "r4").value() == std::nullopt);
  }
  CHECK(look_up(loop, *journal, "r3").value() == "{}");
}
