#include "modem/simulator/file_system.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "tests/support/temp_dir.hpp"

using namespace dfota;
using namespace dfota::sim;

namespace {

struct Fixture {
  test::TempDir dir;
  std::string path = dir / "m0.ufs";
  FileSystem files{path, 1000};
};

std::string names(const FileSystem& files, std::string_view pattern) {
  std::string out;
  for (const auto& [name, size] : files.list(pattern)) out += name + "=" + std::to_string(size) + " ";
  return out;
}

}  // namespace

TEST_CASE_FIXTURE(Fixture, "what was written is there, also for the next one") {
  REQUIRE(files.load().ok());
  CHECK(files.free_bytes() == 1000);
  REQUIRE(files.write("d.bin", "12345").ok());
  REQUIRE(files.write("e.txt", "").ok());
  CHECK(files.free_bytes() == 995);
  FileSystem next(path, 1000);
  REQUIRE(next.load().ok());
  CHECK(next.has("d.bin"));
  CHECK(*next.read("d.bin") == "12345");
  CHECK(next.read("e.txt")->empty());
  CHECK(next.free_bytes() == 995);
  REQUIRE(next.remove("d.bin").ok());
  CHECK(next.read("d.bin").error().code == Errc::absent);
  CHECK(next.remove("d.bin").error().code == Errc::absent);
  REQUIRE(files.load().ok());
  CHECK_FALSE(files.has("d.bin"));
}

TEST_CASE_FIXTURE(Fixture, "patterns") {
  for (const auto* name : {"a.bin", "ab.bin", "b.txt"}) REQUIRE(files.write(name, name).ok());
  CHECK(names(files, "*") == "a.bin=5 ab.bin=6 b.txt=5 ");
  CHECK(names(files, "a*.bin") == "a.bin=5 ab.bin=6 ");
  CHECK(names(files, "*b*n") == "a.bin=5 ab.bin=6 ");
  CHECK(names(files, "?.bin") == "a.bin=5 ");
  CHECK(names(files, "b.txt") == "b.txt=5 ");
  CHECK(names(files, "b.tx") == "");
  CHECK(names(files, "") == "");
}

TEST_CASE_FIXTURE(Fixture, "it is full when it is full, and loses nothing by that") {
  REQUIRE(files.write("a", std::string(600, 'a')).ok());
  CHECK(files.write("b", std::string(401, 'b')).error().code == Errc::no_space);
  REQUIRE(files.write("b", std::string(400, 'b')).ok());
  CHECK(files.free_bytes() == 0);
  CHECK(files.write("a", std::string(601, 'a')).error().code == Errc::no_space);
  REQUIRE(files.write("a", std::string(600, 'x')).ok());
  FileSystem smaller(path, 100);
  REQUIRE(smaller.load().ok());
  CHECK(smaller.free_bytes() == 0);
}

TEST_CASE_FIXTURE(Fixture, "names lead nowhere else") {
  for (const auto* bad :
       {"", ".", "..", ".new", "a/b", "../a", "a\"", "a b", "a*", "a?", "a:b", "a,b", "a\n", "\x80"}) {
    CHECK_MESSAGE(!FileSystem::is_name(bad), bad);
    CHECK(files.write(bad, "x").error().code == Errc::invalid);
  }
  CHECK(FileSystem::is_name(std::string(80, 'a')));
  CHECK_FALSE(FileSystem::is_name(std::string(81, 'a')));
}

TEST_CASE_FIXTURE(Fixture, "a directory that cannot be written is an error, not a file") {
  std::ofstream(path) << "in the way";
  CHECK(files.write("a", "x").error().code == Errc::io);
  CHECK_FALSE(files.has("a"));
  CHECK_FALSE(files.load().ok());
}
