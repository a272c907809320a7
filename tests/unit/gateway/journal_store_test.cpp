#include "gateway/journal_store.hpp"

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <sstream>

#include "tests/support/temp_dir.hpp"

using namespace dfota;
namespace fs = std::filesystem;

namespace {
struct Directory {
  test::TempDir made;
  fs::path path = made.path();
};

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

std::string read(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

void write(const fs::path& file, const std::string& bytes) {
  std::ofstream(file, std::ios::binary | std::ios::trunc) << bytes;
}

std::unique_ptr<JournalStore> must_open(const fs::path& file) {
  auto store = JournalStore::open(file);
  if (!store) FAIL(store.error().message);
  return std::move(*store);
}

JournalContents read_back(const fs::path& file) {
  return must_open(file)->take_contents();
}

JournalContents::Job job(int n, std::string document = "{}") {
  return {"job" + std::to_string(n), std::move(document)};
}

/// Closed, without a WAL; several pages of each table.
void make_file(const fs::path& file) {
  const auto store = must_open(file);
  std::vector<JournalWrite> writes;
  for (int i = 0; i < 100; ++i) writes.emplace_back(job(i, std::string(1000, 'd')));
  REQUIRE(store->commit(writes).ok());
}

void check_set_aside(const fs::path& file, const std::string& broken) {
  // What the broken one had given out is not known, and no seq may come twice: the time is more than any of them.
  const auto now = static_cast<std::uint64_t>(std::time(nullptr));
  {
    const auto store = must_open(file);
    CHECK(store->last_seq() >= now);
    CHECK(store->set_aside() == file.string() + ".corrupt-1");
    CHECK(store->take_contents().jobs.empty());
    CHECK(store->commit({job(1)}).ok());
  }
  CHECK(read(file.string() + ".corrupt-1") == broken);
  const auto store = must_open(file);
  CHECK(store->set_aside().empty());
  CHECK(store->take_contents().jobs.size() == 1);
  CHECK(store->last_seq() >= now);  // nothing was published in between
}
}  // namespace

TEST_CASE("a new file is empty, and private") {
  Directory dir;
  const auto file = dir.path / "journal.db";
  const auto store = must_open(file);
  const auto contents = store->take_contents();
  CHECK(contents.jobs.empty());
  CHECK(contents.parts.empty());
  CHECK(contents.outbox.empty());
  CHECK(store->last_seq() == 0);
  CHECK(store->set_aside().empty());
  REQUIRE(store->commit({job(1)}).ok());
  for (const char* suffix : {"", "-wal"}) {
    struct stat status {};
    REQUIRE(stat((file.string() + suffix).c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0600);
  }
}

TEST_CASE("jobs, parts and outbox rows come back, in the order of their first put and by seq") {
  Directory dir;
  const auto file = dir.path / "journal.db";
  const std::string odd("a\0b'\"\xff\n", 7);
  {
    const auto store = must_open(file);
    REQUIRE(store->commit({JournalContents::Job{"z", "1"}, JournalContents::Job{"a", odd}}).ok());
    REQUIRE(store
                ->commit({JournalContents::Part{"z", 1, "m2", "p1"}, JournalContents::Part{"z", 1, "m1", odd},
                          JournalContents::Part{"z", 2, "m2", "p3"}, OutboxRow{9, "z", "t9", odd, true},
                          OutboxRow{7, "a", "t7", "", false}})
                .ok());
    REQUIRE(store->commit({JournalContents::Job{"z", "2"}, JournalContents::Part{"z", 1, "m2", "p4"}}).ok());
  }
  const auto contents = read_back(file);
  REQUIRE(contents.jobs.size() == 2);
  CHECK(contents.jobs[0].id == "z");
  CHECK(contents.jobs[0].document == "2");
  CHECK(contents.jobs[1].document == odd);
  REQUIRE(contents.parts.size() == 3);
  CHECK(contents.parts[0].module == "m2");
  CHECK(contents.parts[0].document == "p4");
  CHECK(contents.parts[1].module == "m1");
  CHECK(contents.parts[1].document == odd);
  CHECK(contents.parts[2].run == 2);
  REQUIRE(contents.outbox.size() == 2);
  CHECK(contents.outbox[0].seq == 7);
  CHECK_FALSE(contents.outbox[0].retained);
  CHECK(contents.outbox[1].topic == "t9");
  CHECK(contents.outbox[1].payload == odd);
  CHECK(contents.outbox[1].retained);
}

TEST_CASE("a forgotten job takes its parts with it, and nobody else's") {
  Directory dir;
  const auto file = dir.path / "journal.db";
  REQUIRE(must_open(file)
              ->commit({job(1), job(2), JournalContents::Part{"job1", 1, "m", "x"},
                        JournalContents::Part{"job1", 2, "m", "x"}, JournalContents::Part{"job2", 1, "m", "y"},
                        ForgetJob{"job1"}, ForgetJob{"none"}})
              .ok());
  const auto contents = read_back(file);
  REQUIRE(contents.jobs.size() == 1);
  CHECK(contents.jobs[0].id == "job2");
  REQUIRE(contents.parts.size() == 1);
  CHECK(contents.parts[0].document == "y");
}

TEST_CASE("the highest seq survives an emptied outbox") {
  Directory dir;
  const auto file = dir.path / "journal.db";
  REQUIRE(must_open(file)->commit({OutboxRow{41, "", "", "", false}, MarkSent{41}}).ok());
  const auto store = must_open(file);
  CHECK(store->last_seq() == 41);
  CHECK(store->take_contents().outbox.empty());
}

TEST_CASE("a file that is open is busy, and nothing is put aside") {
  Directory dir;
  const auto file = dir.path / "journal.db";
  {
    const auto first = must_open(file);
    const auto second = JournalStore::open(file);
    REQUIRE_FALSE(second.ok());
    CHECK(second.error().code == Errc::busy);
    CHECK(first->commit({job(1)}).ok());
  }
  CHECK_FALSE(fs::exists(file.string() + ".corrupt-1"));
  CHECK(read_back(file).jobs.size() == 1);
}

TEST_CASE("a broken file is put aside and a new one begun") {
  Directory dir;
  const auto file = dir.path / "journal.db";
  make_file(file);
  auto bytes = read(file);
  REQUIRE(bytes.size() > 20 * 4096);
  SUBCASE("text") {
    bytes = "id,document\n1,{}\n";
  }
  SUBCASE("long text") {
    bytes = std::string(100000, 'x');
  }
  SUBCASE("truncated at a page") {
    bytes.resize(10 * 4096);
  }
  SUBCASE("truncated within a page") {
    bytes.resize(10 * 4096 + 100);
  }
  SUBCASE("truncated within the header") {
    bytes.resize(50);
  }
  SUBCASE("two bytes") {
    bytes.resize(2);
  }
  SUBCASE("header flipped") {
    for (int i = 0; i < 40; ++i) bytes[i] = static_cast<char>(~bytes[i]);
  }
  SUBCASE("pages in the middle flipped") {
    for (std::size_t i = 4096; i < bytes.size(); ++i) bytes[i] = static_cast<char>(~bytes[i]);
  }
  SUBCASE("one page in the middle zero") {
    bytes.replace(8 * 4096, 4096, 4096, '\0');
  }
  write(file, bytes);
  check_set_aside(file, bytes);
}

TEST_CASE("an earlier broken file is not overwritten") {
  Directory dir;
  const auto file = dir.path / "journal.db";
  write(file.string() + ".corrupt-1", "first");
  write(file.string() + ".corrupt-2-wal", "second");
  write(file, "no database, but long enough to be sure of it");
  CHECK(must_open(file)->set_aside() == file.string() + ".corrupt-3");
  CHECK(read(file.string() + ".corrupt-1") == "first");
}

TEST_CASE("a broken file takes its WAL with it") {
  Directory dir;
  const auto file = dir.path / "journal.db";
  make_file(file);
  {
    const auto store = must_open(file);
    REQUIRE(store->commit({job(1)}).ok());
    fs::copy(file.string() + "-wal", dir.path / "wal");
  }
  const auto wal = read(dir.path / "wal");
  REQUIRE_FALSE(wal.empty());
  fs::rename(dir.path / "wal", file.string() + "-wal");
  SUBCASE("no database") {
    write(file, std::string(8192, 'x'));
  }
  SUBCASE("emptied") {
    write(file, "");
  }
  SUBCASE("removed") {
    fs::remove(file);
  }
  const auto store = must_open(file);
  CHECK(store->set_aside() == file.string() + ".corrupt-1");
  CHECK(store->take_contents().jobs.empty());
  CHECK(read(file.string() + ".corrupt-1-wal") == wal);
}

TEST_CASE("a file of a newer gateway is left as it is") {
  Directory dir;
  const auto file = dir.path / "journal.db";
  make_file(file);
  auto bytes = read(file);
  bytes[63] = 99;  // user_version, big endian at 60: https://www.sqlite.org/fileformat2.html#the_database_header
  write(file, bytes);
  const auto store = JournalStore::open(file);
  REQUIRE_FALSE(store.ok());
  CHECK(store.error().code == Errc::io);
  CHECK(store.error().message.find("newer gateway (schema 99") != std::string::npos);
  CHECK(read(file) == bytes);
  CHECK_FALSE(fs::exists(file.string() + ".corrupt-1"));
}

TEST_CASE("a place where no file can be is an io error that says why") {
  Directory dir;
  const auto missing = JournalStore::open(dir.path / "no" / "journal.db");
  REQUIRE_FALSE(missing.ok());
  CHECK(missing.error().code == Errc::io);
  CHECK(missing.error().message.find("No such file or directory") != std::string::npos);
  const auto directory = JournalStore::open(dir.path);
  REQUIRE_FALSE(directory.ok());
  CHECK(directory.error().code == Errc::io);
}

TEST_CASE("a full disk: nothing of the transaction, and all of it when there is room again") {
  Directory dir;
  const auto file = dir.path / "journal.db";
  std::vector<JournalWrite> writes;
  for (int i = 2; i < 50; ++i) writes.emplace_back(job(i, std::string(2000, 'x')));
  {
    const auto store = must_open(file);
    REQUIRE(store->commit({job(1)}).ok());
    for (const rlim_t room : {0, 1, 5000, 40000}) {
      CAPTURE(room);
      const FileLimit limit(fs::file_size(file.string() + "-wal") + room);
      const auto full = store->commit(writes);
      REQUIRE_FALSE(full.ok());
      CAPTURE(full.error().message);
      CHECK(full.error().code == Errc::no_space);
    }
    SUBCASE("and it is tried again") {
      REQUIRE(store->commit(writes).ok());
      REQUIRE(store->commit({job(99)}).ok());
    }
    SUBCASE("and it is not tried again") {
      writes.clear();
    }
  }
  CHECK(read_back(file).jobs.size() == (writes.empty() ? 1 : 50));
}
