#include "gateway/slots.hpp"

#include <doctest/doctest.h>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <optional>

using namespace dfota;

namespace {

struct Fixture {
  asio::io_context loop{1};
  LimitsConfig limits;
  std::vector<TagLimitConfig> tag_limits;
  std::optional<Slots> slots;
  std::vector<std::unique_ptr<Slots::Claim>> claims;
  std::vector<int> granted;

  void make() { slots.emplace(loop, limits, tag_limits); }
  int ask(const std::vector<std::string>& tags = {}, const std::string& job = "job") {
    const int n = static_cast<int>(claims.size());
    claims.push_back(std::make_unique<Slots::Claim>(*slots, job, tags));
    asio::co_spawn(loop, wait(n), asio::detached);
    run();
    return n;
  }
  Awaitable<> wait(int n) {
    auto& claim = *claims[static_cast<std::size_t>(n)];
    claim.request();
    while (!claim.held()) co_await claim.wait();
    granted.push_back(n);
  }
  void run() {
    loop.restart();
    loop.poll();
  }
};

}  // namespace

TEST_CASE("limits.downloads and limits.updates hold, first come first served") {
  Fixture f;
  f.limits.downloads = 1;
  f.limits.updates = 2;
  f.make();
  for (int i = 0; i < 4; ++i) f.ask();
  CHECK(f.granted == std::vector<int>{0});
  f.claims[0]->give_back_download();
  f.run();
  CHECK(f.granted == std::vector<int>{0, 1});
  f.claims[1]->give_back_download();
  f.run();
  CHECK(f.granted == std::vector<int>{0, 1});  // two update
  f.claims[0]->give_back();
  f.run();
  CHECK(f.granted == std::vector<int>{0, 1, 2});
}

TEST_CASE("a claim may be given back twice, and counts once") {
  Fixture f;
  f.limits.downloads = 1;
  f.make();
  f.ask();
  f.ask();
  f.ask();
  f.claims[0]->give_back();
  f.claims[0]->give_back();
  f.claims[0]->give_back_download();
  f.run();
  CHECK(f.granted == std::vector<int>{0, 1});
}

TEST_CASE("who waits for a tag's limit does not hold up the others") {
  Fixture f;
  f.limits.downloads = 10;
  f.tag_limits.push_back({"hub-1", {}, 1});
  f.make();
  f.ask({"hub-1"});
  f.ask({"hub-1"});
  f.ask({"lab"});
  CHECK(f.granted == std::vector<int>{0, 2});
  f.claims[0]->give_back();
  f.run();
  CHECK(f.granted == std::vector<int>{0, 2, 1});
}

TEST_CASE("a module that flashes already is counted whatever the limits say") {
  Fixture f;
  f.limits.downloads = 1;
  f.limits.updates = 1;
  f.make();
  for (int i = 0; i < 2; ++i) {
    f.claims.push_back(std::make_unique<Slots::Claim>(*f.slots, "job", std::vector<std::string>()));
    f.claims.back()->adopt(true);
  }
  f.ask();
  CHECK(f.granted.empty());
  f.claims[0]->give_back();
  f.run();
  CHECK(f.granted.empty());
  f.claims[1]->give_back();
  f.run();
  CHECK(f.granted == std::vector<int>{2});
}

TEST_CASE("a free place goes to the job that holds the fewest: a job of many modules does not keep another one out") {
  Fixture f;
  f.limits.downloads = f.limits.updates = 2;
  f.make();
  for (int i = 0; i < 4; ++i) f.ask({}, "rack");
  const int other = f.ask({}, "single");
  CHECK(f.granted == std::vector<int>{0, 1});
  f.claims[0]->give_back();
  f.run();
  CHECK(f.granted == std::vector<int>{0, 1, other});
  f.claims[1]->give_back();
  f.run();
  CHECK(f.granted == std::vector<int>{0, 1, other, 2});
}

TEST_CASE("who gives back what it has only asked for is passed over") {
  Fixture f;
  f.limits.downloads = 1;
  f.make();
  f.ask();
  f.ask();
  f.ask();
  f.claims[1]->give_back();
  f.claims[0]->give_back();
  f.run();
  CHECK(f.granted == std::vector<int>{0, 2});
}

namespace {

/// Of the tag "shelf" one may reboot at once.
struct Shelf : Fixture {
  std::vector<int> woken;

  Shelf() {
    tag_limits.push_back({"shelf", {}, {}, 1});
    make();
  }
  int begin(bool to_reboot = false) {
    const int n = static_cast<int>(claims.size());
    claims.push_back(std::make_unique<Slots::Claim>(*slots, "job", std::vector<std::string>{"shelf"},
                                                    [this, n] { woken.push_back(n); }));
    claims.back()->request(to_reboot);
    return n;
  }
  Slots::Claim& at(int n) { return *claims[static_cast<std::size_t>(n)]; }
};

}  // namespace

TEST_CASE("limit.reboots: one reboots, one may stand by with its download, and nobody else of the tag begins") {
  Shelf f;
  const int first = f.begin(), second = f.begin(), third = f.begin();
  CHECK(f.at(first).held());
  CHECK(f.at(second).held());
  CHECK_FALSE(f.at(third).held());
  f.ask({"lab"});
  CHECK(f.granted.size() == 1);  // another tag is not meant
  CHECK(f.at(first).stand_by());
  CHECK(f.at(first).stand_by());  // and counts once
  CHECK_FALSE(f.at(second).stand_by());
  CHECK_FALSE(f.at(second).stand_by());
  f.at(first).give_back();
  CHECK(f.woken == std::vector<int>{0, second});  // the first one was told at once, too
  CHECK(f.at(second).stand_by());
  CHECK(f.at(third).held());
  CHECK_FALSE(f.at(third).stand_by());
  f.at(second).give_back();
  CHECK(f.at(third).stand_by());
}

TEST_CASE("a place to reboot that is taken before the command waits for those that stand by") {
  Shelf f;
  const int first = f.begin(true), second = f.begin(), third = f.begin(true);
  CHECK(f.at(first).stand_by());
  CHECK_FALSE(f.at(second).stand_by());
  CHECK_FALSE(f.at(third).held());
  f.at(first).give_back();
  CHECK(f.at(second).stand_by());
  CHECK_FALSE(f.at(third).held());
  f.at(second).give_back();
  CHECK(f.at(third).held());
  CHECK(f.at(third).stand_by());
}

TEST_CASE("who stands by and gives up is passed over; one that flashes already is counted whatever the limits say") {
  Shelf f;
  const int first = f.begin(), second = f.begin();
  CHECK(f.at(first).stand_by());
  CHECK_FALSE(f.at(second).stand_by());
  const int other = f.begin();
  f.at(other).adopt(true);
  CHECK(f.at(other).stand_by());
  f.at(second).give_back();
  f.at(first).give_back();
  CHECK(f.woken == std::vector<int>{first});
  const int next = f.begin();
  CHECK_FALSE(f.at(next).stand_by());  // the adopted one reboots
  f.at(other).adopt(true);             // said twice, counted once
  f.at(other).give_back();
  CHECK(f.woken == std::vector<int>{first, next});
}

TEST_CASE("a download that was taken up again after a restart reboots only when it may") {
  Shelf f;
  const int first = f.begin(true), second = f.begin();
  f.at(second).adopt(false);
  CHECK_FALSE(f.at(second).stand_by());
  f.at(first).give_back();
  CHECK(f.woken == std::vector<int>{second});
}
