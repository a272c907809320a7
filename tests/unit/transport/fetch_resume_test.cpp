#include <doctest/doctest.h>

#include "tests/support/fetch_fixture.hpp"

using namespace dfota;
using namespace dfota::test;

namespace {

/// As a transfer that was cut leaves it.
void leave_part(FetchBench& bench, const std::string& of, const std::string& bytes) {
  fs::create_directories(bench.options.directory);
  std::ofstream(bench.part(of), std::ios::binary) << bytes;
}

std::string body_of(std::size_t size) {
  std::string body;
  for (unsigned i = 0; body.size() < size; ++i) body += std::to_string(i);
  return body.substr(0, size);
}

const std::string kDelta = body_of(200000);

}  // namespace

TEST_CASE("fetch: what was cut is gone on with where it ended, within one fetch") {
  FetchBench bench;
  int answers = 0;
  ScriptedOrigin origin([&](int socket, const std::string& head) {
    const auto from = range_of(head);
    const auto whole = from == 0 ? answer(kDelta) : partial(kDelta, from);
    const std::size_t missing = ++answers < 4 ? (kDelta.size() - from) / 2 : 0;
    send_cut(socket, whole, missing);
  });
  const auto file = bench.get(origin.url(), hash_of(kDelta), kDelta.size());
  REQUIRE(file.ok());
  CHECK(content(file->path) == kDelta);
  CHECK(file->blake2b == blake2b_of(kDelta));
  const auto heads = origin.heads();
  REQUIRE(heads.size() == 4);
  CHECK(range_of(heads[0]) == 0);
  CHECK(range_of(heads[1]) == 100000);
  CHECK(range_of(heads[2]) == 150000);
  CHECK(range_of(heads[3]) == 175000);
  CHECK(bench.files() == 1);
}

TEST_CASE("fetch: what was cut is gone on with by the next process") {
  FetchBench bench;
  ScriptedOrigin cut([&](int socket, const std::string& head) {
    if (range_of(head) == 0) send_cut(socket, answer(kDelta), 50000);
  });
  CHECK(bench.get(cut.url(), hash_of(kDelta)).error().code == Errc::absent);
  CHECK(cut.requests() == 2);
  CHECK(fs::file_size(bench.part(kDelta)) == 150000);
  CHECK_FALSE(fs::exists(bench.whole(kDelta)));
  bench.fetch.reset();
  ScriptedOrigin origin(
      [&](int socket, const std::string& head) { send_all(socket, partial(kDelta, range_of(head))); });
  const auto file = bench.get(origin.url(), hash_of(kDelta));
  REQUIRE(file.ok());
  CHECK(content(file->path) == kDelta);
  CHECK(file->blake2b == blake2b_of(kDelta));
  REQUIRE(origin.requests() == 1);
  CHECK(range_of(origin.heads()[0]) == 150000);
}

TEST_CASE("fetch: a part that is whole already gets its name without a word to the origin") {
  FetchBench bench;
  leave_part(bench, kDelta, kDelta);
  ScriptedOrigin origin(answer(kDelta));
  const auto file = bench.get(origin.url(), hash_of(kDelta));
  REQUIRE(file.ok());
  CHECK(content(file->path) == kDelta);
  CHECK(origin.requests() == 0);
  CHECK(bench.files() == 1);
}

TEST_CASE("fetch: an origin that has no parts is asked for the whole") {
  FetchBench bench;
  leave_part(bench, kDelta, kDelta.substr(0, 1000));
  std::size_t expected = 2;
  ScriptedOrigin::Play play;
  SUBCASE("it answers 200") {
    expected = 1;
    play = [](int socket, const std::string&) { send_all(socket, answer(kDelta)); };
  }
  SUBCASE("it answers 416") {
    play = [](int socket, const std::string& head) {
      send_all(socket,
               range_of(head) > 0 ? "HTTP/1.1 416 Range Not Satisfiable\r\nContent-Length: 0\r\n\r\n" : answer(kDelta));
    };
  }
  SUBCASE("it sends another part") {
    play = [](int socket, const std::string& head) {
      send_all(socket, range_of(head) > 0 ? partial(kDelta, 999) : answer(kDelta));
    };
  }
  SUBCASE("it does not say which part it sends") {
    play = [](int socket, const std::string& head) {
      send_all(socket,
               range_of(head) > 0 ? "HTTP/1.1 206 Partial Content\r\nContent-Length: 3\r\n\r\nabc" : answer(kDelta));
    };
  }
  ScriptedOrigin origin(play);
  const auto file = bench.get(origin.url(), hash_of(kDelta), kDelta.size());
  REQUIRE(file.ok());
  CHECK(content(file->path) == kDelta);
  CHECK(file->blake2b == blake2b_of(kDelta));
  CHECK(origin.heads().size() == expected);
}

TEST_CASE("fetch: a part of other bytes is thrown away, and the file fetched from its start") {
  FetchBench bench;
  leave_part(bench, kDelta, std::string(1000, 'x'));
  ScriptedOrigin origin([&](int socket, const std::string& head) {
    send_all(socket, range_of(head) > 0 ? partial(kDelta, range_of(head)) : answer(kDelta));
  });
  const auto file = bench.get(origin.url(), hash_of(kDelta));
  REQUIRE(file.ok());
  CHECK(content(file->path) == kDelta);
  CHECK(file->blake2b == blake2b_of(kDelta));
  CHECK(origin.requests() == 2);
}

TEST_CASE("fetch: a file that is another one from its start, too, is a mismatch, and its part goes") {
  FetchBench bench;
  leave_part(bench, "other", kDelta.substr(0, 1000));
  ScriptedOrigin origin([&](int socket, const std::string& head) {
    send_all(socket, range_of(head) > 0 ? partial(kDelta, range_of(head)) : answer(kDelta));
  });
  CHECK(bench.failure(origin.url(), hash_of("other")).code == Errc::mismatch);
  CHECK(origin.requests() == 2);
}

TEST_CASE("fetch: an origin that goes on cutting is given up") {
  FetchBench bench;
  int expected = 6;
  std::size_t step = 10;
  SUBCASE("some bytes each time") {}
  SUBCASE("none any more") {
    expected = 2;
    step = 0;
  }
  ScriptedOrigin origin([&](int socket, const std::string& head) {
    const auto from = range_of(head);
    if (from == 0) return send_cut(socket, answer(kDelta), kDelta.size() - 10);
    send_cut(socket, partial(kDelta, from), kDelta.size() - from - step);
  });
  const auto outcome = bench.get(origin.url(), hash_of(kDelta));
  REQUIRE_FALSE(outcome.ok());
  CHECK(outcome.error().code == Errc::absent);
  CHECK(origin.requests() == expected);
}

TEST_CASE("fetch: a part is a plain file of ours or nothing") {
  FetchBench bench;
  fs::create_directories(bench.options.directory);
  std::ofstream(bench.root / "precious") << kDelta.substr(0, 1000);
  fs::create_symlink(bench.root / "precious", bench.part(kDelta));
  ScriptedOrigin origin(answer(kDelta));
  REQUIRE(bench.get(origin.url(), hash_of(kDelta)).ok());
  CHECK(content(bench.root / "precious") == kDelta.substr(0, 1000));
  CHECK(range_of(origin.heads()[0]) == 0);
}
