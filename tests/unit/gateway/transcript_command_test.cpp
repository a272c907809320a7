#include "gateway/transcript_command.hpp"

#include <doctest/doctest.h>

using namespace dfota;
using nlohmann::json;

namespace {

ReadTranscript transcript_of(Transcript& recorded) {
  ReadTranscript out;
  out.head.job = "j";
  out.head.run = 1;
  out.events = recorded.events();
  return out;
}

void say(Transcript& transcript, std::size_t from, std::size_t to, std::size_t bytes = 1) {
  for (auto i = from; i < to; ++i) transcript.port_opened(std::to_string(i) + std::string(bytes, 'x'));
}

json page_of(const ReadTranscript& transcript, const std::optional<TranscriptCursor>& after) {
  return std::get<json>(transcript_page(transcript, after));
}

/// All pages, and how many there were.
std::pair<json, std::size_t> all(const ReadTranscript& transcript) {
  json lines = json::array();
  std::size_t pages = 0;
  std::optional<TranscriptCursor> after;
  for (;; ++pages) {
    const auto page = page_of(transcript, after);
    lines.insert(lines.end(), page["lines"].begin(), page["lines"].end());
    if (page["next"].is_null()) return {lines, pages + 1};
    after = TranscriptCursor::read(page["next"]);
    REQUIRE(after);
    REQUIRE(pages < 1000);
  }
}

}  // namespace

TEST_CASE("cursors are read as they were written, and nothing else is one") {
  const TranscriptCursor cursor{"a.b-c_1", 7, 12345678901};
  CHECK(cursor.text() == "a.b-c_1/7/12345678901");
  CHECK(TranscriptCursor::read(cursor.text())->events == cursor.events);
  for (const auto* text : {"", "/", "//", "a/1", "a/1/", "a//1", "/1/1", "a/0/1", "a/1/x", "a/-1/1", "a/1/1 ",
                           "a b/1/1", "a/99999999999/1", "a/1/1/1"}) {
    CAPTURE(text);
    CHECK_FALSE(TranscriptCursor::read(text));
  }
}

TEST_CASE("pages: every event once, none too large") {
  Transcript recorded;
  say(recorded, 0, 100, 3000);
  say(recorded, 100, 1900);
  const auto transcript = transcript_of(recorded);
  const auto [lines, pages] = all(transcript);
  CHECK(lines.size() == 1900);
  CHECK(pages > 4);
  CHECK(lines[1899]["open"] == "1899x");
  const auto first = page_of(transcript, {});
  CHECK(first.dump().size() < 64 << 10);
  CHECK(first["head"]["transcript"] == 1);
  CHECK(page_of(transcript, TranscriptCursor{"j", 1, 1900})["lines"].empty());
  CHECK(page_of(transcript, TranscriptCursor{"j", 1, 5000})["next"].is_null());
}

TEST_CASE("pages while events are dropped: none comes twice, and those that are missed are counted") {
  Transcript recorded;
  say(recorded, 0, 1000);
  const auto first = page_of(transcript_of(recorded), {});
  CHECK(first["next"] == "j/1/500");
  say(recorded, 1000, 2600);  // 600 of the middle are gone
  auto second = page_of(transcript_of(recorded), TranscriptCursor::read(first["next"]));
  CHECK(second["lines"][0]["dropped"] == 600);
  CHECK(second["lines"][1]["open"] == "1100x");
  CHECK(second["next"] == "j/1/1599");
  say(recorded, 2600, 3200);  // 1,200, of which 101 had been given out
  second = page_of(transcript_of(recorded), TranscriptCursor::read(second["next"]));
  CHECK(second["lines"][0]["dropped"] == 101);
  CHECK(second["lines"][1]["open"] == "1700x");
}

TEST_CASE("a page of another run is refused") {
  Transcript recorded;
  const auto transcript = transcript_of(recorded);
  CHECK(std::get<CommandFault>(transcript_page(transcript, TranscriptCursor{"j", 2, 0})).pointer == "/after");
  CHECK(page_of(transcript, {})["lines"].empty());
}
