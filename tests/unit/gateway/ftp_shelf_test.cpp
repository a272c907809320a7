#include "gateway/ftp_shelf.hpp"

#include <doctest/doctest.h>
#include <sys/resource.h>

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <thread>

#include "tests/support/ftp_shelf_fixture.hpp"
#include "transport/base/clock.hpp"

using namespace dfota;
using namespace dfota::test;

TEST_CASE("ftp shelf: a delta stands there whole, under its name, readable for all, until it is dropped") {
  Bench bench;
  const mode_t before = ::umask(0077);
  const auto name = bench.put(kBody);
  ::umask(before);
  REQUIRE(name.ok());
  CHECK(*name == name_of(kBody));
  CHECK(name->size() == kFtpNameBytes);
  CHECK(bench.names() == Names{*name});
  CHECK(content(bench.directory / *name) == kBody);
  CHECK(mode(bench.directory / *name) == 0644);
  bench.shelf->drop(*name);
  bench.reopen();
  CHECK(bench.names().empty());
}

TEST_CASE("ftp shelf: uses are counted, and the same again copies nothing") {
  Bench bench;
  const auto name = bench.put(kBody);
  REQUIRE(name.ok());
  const ino_t first = inode(bench.directory / *name);
  REQUIRE(bench.put(kBody).ok());
  CHECK(inode(bench.directory / *name) == first);
  bench.shelf->drop(*name);
  REQUIRE(bench.put("other").ok());  // what was queued before is done then
  CHECK(bench.names().size() == 2);
  bench.shelf->drop(*name);
  bench.shelf->drop(*name);
  bench.shelf->drop("dfota-nobody");
  bench.reopen();
  CHECK(bench.names() == Names{name_of("other")});
}

TEST_CASE("ftp shelf: dropped and put again at once, it is there") {
  Bench bench;
  const auto name = bench.put(kBody);
  REQUIRE(name.ok());
  bench.shelf->drop(*name);
  REQUIRE(bench.put(kBody).ok());
  CHECK(bench.names() == Names{*name});
}

TEST_CASE("ftp shelf: many put one delta at a time: one copy, a use for each") {
  Bench bench;
  SlowArtifact slow(bench);
  std::vector<std::optional<Outcome>> outcomes(FtpShelf::kMaxQueued + 10);
  for (auto& outcome : outcomes) bench.start(hash_of("body"), slow.path(), outcome);
  slow.wait_for_reader();
  slow.give("body");
  for (auto& outcome : outcomes) CHECK(*bench.finish(outcome) == name_of("body"));
  for (std::size_t i = 1; i < outcomes.size(); ++i) bench.shelf->drop(name_of("body"));
  bench.reopen();
  CHECK(bench.names() == Names{name_of("body")});
}

TEST_CASE("ftp shelf: what is not the delta under its name is replaced") {
  Bench bench;
  const fs::path file = bench.directory / name_of(kBody);
  std::ofstream(bench.made.path() / "target") << "target";
  SUBCASE("another size") {
    std::ofstream(file) << "x";
  }
  SUBCASE("another hash") {
    std::ofstream(file) << std::string(kBody.size(), 'x');
  }
  SUBCASE("unreadable for the server") {
    std::ofstream(file) << kBody;
    REQUIRE(::chmod(file.c_str(), 0600) == 0);
  }
  SUBCASE("a link") {
    fs::create_symlink(bench.made.path() / "target", file);
  }
  SUBCASE("no file") {
    REQUIRE(::mknod(file.c_str(), S_IFIFO | 0644, 0) == 0);
  }
  SUBCASE("a half of an earlier copy beside it") {
    std::ofstream(bench.directory / ("." + name_of(kBody))) << "x";
  }
  REQUIRE(bench.put(kBody).ok());
  CHECK(bench.names() == Names{name_of(kBody)});
  CHECK(content(file) == kBody);
  CHECK_FALSE(fs::is_symlink(file));
  CHECK(mode(file) == 0644);
  CHECK(content(bench.made.path() / "target") == "target");
}

TEST_CASE("ftp shelf: what an earlier process left is used when it is right, also without the artifact") {
  Bench bench;
  REQUIRE(bench.put(kBody).ok());
  bench.reopen();
  CHECK(bench.names() == Names{name_of(kBody)});
  const ino_t first = inode(bench.directory / name_of(kBody));
  CHECK(bench.put_file(hash_of(kBody), "/no/such").ok());
  CHECK(inode(bench.directory / name_of(kBody)) == first);
}

TEST_CASE("ftp shelf: another hash than promised, no artifact, a directory: an error, and nothing is left") {
  Bench bench;
  CHECK(bench.put_file(hash_of("other"), bench.artifact(kBody)).error().code == Errc::mismatch);
  CHECK(bench.put_file(hash_of("other"), "/no/such").error().code == Errc::absent);
  CHECK(bench.put_file(hash_of("other"), "/tmp").error().code == Errc::io);
  bench.reopen();
  CHECK(bench.names().empty());
}

TEST_CASE("ftp shelf: hashes and extensions that make no name are refused") {
  Bench bench;
  const std::string hash = hash_of(kBody);
  for (const char* extension : {".bin", ".zip", ".B1", ".x"}) CHECK(bench.put_as(hash, extension).ok());
  for (const char* extension : {"", ".", "bin", ".bina", "..b", "./b", ".b/", ".b ", ".;"}) {
    CAPTURE(extension);
    CHECK(bench.put_as(hash, extension).error().code == Errc::invalid);
  }
  std::string upper = hash;
  std::ranges::transform(upper, upper.begin(), [](char c) { return static_cast<char>(std::toupper(c)); });
  for (const std::string& wrong : {std::string(), hash.substr(1), hash + "0", upper, "../" + hash.substr(3)}) {
    CAPTURE(wrong);
    CHECK(bench.put_as(wrong, ".bin").error().code == Errc::invalid);
  }
}

TEST_CASE("ftp shelf: a full disk is no_space with an advice, and leaves nothing") {
  Bench bench;
  const fs::path artifact = bench.artifact(kBody);
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
  rlimit small = before;
  small.rlim_cur = 1000;
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
  const auto outcome = bench.put_file(hash_of(kBody), artifact);
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &before) == 0);
  std::signal(SIGXFSZ, SIG_DFL);
  REQUIRE_FALSE(outcome.ok());
  CHECK(outcome.error().code == Errc::no_space);
  CHECK(outcome.error().message.find("make room") != std::string::npos);
  bench.reopen();
  CHECK(bench.names().empty());
}

TEST_CASE("ftp shelf: a directory that takes nothing is io with an advice") {
  Bench bench;
  SUBCASE("it went") {
    fs::remove(bench.directory);
  }
  SUBCASE("something of somebody else stands there") {
    fs::create_directories(bench.directory / name_of(kBody) / "below");
  }
  const auto outcome = bench.put(kBody);
  REQUIRE_FALSE(outcome.ok());
  CHECK(outcome.error().code == Errc::io);
  CHECK(outcome.error().message.find("must be allowed to write") != std::string::npos);
}

TEST_CASE("ftp shelf: the queue is bounded; what is under way may still be joined") {
  Bench bench;
  SlowArtifact slow(bench);
  std::vector<std::optional<Outcome>> outcomes(FtpShelf::kMaxQueued + 2);
  bench.start(hash_of("body"), slow.path(), outcomes[0]);
  slow.wait_for_reader();
  const auto other = [](std::size_t i) { return hash_of(std::to_string(i)); };
  for (std::size_t i = 1; i <= FtpShelf::kMaxQueued; ++i) bench.start(other(i), "/no/such", outcomes[i]);
  CHECK(bench.finish(outcomes[FtpShelf::kMaxQueued]).error().code == Errc::busy);
  bench.start(hash_of("body"), slow.path(), outcomes.back());
  slow.give("body");
  CHECK(bench.finish(outcomes[0]).ok());
  CHECK(bench.finish(outcomes.back()).ok());
  CHECK(bench.finish(outcomes[FtpShelf::kMaxQueued - 1]).error().code == Errc::absent);
  CHECK(bench.put("room again").ok());
}

TEST_CASE("ftp shelf: a disk that does not answer ends the wait, and the use with it") {
  SteppedClock clock;
  Bench bench;
  SlowArtifact slow(bench);
  std::optional<Outcome> outcome;
  bench.start(hash_of("body"), slow.path(), outcome);
  slow.wait_for_reader();
  clock.advance(FtpShelf::kPutLimit - std::chrono::seconds(1));
  bench.loop.restart();
  bench.loop.poll();
  CHECK_FALSE(outcome);
  clock.advance(std::chrono::seconds(2));
  bench.loop.restart();
  bench.loop.poll();
  REQUIRE(outcome);
  CHECK(outcome->error().code == Errc::timeout);
  slow.give("body");
  bench.reopen();
  CHECK(bench.names().empty());
}

TEST_CASE("ftp shelf: who is canceled while it puts leaves nothing") {
  Bench bench;
  SlowArtifact slow(bench);
  asio::cancellation_signal cancel;
  std::optional<Outcome> outcome;
  bool ended = false;
  asio::co_spawn(bench.loop, keep(*bench.shelf, hash_of("body"), slow.path(), ".bin", outcome),
                 asio::bind_cancellation_slot(cancel.slot(), [&](const std::exception_ptr&) { ended = true; }));
  bench.loop.poll();
  slow.wait_for_reader();
  cancel.emit(asio::cancellation_type::terminal);
  bench.loop.restart();
  bench.loop.poll();
  CHECK(ended);
  CHECK_FALSE(outcome);
  slow.give("body");
  REQUIRE(bench.put("other").ok());
  CHECK(bench.names() == Names{name_of("other")});
}

TEST_CASE("ftp shelf: destroyed, all who wait get canceled, halves go, and what is in use stays") {
  Bench bench;
  REQUIRE(bench.put(kBody).ok());
  SlowArtifact slow(bench);
  std::vector<std::optional<Outcome>> outcomes(3);
  bench.start(hash_of("body"), slow.path(), outcomes[0]);
  slow.wait_for_reader();
  bench.start(hash_of("queued"), bench.artifact("queued"), outcomes[1]);
  bench.start(hash_of(kBody), bench.artifact(kBody), outcomes[2]);
  std::thread endless([&slow] { slow.give_until_nobody_reads(); });
  bench.shelf.reset();
  endless.join();
  for (auto& outcome : outcomes) CHECK(bench.finish(outcome).error().code == Errc::canceled);
  CHECK(bench.names() == Names{name_of(kBody)});
}

TEST_CASE("ftp shelf: sweep takes what nobody put since the start, and nothing of others") {
  Bench bench;
  const std::string left = "dfota-0123456789abcdef01234567";
  const Names ours = {left + ".bin", left + ".zip", "." + left + ".bin", ".dfota-probe"};
  const Names others = {".dfota-",
                        ".hidden",
                        "delta.bin",
                        left,
                        left + ".long",
                        left + "8.bin",
                        "dfota-0123.bin",
                        "dfota-manual.pdf",
                        "x" + left,
                        left + ".bin.bak",
                        left.substr(0, 29) + "G.bin"};
  for (const Names& names : {ours, others}) {
    for (const std::string& name : names) std::ofstream(bench.directory / name) << name;
  }
  std::ofstream(bench.directory / name_of("put later")) << "put later";
  REQUIRE(bench.put(kBody).ok());
  bench.shelf->sweep();
  REQUIRE(bench.put("put later").ok());
  Names expected = others;
  expected.push_back(name_of(kBody));
  expected.push_back(name_of("put later"));
  std::ranges::sort(expected);
  CHECK(bench.names() == expected);
}

TEST_CASE("ftp shelf: a directory that cannot be used is told when it is opened") {
  Bench bench;
  const auto refused = [&](const std::string& directory) {
    auto opened = FtpShelf::open(bench.loop, FtpConfig{{}, directory});
    REQUIRE_FALSE(opened.ok());
    CHECK(opened.error().message.find(directory) != std::string::npos);
    return opened.error().code;
  };
  CHECK(refused((bench.made.path() / "absent").string()) == Errc::absent);
  std::ofstream(bench.made.path() / "file") << "x";
  CHECK(refused((bench.made.path() / "file").string()) == Errc::absent);
  CHECK(refused("/proc") == Errc::io);  // takes no files, from nobody
  CHECK(refused(bench.directory.string()) == Errc::busy);
  bench.reopen();
  CHECK(bench.names().empty());
}
