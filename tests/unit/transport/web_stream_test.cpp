#include <doctest/doctest.h>

#include <atomic>

#include "tests/support/web_rig.hpp"
#include "transport/web_server.hpp"

using namespace dfota;
using namespace dfota::web_rig;
using namespace std::chrono_literals;

namespace {

/// What streams are given, and how often they asked. Web thread, but for the counts.
struct Feed {
  std::string news;  ///< each stream gets it once
  std::size_t edition = 0;
  std::atomic<int> asked = 0, alive = 0;
  std::atomic<bool> broken = false;
};

class FedStream final : public EventSource {
 public:
  FedStream(Feed& feed, bool flood) : feed_(feed), flood_(flood) { ++feed_.alive; }
  ~FedStream() override { --feed_.alive; }
  std::string next() override {
    ++feed_.asked;
    if (feed_.broken) throw std::runtime_error("broken");
    if (flood_) return std::string(100'000, 'e');
    if (seen_ == feed_.edition) return {};
    seen_ = feed_.edition;
    return feed_.news;
  }

 private:
  Feed& feed_;
  const bool flood_;
  std::size_t seen_ = 0;
};

/// /events is a stream, /flood one that always has something, / is "here".
struct StreamRig : WebRig {
  explicit StreamRig(WebServerOptions options = {})
      : WebRig(
            [this](const WebRequest& asked, WebBody&) {
              WebAnswer answer;
              const bool flood = asked.path == "/flood";
              if (flood || asked.path == "/events") answer.events = std::make_unique<FedStream>(feed, flood);
              if (asked.path == "/") answer.body = "here";
              return answer;
            },
            std::move(options)) {}
  ~StreamRig() { server.reset(); }
  void publish(const std::string& news) {
    on_web_thread([&] {
      feed.news = news;
      ++feed.edition;
      server->wake();
      return 0;
    });
  }

  Feed feed;
};

const std::string kAsk = request("GET /events");
const std::string kFlood = request("GET /flood");

}  // namespace

TEST_CASE("a stream has its head at once, gets what is new at each wake, and takes no worker") {
  WebServerOptions options;
  options.workers = 1;
  options.headers = {{"X-Frame-Options", "DENY"}};
  StreamRig rig(options);
  WebClient one(rig, kAsk);
  WebClient two(rig, kAsk);
  for (auto* client : {&one, &two}) {
    REQUIRE(client->until("\r\n\r\n"));
    CHECK(client->got.starts_with("HTTP/1.1 200 OK\r\n"));
    CHECK(client->has_line("Content-Type: text/event-stream"));
    CHECK(client->has_line("X-Frame-Options: DENY"));
    CHECK(client->got.find("Content-Length") == std::string::npos);
  }
  REQUIRE(rig.until_streams(2));
  for (const std::string news : {"data: 1\n\n", "data: 2\n\n"}) {
    rig.publish(news);
    CHECK(one.until(news));
    CHECK(two.until(news));
  }
  CHECK(WebClient(rig, request("GET /")).body() == "here");
  rig.server.reset();
  CHECK(one.until_end());
  CHECK(rig.feed.alive == 0);
}

TEST_CASE("HEAD of a stream is its head, and ends") {
  StreamRig rig;
  WebClient client(rig, request("HEAD /events"));
  CHECK(client.status() == "200");
  CHECK(client.has_line("Content-Type: text/event-stream"));
  CHECK(client.body().empty());
  CHECK(rig.feed.alive == 0);
}

TEST_CASE("a peer of a stream that closes is noticed, though nothing is sent") {
  StreamRig rig;
  auto client = std::make_unique<WebClient>(rig, kAsk);
  WebClient other(rig, kAsk);
  REQUIRE(rig.until_streams(2));
  client.reset();
  CHECK(rig.until_streams(1));
  CHECK(rig.feed.alive == 1);
}

TEST_CASE("a peer of a stream that talks is heard out only so far") {
  StreamRig rig;
  WebClient client(rig, kAsk);
  REQUIRE(rig.until_streams(1));
  client.send("x");
  rig.publish("data: 1\n\n");
  CHECK(client.until("data: 1"));
  client.send(std::string(1 << 20, 'x'));
  CHECK(rig.until_streams(0));
}

TEST_CASE(
    "50 streams that nobody reads are asked no more, cost no answer, and are cut; a good one beside them goes on") {
  WebServerOptions options;
  options.workers = 1;
  options.stall_limit = 1s;
  StreamRig rig(options);
  std::vector<std::unique_ptr<WebClient>> stalled;
  for (int i = 0; i < 50; ++i) stalled.push_back(std::make_unique<WebClient>(rig, kFlood, 4096));
  for (auto& one : stalled) REQUIRE(one->until("\r\n\r\n"));
  WebClient good(rig, kAsk);
  REQUIRE(good.until("\r\n\r\n"));
  for (int i = 0; i < 50; ++i) {
    const std::string news = "data: " + std::to_string(i) + "\n\n";
    rig.publish(news);
    CHECK(good.until(news));
    CHECK(WebClient(rig, request("GET /")).body() == "here");
  }
  for (auto& one : stalled) CHECK(one->until_broken());
  CHECK(rig.until_streams(1));
  CHECK(rig.feed.alive == 1);
  rig.publish("data: end\n\n");
  CHECK(good.until("data: end"));
}

TEST_CASE("a slow reader is not asked for more than one buffer ahead") {
  StreamRig rig;
  WebClient client(rig, kFlood, 4096);
  REQUIRE(client.until("\r\n\r\n"));
  // The kernel holds the first ones; a wake does not make it more.
  for (int i = 0; i < 100; ++i) rig.wake();
  CHECK(rig.feed.asked < 20);
  CHECK(client.until(std::string(100'000, 'e')));
}

TEST_CASE("a stream that always has something keeps nobody from an answer") {
  WebServerOptions options;
  options.workers = 1;
  StreamRig rig(options);
  WebClient greedy(rig, kFlood);
  REQUIRE(greedy.until("eee"));
  std::atomic<bool> done = false;
  std::thread reader([&] {
    while (!done && greedy.until("eee")) greedy.got.clear();
  });
  for (int i = 0; i < 20; ++i) CHECK(WebClient(rig, request("GET /")).body() == "here");
  done = true;
  reader.join();
}

TEST_CASE("streams beyond their number are told to come again, and there is room when one has gone") {
  WebServerOptions options;
  options.streams = 2;
  StreamRig rig(options);
  auto one = std::make_unique<WebClient>(rig, kAsk);
  WebClient two(rig, kAsk);
  REQUIRE(rig.until_streams(2));
  WebClient three(rig, kAsk);
  CHECK(three.status() == "503");
  CHECK(three.has_line("Retry-After: 2"));
  one.reset();
  REQUIRE(rig.until_streams(1));
  WebClient four(rig, kAsk);
  CHECK(four.until("text/event-stream"));
}

TEST_CASE("a stream that throws is cut, and the log says so; the others go on") {
  StreamRig rig;
  WebClient one(rig, kAsk);
  REQUIRE(rig.until_streams(1));
  rig.feed.broken = true;
  rig.publish("x");
  CHECK(one.until_end());
  rig.feed.broken = false;
  WebClient two(rig, kAsk);
  CHECK(two.until("x"));
  REQUIRE(rig.faults.size() == 1);
  CHECK(rig.faults.front() == "admin page: a stream of events is cut: broken");
}
