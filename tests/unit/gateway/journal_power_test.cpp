// The power goes before each write and each sync of the journal's, and a disk refuses each of them: what commit() has
// said to be there is there, and of the commit that was under way all or nothing.
#include <doctest/doctest.h>

#include <random>
#include <sstream>

#include "gateway/journal_store.hpp"
#include "tests/support/lossy_vfs.hpp"
#include "tests/support/temp_dir.hpp"

using namespace dfota;
using namespace dfota::test;
namespace fs = std::filesystem;

namespace {
/// As a gateway writes them: a job and its parts at once, then steps, results, and rows that leave the outbox.
/// `bytes` is how long a document is.
std::vector<JournalWrite> commit_number(unsigned n, std::size_t bytes) {
  const std::string job = "job" + std::to_string(n / 4), module = "m" + std::to_string(n % 3);
  const std::string document = std::to_string(n) + std::string(bytes, static_cast<char>('a' + n % 26));
  std::vector<JournalWrite> writes;
  switch (n % 4) {
    case 0:
      writes.emplace_back(JournalContents::Job{job, document});
      for (const auto* each : {"m0", "m1", "m2"}) writes.emplace_back(JournalContents::Part{job, 1, each, document});
      break;
    case 1:
      writes.emplace_back(JournalContents::Part{job, 1, module, document});
      break;
    case 2:
      writes.emplace_back(JournalContents::Part{job, 1, module, document});
      writes.emplace_back(OutboxRow{n, job, "t", document, n % 8 == 2});
      break;
    default:
      writes.emplace_back(MarkSent{n - 1});
      if (n > 8) writes.emplace_back(ForgetJob{"job" + std::to_string(n / 4 - 2)});
      break;
  }
  return writes;
}

std::string text_of(JournalStore& store) {
  const auto contents = store.take_contents();
  std::ostringstream out;
  for (const auto& job : contents.jobs) out << "job " << job.id << " " << job.document << "\n";
  for (const auto& part : contents.parts)
    out << "part " << part.job << " " << part.run << " " << part.module << " " << part.document << "\n";
  for (const auto& row : contents.outbox)
    out << "outbox " << row.seq << " " << row.job << " " << row.topic << " " << row.payload << row.retained << "\n";
  out << store.last_seq();
  return std::move(out).str();
}

std::string read_back(const fs::path& file) {
  const auto store = JournalStore::open(file);
  if (!store) FAIL(store.error().message);
  CHECK((*store)->set_aside().empty());
  return text_of(**store);
}

/// What was committed, and when.
struct History {
  std::vector<std::string> contents;    ///< [n]: after n commits
  std::vector<std::size_t> operations;  ///< [n]: how many were made when the n-th commit returned
  std::vector<DiskOperation> disk;
};

/// Opens a journal, commits, and closes it.
History write_history(unsigned commits, std::size_t bytes) {
  History history;
  const TempDir dir, calm;
  for (unsigned n = 0; n <= commits; ++n) {
    const LossyVfs without_syncs;
    history.contents.push_back(read_back(calm.path() / "journal.db"));
    if (n == commits) break;
    auto store = JournalStore::open(calm.path() / "journal.db");
    REQUIRE(store.ok());
    REQUIRE((*store)->commit(commit_number(n, bytes)).ok());
  }
  const LossyVfs vfs;
  {
    auto store = JournalStore::open(dir.path() / "journal.db");
    REQUIRE(store.ok());
    history.operations.push_back(vfs.operations().size());
    for (unsigned n = 0; n < commits; ++n) {
      REQUIRE((*store)->commit(commit_number(n, bytes)).ok());
      history.operations.push_back(vfs.operations().size());
    }
  }
  history.disk = vfs.operations();
  return history;
}

void check_loss_before(std::size_t operation, const History& history, const Survives& survives) {
  CAPTURE(operation);
  const TempDir dir;
  write_disk(history.disk, operation, dir.path(), survives);
  const LossyVfs without_syncs;
  const auto found = read_back(dir.path() / "journal.db");
  std::size_t promised = 0;
  while (promised + 1 < history.operations.size() && history.operations[promised + 1] <= operation) ++promised;
  CAPTURE(promised);
  const bool all = found == history.contents[promised];
  const bool one_more = promised + 1 < history.contents.size() && found == history.contents[promised + 1];
  CHECK((all || one_more));
}

bool nothing_survives() {
  return false;
}

/// Always the same chances: a test that fails is to fail again.
Survives by_chance(unsigned seed) {
  return [random = std::minstd_rand(seed + 1)]() mutable { return random() % 2 == 0; };
}

bool is_write_to(const DiskOperation& one, const std::string& file) {
  return one.kind == DiskOperation::Kind::write && one.file == file;
}

/// From shortly before the first page is copied out of the WAL: whatever is no write, and one write of many.
std::vector<std::size_t> telling_operations(const History& history) {
  constexpr std::size_t kBefore = 10, kStride = 250;
  std::size_t next = history.operations.front();
  while (!is_write_to(history.disk.at(next), "journal.db")) ++next;
  std::vector<std::size_t> telling;
  for (next -= kBefore; next <= history.disk.size(); ++next) {
    const bool among_writes = next < history.disk.size() && history.disk[next].kind == DiskOperation::Kind::write &&
                              history.disk[next - 1].kind == DiskOperation::Kind::write;
    if (!among_writes || next % kStride == 0) telling.push_back(next);
  }
  return telling;
}
}  // namespace

TEST_CASE("the power goes before any write or sync: nothing that was promised is lost, nothing is there by halves") {
  const auto history = write_history(14, 300);
  REQUIRE(history.disk.size() > 100);
  for (std::size_t i = 0; i <= history.disk.size(); ++i) check_loss_before(i, history, nothing_survives);
}

TEST_CASE("what was not synced is on the disk in torn pieces: the same") {
  const auto history = write_history(14, 300);
  for (std::size_t i = 0; i <= history.disk.size(); ++i) {
    for (const unsigned chance : {0u, 1u, 2u}) check_loss_before(i, history, by_chance(3 * i + chance));
  }
}

TEST_CASE("the power goes while the WAL is copied into the database, and when it is begun anew") {
  // Documents of 60 pages each, so that the WAL reaches SQLite's 1,000 pages with few commits.
  const auto history = write_history(16, 250000);
  const auto telling = telling_operations(history);
  REQUIRE(telling.front() < history.operations.back());
  for (const auto i : telling) {
    check_loss_before(i, history, nothing_survives);
    check_loss_before(i, history, by_chance(i));
  }
}

TEST_CASE("a disk that refuses any one write or sync: an error is said, and the same commit again is taken") {
  constexpr unsigned kCommits = 14;
  const auto history = write_history(kCommits, 300);
  for (std::size_t i = 0; i < history.disk.size(); ++i) {
    CAPTURE(i);
    const TempDir dir;
    const auto file = dir.path() / "journal.db";
    LossyVfs vfs;
    vfs.fail(i);
    {
      auto store = JournalStore::open(file);
      if (!store) {
        CHECK(store.error().code == Errc::io);
        store = JournalStore::open(file);
      }
      REQUIRE(store.ok());
      for (unsigned n = 0; n < kCommits; ++n) {
        const auto first = (*store)->commit(commit_number(n, 300));
        if (first) continue;
        CHECK(first.error().code == Errc::io);
        REQUIRE((*store)->commit(commit_number(n, 300)).ok());
      }
    }
    CHECK(read_back(file) == history.contents.back());
    CHECK_FALSE(fs::exists(file.native() + ".corrupt-1"));
  }
}
