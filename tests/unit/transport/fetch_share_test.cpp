#include <doctest/doctest.h>

#include "tests/support/fetch_fixture.hpp"

using namespace dfota;
using namespace dfota::test;

namespace {

const std::string kMissing = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";

/// An origin that answers when it is told to.
class Gated {
 public:
  explicit Gated(const std::string& reply) : reply_(reply) {}
  ~Gated() { open(); }
  Gated(const Gated&) = delete;
  Gated& operator=(const Gated&) = delete;
  void open() {
    if (!std::exchange(open_, true)) gate_.set_value();
  }
  [[nodiscard]] std::string url() const { return origin_.url(); }
  [[nodiscard]] int requests() const { return origin_.requests(); }

 private:
  const std::string reply_;
  bool open_ = false;
  std::promise<void> gate_;
  std::shared_future<void> opened_{gate_.get_future()};
  ScriptedOrigin origin_{[this](int socket, const std::string&) {
    opened_.wait();
    send_all(socket, reply_);
  }};
};

}  // namespace

TEST_CASE("fetch: fifty requests at one time are one transfer") {
  FetchBench bench;
  Gated origin(answer(kBody));
  std::vector<std::optional<Outcome>> outcomes(50);
  for (std::size_t i = 0; i < 25; ++i) bench.start(origin.url(), hash_of(kBody), outcomes[i]);
  bench.run_until([&] { return origin.requests() == 1; });
  for (std::size_t i = 25; i < outcomes.size(); ++i) {
    bench.start(i % 2 == 0 ? origin.url() : "", hash_of(kBody), outcomes[i]);
  }
  bench.settle();
  origin.open();
  for (auto& outcome : outcomes) {
    const auto file = bench.finish(outcome);
    REQUIRE(file.ok());
    CHECK(file->path == bench.whole(kBody));
    CHECK(file->blake2b == blake2b_of(kBody));
  }
  CHECK(origin.requests() == 1);
}

TEST_CASE("fetch: when the first origin fails, who named another one gets his") {
  FetchBench bench;
  Gated missing(kMissing);
  ScriptedOrigin good(answer(kBody));
  std::optional<Outcome> first;
  std::optional<Outcome> same;
  std::optional<Outcome> none;
  std::optional<Outcome> other;
  bench.start(missing.url(), hash_of(kBody), first);
  bench.run_until([&] { return missing.requests() == 1; });
  bench.start(missing.url(), hash_of(kBody), same);
  bench.start("", hash_of(kBody), none);
  bench.start(good.url(), hash_of(kBody), other);
  bench.settle();
  CHECK(good.requests() == 0);
  missing.open();
  CHECK(bench.finish(first).error().code == Errc::absent);
  CHECK(bench.finish(same).error().code == Errc::absent);
  CHECK(bench.finish(other).ok());
  CHECK(bench.finish(none).ok());
  CHECK(missing.requests() == 1);
}

TEST_CASE("fetch: a wrong size is the fault of who named it") {
  FetchBench bench;
  Gated origin(answer(kBody));
  std::optional<Outcome> wrong;
  std::optional<Outcome> right;
  bench.start(origin.url(), hash_of(kBody), wrong, kBody.size() - 1);
  bench.run_until([&] { return origin.requests() == 1; });
  bench.start(origin.url(), hash_of(kBody), right);
  bench.settle();
  origin.open();
  CHECK(bench.finish(wrong).error().code == Errc::mismatch);
  CHECK(bench.finish(right).ok());
}

TEST_CASE("fetch: without a URL only what is there is had") {
  FetchBench bench;
  const auto nothing = bench.get("", hash_of(kBody));
  REQUIRE_FALSE(nothing.ok());
  CHECK(nothing.error().code == Errc::absent);
  ScriptedOrigin origin(answer(kBody));
  REQUIRE(bench.get(origin.url(), hash_of(kBody)).ok());
  CHECK(bench.get("", hash_of(kBody), kBody.size()).ok());
  CHECK(origin.requests() == 1);
}

TEST_CASE("fetch: one slow server holds up neither others nor what is there") {
  FetchBench bench;
  ScriptedOrigin good(answer(kBody));
  Gated slow(answer("slow"));
  std::vector<std::optional<Outcome>> outcomes(20);
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    bench.start(slow.url(), hash_of(std::to_string(i)), outcomes[i]);
  }
  bench.run_until([&] { return slow.requests() > 0; });
  CHECK(bench.get(good.url(), hash_of(kBody)).ok());
  CHECK(bench.get("", hash_of(kBody)).ok());
  slow.open();
  for (auto& outcome : outcomes) CHECK(bench.finish(outcome).error().code == Errc::mismatch);
}
