#include <doctest/doctest.h>

#include "tests/support/fetch_fixture.hpp"

using namespace dfota;
using namespace dfota::test;

namespace {

const std::string kA(40000, 'a');
const std::string kB(40000, 'b');
const std::string kC(40000, 'c');

/// A cache with room for two of them, and an origin that has all.
struct Room {
  Room() { bench.options.max_bytes = 100000; }
  Outcome get(const std::string& body) {
    now = body;
    return bench.get(origin.url(), hash_of(body));
  }
  [[nodiscard]] bool has(const std::string& body) const { return fs::exists(bench.whole(body)); }

  std::string now;
  ScriptedOrigin origin{[this](int socket, const std::string&) { send_all(socket, answer(now)); }};
  FetchBench bench;
};

}  // namespace

TEST_CASE("fetch: the least recently used goes first, and is told") {
  Room room;
  std::vector<std::string> evicted;
  room.bench.open().on_evicted = [&](const std::string& sha256) { evicted.push_back(sha256); };
  REQUIRE(room.get(kA).ok());
  REQUIRE(room.get(kB).ok());
  REQUIRE(room.get(kA).ok());
  CHECK(room.origin.requests() == 2);
  SUBCASE("in one life") {
    REQUIRE(room.get(kC).ok());
    room.bench.run_until([&] { return !evicted.empty(); });
    CHECK(evicted == std::vector{hash_of(kB)});
  }
  SUBCASE("after a restart") {
    room.bench.fetch.reset();
    REQUIRE(room.get(kC).ok());
  }
  CHECK(room.has(kA));
  CHECK_FALSE(room.has(kB));
  CHECK(room.has(kC));
}

TEST_CASE("fetch: a clock that went back does not make the newest file the oldest") {
  Room room;
  REQUIRE(room.get(kA).ok());
  REQUIRE(room.get(kB).ok());
  const auto later = fs::file_time_type::clock::now() + std::chrono::hours(10000);
  fs::last_write_time(room.bench.whole(kB), later);
  REQUIRE(room.get(kA).ok());
  REQUIRE(room.get(kC).ok());
  CHECK(room.has(kA));
  CHECK_FALSE(room.has(kB));
}

TEST_CASE("fetch: what is held stays; when all is, there is no room") {
  Room room;
  auto held = room.bench.open().hold(hash_of(kA));
  REQUIRE(room.get(kA).ok());
  REQUIRE(room.get(kB).ok());
  REQUIRE(room.get(kC).ok());
  CHECK(room.has(kA));
  CHECK_FALSE(room.has(kB));
  const auto also = room.bench.fetch->hold(hash_of(kC));
  const auto again = room.bench.fetch->hold(hash_of(kA));
  held.reset();
  const auto full = room.get(kB);
  REQUIRE_FALSE(full.ok());
  CHECK(full.error().code == Errc::no_space);
  CHECK(full.error().message.find("artifacts.max_bytes") != std::string::npos);
  CHECK(room.bench.files() == 2);
}

TEST_CASE("fetch: an origin without the file takes no room from others") {
  Room room;
  REQUIRE(room.get(kA).ok());
  REQUIRE(room.get(kB).ok());
  ScriptedOrigin missing("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
  CHECK(room.bench.get(missing.url(), hash_of(kC), kC.size()).error().code == Errc::absent);
  CHECK(room.has(kA));
  CHECK(room.has(kB));
}

TEST_CASE("fetch: parts count, and those that nobody goes on with are the first to go") {
  Room room;
  fs::create_directories(room.bench.options.directory);
  std::ofstream(room.bench.part(kB)) << kB.substr(0, 30000);
  REQUIRE(room.get(kA).ok());
  CHECK(fs::exists(room.bench.part(kB)));
  REQUIRE(room.get(kC).ok());
  CHECK(room.has(kA));
  CHECK_FALSE(fs::exists(room.bench.part(kB)));
}

TEST_CASE("fetch: one that is coming keeps the room that it was promised") {
  Room room;
  std::promise<void> go_on;
  const auto gone_on = go_on.get_future().share();
  ScriptedOrigin slow([&](int socket, const std::string&) {
    send_cut(socket, answer(kA), kA.size() - 1);
    gone_on.wait();
    send_all(socket, std::string_view(kA).substr(1));
  });
  std::optional<Outcome> first;
  room.bench.start(slow.url(), hash_of(kA), first, kA.size());
  room.bench.run_until([&] { return fs::exists(room.bench.part(kA)) && fs::file_size(room.bench.part(kA)) == 1; });
  const std::string large(60001, 'l');
  room.now = large;
  CHECK(room.bench.get(room.origin.url(), hash_of(large), large.size()).error().code == Errc::no_space);
  CHECK(room.get(large).error().code == Errc::no_space);
  go_on.set_value();
  CHECK(room.bench.finish(first).ok());
  CHECK(room.bench.files() == 1);
}

TEST_CASE("fetch: contents and remove") {
  Room room;
  auto& fetch = room.bench.open();
  CHECK(room.bench.result(fetch.contents())->empty());
  const auto before = std::chrono::system_clock::now();
  REQUIRE(room.get(kA).ok());
  std::ofstream(room.bench.options.directory / "not-ours") << "x";
  const auto contents = room.bench.result(fetch.contents());
  REQUIRE(contents.ok());
  REQUIRE(contents->size() == 1);
  CHECK(contents->front().sha256 == hash_of(kA));
  CHECK(contents->front().size == kA.size());
  CHECK(contents->front().used_at >= before);
  auto held = fetch.hold(hash_of(kA));
  CHECK(room.bench.result(fetch.remove(hash_of(kA))).error().code == Errc::busy);
  CHECK(room.has(kA));
  held.reset();
  CHECK(room.bench.result(fetch.remove(hash_of(kA))).ok());
  CHECK_FALSE(room.has(kA));
  CHECK(room.bench.result(fetch.remove(hash_of(kA))).error().code == Errc::absent);
  CHECK(room.bench.result(fetch.remove("../../etc/passwd")).error().code == Errc::invalid);
}

TEST_CASE("fetch: a hold may outlive the cache") {
  std::shared_ptr<const Fetch::Hold> held;
  FetchBench bench;
  held = bench.open().hold(hash_of(kA));
  bench.fetch.reset();
  held.reset();
}

TEST_CASE("fetch: a file of this machine is copied in, verified like any other") {
  FetchBench bench;
  auto& fetch = bench.open();
  const auto dropped = bench.root / "delta.bin";
  std::ofstream(dropped) << kA;
  const auto adopted = [&](const fs::path& file, const std::string& of, std::uint64_t size) {
    return bench.result(fetch.adopt(file, hash_of(of), size));
  };
  CHECK(adopted(dropped, kB, kA.size()).error().code == Errc::mismatch);
  CHECK(adopted(dropped, kA, kA.size() + 1).error().code == Errc::mismatch);
  CHECK(adopted(dropped, kA, kA.size() - 1).error().code == Errc::mismatch);
  CHECK(adopted(bench.root / "nothing", kA, kA.size()).error().code == Errc::absent);
  fs::create_symlink(dropped, bench.root / "link");
  CHECK(adopted(bench.root / "link", kA, kA.size()).error().code == Errc::refused);
  CHECK(adopted(bench.root, kA, kA.size()).error().code == Errc::refused);
  CHECK(adopted("/dev/zero", kA, kA.size()).error().code == Errc::refused);
  CHECK(bench.files() == 0);
  const auto file = adopted(dropped, kA, kA.size());
  REQUIRE(file.ok());
  CHECK(content(file->path) == kA);
  CHECK(file->blake2b == blake2b_of(kA));
  CHECK(fs::exists(dropped));
  CHECK(bench.get("", hash_of(kA)).ok());
  bench.options.max_bytes = 1000;
  bench.fetch.reset();
  CHECK(bench.result(bench.open().adopt(dropped, hash_of(kB), kB.size())).error().code == Errc::refused);
}
