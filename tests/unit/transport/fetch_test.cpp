#include "transport/fetch.hpp"

#include <doctest/doctest.h>

#include "tests/support/fetch_fixture.hpp"

using namespace dfota;
using namespace dfota::test;
using namespace std::chrono_literals;

TEST_CASE("fetch: a file comes whole, under its hash, read-only") {
  FetchBench bench;
  ScriptedOrigin origin(answer(kBody));
  auto file = bench.get(origin.url(), hash_of(kBody), kBody.size());
  REQUIRE(file.ok());
  CHECK(file->path == bench.options.directory / hash_of(kBody));
  CHECK(file->size == kBody.size());
  CHECK(file->blake2b == blake2b_of(kBody));
  CHECK(content(file->path) == kBody);
  CHECK((fs::status(file->path).permissions() & fs::perms::owner_write) == fs::perms::none);
  CHECK(*sha256_of(file->path) == hash_of(kBody));
  CHECK(bench.files() == 1);
}

TEST_CASE("fetch: sha256 of nothing, of abc, of no file") {
  CHECK(hash_of("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(hash_of("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(sha256_of("/nonexistent").error().code == Errc::absent);
  CHECK(sha256_of("/tmp").error().code == Errc::refused);
}

TEST_CASE("fetch: an upper-case hash is the same hash, and a second request is answered from the directory") {
  FetchBench bench;
  ScriptedOrigin origin(answer(kBody));
  std::string upper = hash_of(kBody);
  for (char& c : upper) c = static_cast<char>(std::toupper(c));
  std::optional<Outcome> first;
  std::optional<Outcome> second;
  bench.start(origin.url(), upper, first);
  bench.start(origin.url(), hash_of(kBody), second);
  CHECK(bench.finish(first).ok());
  CHECK(bench.finish(second).ok());
  CHECK((*first)->path == (*second)->path);
  CHECK((*second)->blake2b == blake2b_of(kBody));
  CHECK(origin.requests() == 1);
  CHECK(bench.get(origin.url(), hash_of(kBody), kBody.size() + 1).error().code == Errc::mismatch);
  CHECK(bench.files() == 1);
}

TEST_CASE("fetch: a damaged file is fetched again, and stale temporary files go") {
  FetchBench bench;
  ScriptedOrigin origin(answer(kBody));
  fs::create_directories(bench.options.directory);
  std::ofstream(bench.options.directory / hash_of(kBody)) << "damaged";
  std::ofstream(bench.options.directory / ".part-old") << "x";
  auto file = bench.get(origin.url(), hash_of(kBody));
  REQUIRE(file.ok());
  CHECK(content(file->path) == kBody);
  CHECK(origin.requests() == 1);
  CHECK(bench.files() == 1);
}

TEST_CASE("fetch: what is not what was promised is a mismatch, and leaves nothing") {
  FetchBench bench;
  ScriptedOrigin origin(answer(kBody));
  CHECK(bench.failure(origin.url(), hash_of("other")).code == Errc::mismatch);
  CHECK(bench.failure(origin.url(), hash_of(kBody), kBody.size() - 1).code == Errc::mismatch);
  CHECK(bench.failure(origin.url(), hash_of(kBody), kBody.size() + 1).code == Errc::mismatch);
}

TEST_CASE("fetch: a stalled transfer and one without end are given up") {
  SteppedClock clock;
  FetchBench bench;
  std::string word = "too slow";
  ScriptedOrigin::Play play = [](int socket, const std::string&) {
    send_all(socket, "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\nabc");
    wait_for_end(socket);
  };
  bench.options.total_limit = std::chrono::hours(1000000);
  SUBCASE("stalled") {}
  SUBCASE("total") {
    word = "total limit";
    bench.options.stall_limit = std::chrono::hours(1000000);
    bench.options.total_limit = 60s;
    play = [](int socket, const std::string&) {
      send_all(socket, "HTTP/1.1 200 OK\r\n\r\n");
      while (send_all(socket, "drop")) {
      }
    };
  }
  ScriptedOrigin origin(play);
  std::optional<Outcome> outcome;
  bench.start(origin.url(), hash_of(kBody), outcome);
  bench.run_until([&] { return fs::exists(bench.part(kBody)) && fs::file_size(bench.part(kBody)) > 0; });
  while (!outcome) {
    clock.advance(31s);
    bench.loop.restart();
    bench.loop.poll();
  }
  REQUIRE_FALSE(outcome->ok());
  CHECK(outcome->error().code == Errc::timeout);
  CHECK(outcome->error().message.find(word) != std::string::npos);
  CHECK(fs::exists(bench.part(kBody)));
}

TEST_CASE("fetch: destroyed in mid-transfer, all who wait get canceled, and what came is kept for the next time") {
  FetchBench bench;
  ScriptedOrigin origin([&](int socket, const std::string&) {
    send_all(socket, "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\nabc");
    wait_for_end(socket);
  });
  std::optional<Outcome> first;
  std::optional<Outcome> same;
  std::optional<Outcome> other;
  bench.start(origin.url(), hash_of(kBody), first);
  bench.run_until([&] { return fs::exists(bench.part(kBody)) && fs::file_size(bench.part(kBody)) == 3; });
  bench.start(origin.url(), hash_of(kBody), same);
  bench.start("", hash_of("other"), other);
  bench.loop.restart();
  bench.loop.poll();
  bench.fetch.reset();
  CHECK(bench.finish(first).error().code == Errc::canceled);
  CHECK(bench.finish(same).error().code == Errc::canceled);
  CHECK_FALSE(bench.finish(other).ok());
  CHECK_FALSE(fs::exists(bench.whole(kBody)));
  CHECK(content(bench.part(kBody)) == "abc");
  CHECK(origin.requests() == 1);
}

TEST_CASE("fetch: the queue is bounded") {
  FetchBench bench;
  ScriptedOrigin origin([&](int socket, const std::string&) { wait_for_end(socket); });
  // Two are under way, for one server gets no more.
  std::vector<std::optional<Outcome>> outcomes(Fetch::kMaxQueued + 3);
  const auto answered = [&] {
    return std::ranges::count_if(outcomes, [](const auto& one) { return one.has_value(); });
  };
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    bench.start(origin.url(), hash_of(std::to_string(i)), outcomes[i]);
    if (i % 100 == 99) bench.settle();
  }
  bench.run_until([&] { return answered() > 0; });
  const auto refused = std::ranges::find_if(outcomes, [](const auto& one) { return one.has_value(); });
  CHECK((*refused)->error().code == Errc::busy);
  bench.fetch.reset();
  for (auto& outcome : outcomes) CHECK_FALSE(bench.finish(outcome).ok());
}

TEST_CASE("fetch: a directory that cannot be written is io") {
  FetchBench bench;
  ScriptedOrigin origin(answer(kBody));
  std::ofstream(bench.root / "file") << "x";
  bench.options.directory = bench.root / "file" / "below";
  CHECK(bench.get(origin.url(), hash_of(kBody)).error().code == Errc::io);
}

TEST_CASE("fetch: a file that finds no room is no_space, and leaves nothing") {
  FetchBench bench;
  ScriptedOrigin origin(answer(kBody));
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
  rlimit small = before;
  small.rlim_cur = 1000;
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
  const auto outcome = bench.get(origin.url(), hash_of(kBody));
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &before) == 0);
  std::signal(SIGXFSZ, SIG_DFL);
  CHECK(outcome.error().code == Errc::no_space);
  CHECK(bench.files() == 0);
}
