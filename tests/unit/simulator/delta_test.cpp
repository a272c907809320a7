#include "modem/simulator/delta.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <sstream>

#include "tests/support/temp_dir.hpp"

using namespace dfota;
using namespace dfota::sim;

namespace {

constexpr uint64_t kBytes = 3000;

DeltaHeader header() {
  return {"UC20", "UC20GQBR03A11E1G", "UC20GQBR03A12E1G", kBytes};
}

Result<DeltaHeader> check(std::string_view bytes, size_t piece = 1 << 20) {
  DeltaCheck check;
  for (size_t at = 0; at < bytes.size(); at += piece) check.feed(bytes.substr(at, piece));
  return check.finish();
}

}  // namespace

TEST_CASE("a package says what it is for, at every way of cutting it") {
  const auto package = make_delta(header());
  REQUIRE(package.ok());
  CHECK(package->size() == kBytes);
  CHECK(package->rfind("DFOTA-RACK-DELTA 1\nmodel: UC20\nfrom: UC20GQBR03A11E1G\n", 0) == 0);
  for (const size_t piece : {1, 2, 63, 64, 65, 127, 1000, 4096}) {
    const auto found = check(*package, piece);
    REQUIRE(found.ok());
    CHECK(found->model == "UC20");
    CHECK(found->from == "UC20GQBR03A11E1G");
    CHECK(found->to == "UC20GQBR03A12E1G");
    CHECK(found->size == kBytes);
  }
}

TEST_CASE("the same names and size make the same package, another target another one") {
  auto other = header();
  other.to = "UC20GQBR03A13E1G";
  CHECK(*make_delta(header()) == *make_delta(header()));
  CHECK(*make_delta(header()) != *make_delta(other));
}

TEST_CASE("a package that was truncated, lengthened or changed anywhere is corrupt") {
  const auto package = *make_delta(header());
  for (size_t size = 0; size < package.size(); size += 37) CHECK_FALSE(check(package.substr(0, size)).ok());
  CHECK_FALSE(check(package.substr(0, package.size() - 1)).ok());
  CHECK_FALSE(check(package + "x").ok());
  for (size_t at = 0; at < package.size(); at += 11) {
    auto changed = package;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    CHECK_FALSE(check(changed).ok());
  }
  CHECK_FALSE(check("<html><body>404 Not Found</body></html>").ok());
}

TEST_CASE("a header that cannot be is refused") {
  auto bad = header();
  bad.size = 100;
  CHECK(make_delta(bad).error().code == Errc::invalid);
  bad.size = kMaxDeltaBytes + 1;
  CHECK_FALSE(make_delta(bad).ok());
  bad = header();
  bad.to = "two\nlines";
  CHECK_FALSE(make_delta(bad).ok());
  bad.to = "";
  CHECK_FALSE(make_delta(bad).ok());
  bad.to = std::string(2000, 'x');
  CHECK_FALSE(make_delta(bad).ok());
}

TEST_CASE("write_delta leaves the bytes of make_delta and returns their hash") {
  const test::TempDir dir;
  const auto path = dir / "d.bin";
  const auto sha256 = write_delta(path, header());
  REQUIRE(sha256.ok());
  CHECK(sha256->size() == 64);
  std::stringstream bytes;
  bytes << std::ifstream(path, std::ios::binary).rdbuf();
  CHECK(bytes.str() == *make_delta(header()));
  DeltaCheck whole;
  whole.feed(bytes.str());
  CHECK(whole.sha256() == *sha256);
  CHECK(write_delta(dir / "none/d.bin", header()).error().code == Errc::io);
}
