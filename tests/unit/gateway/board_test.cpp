// What an event stream of the page tells, and when, on a stepped clock.
#include "gateway/admin/board.hpp"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <sstream>
#include <vector>

using namespace dfota;
using namespace std::chrono_literals;

namespace {

using Json = nlohmann::json;

struct Event {
  std::string kind;
  Json data;
};

/// As a browser takes a stream apart (HTML, "Server-sent events").
std::vector<Event> events_of(const std::string& text) {
  std::vector<Event> events;
  std::istringstream lines(text);
  std::string kind, data;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("event: ")) kind = line.substr(7);
    if (line.starts_with("data: ")) data += (data.empty() ? "" : "\n") + line.substr(6);
    if (!line.empty() || data.empty()) continue;
    events.push_back({kind, Json::parse(data)});
    kind = data = "";
  }
  CHECK(data.empty());
  return events;
}

struct Fixture {
  SteppedClock clock;
  asio::io_context web;
  unsigned woken = 0;
  Board board{web, [this] { ++woken; }};

  /// All that a stream has to say now.
  static std::vector<Event> all_of(EventSource& stream) {
    std::string text;
    for (auto more = stream.next(); !more.empty(); more = stream.next()) {
      CHECK(more.size() < Board::kMostBytesAtOnce + 10000);
      text += more;
    }
    return events_of(text);
  }
  static Event one_of(EventSource& stream) {
    const auto events = all_of(stream);
    REQUIRE(events.size() == 1);
    return events.front();
  }
};

}  // namespace

TEST_CASE("a stream begins with everything, and then tells what has changed") {
  Fixture f;
  f.board.put("info", R"({"version":"1"})");
  f.board.put("module/m0/state", R"({"phase":"idle"})");
  f.board.put("module/m0/progress", R"({"percent":1})");
  f.board.put("module/m0/progress", "");
  const auto stream = f.board.stream();
  const auto first = Fixture::one_of(*stream);
  CHECK(first.kind == "snapshot");
  CHECK(first.data == Json::parse(R"({"info":{"version":"1"},"module/m0/state":{"phase":"idle"}})"));
  f.clock.advance(Board::kEvery);
  CHECK(stream->next().empty());
  f.board.put("module/m0/state", R"({"phase":"downloading"})");
  f.board.put("info", "");
  const auto second = Fixture::one_of(*stream);
  CHECK(second.kind == "change");
  CHECK(second.data == Json::parse(R"({"module/m0/state":{"phase":"downloading"},"info":null})"));
}

TEST_CASE("changes are told at most every so often, and only the newest of each key; what is equal is no change") {
  Fixture f;
  const auto stream = f.board.stream();
  CHECK(Fixture::one_of(*stream).data == Json::object());
  for (int percent = 0; percent <= 100; ++percent) {
    f.board.put("module/m0/progress", "{\"percent\":" + std::to_string(percent) + "}");
    CHECK(stream->next().empty());
  }
  f.clock.advance(Board::kEvery);
  CHECK(Fixture::one_of(*stream).data["module/m0/progress"]["percent"] == 100);
  f.board.put("module/m0/progress", R"({"percent":100})");
  f.clock.advance(Board::kEvery);
  CHECK(stream->next().empty());
}

TEST_CASE("a stream that has nothing to tell tells the time") {
  Fixture f;
  const auto stream = f.board.stream();
  Fixture::all_of(*stream);
  f.clock.advance(Board::kTimeEvery - 1ms);
  CHECK(stream->next().empty());
  f.clock.advance(1ms);
  const auto told = Fixture::one_of(*stream);
  CHECK(told.kind == "time");
  CHECK(told.data["ts"].is_string());
}

TEST_CASE("a thousand modules come in pieces, and a slow reader skips what was overtaken") {
  Fixture f;
  const std::string filler(500, 'x');
  const auto state = [&](int module, int version) {
    f.board.put("module/m" + std::to_string(module) + "/state", Json{{"version", version}, {"filler", filler}}.dump());
  };
  constexpr int kModules = 1000;
  for (int module = 0; module < kModules; ++module) state(module, 0);
  const auto stream = f.board.stream();
  std::string text = stream->next();
  CHECK(text.size() < Board::kMostBytesAtOnce + 1000);
  for (int version = 1; version <= 50; ++version) state(999, version);  // before it is told: it is told as a change
  for (auto more = stream->next(); !more.empty(); more = stream->next()) text += more;
  f.clock.advance(Board::kEvery);
  text += stream->next();
  const auto events = events_of(text);
  REQUIRE(events.size() == 2);
  CHECK(events[0].data.size() == kModules - 1);
  CHECK(events[1].data.size() == 1);
  CHECK(events[1].data["module/m999/state"]["version"] == 50);

  for (int module = 0; module < kModules; ++module) state(module, 51);
  f.clock.advance(Board::kEvery);
  Json seen = Json::object();
  for (const auto& event : Fixture::all_of(*stream)) seen.update(event.data);  // no pause between the pieces
  CHECK(seen.size() == kModules);
}

TEST_CASE("so many keys are gone that a stream begins anew instead of missing one") {
  Fixture f;
  f.board.put("job/kept", "{}");
  const auto stream = f.board.stream();
  Fixture::all_of(*stream);
  for (std::size_t job = 0; job <= Board::kMostGone; ++job) {
    f.board.put("job/" + std::to_string(job), "{}");
    f.board.put("job/" + std::to_string(job), "");
  }
  f.clock.advance(Board::kEvery);
  const auto told = Fixture::one_of(*stream);
  CHECK(told.kind == "snapshot");
  CHECK(told.data == Json::parse(R"({"job/kept":{}})"));
}

TEST_CASE("streams are woken while there are any, and not longer") {
  Fixture f;
  auto stream = f.board.stream();
  CHECK(f.board.streams() == 0);
  Fixture::all_of(*stream);
  CHECK(f.board.streams() == 1);
  const auto steps = [&] {
    for (int i = 0; i < 8; ++i) {
      f.web.poll();
      f.web.restart();
      f.clock.advance(Board::kEvery);
    }
  };
  steps();
  CHECK(f.woken > 2);
  stream.reset();
  CHECK(f.board.streams() == 0);
  steps();
  const auto before = f.woken;
  steps();
  CHECK(f.woken == before);
}
