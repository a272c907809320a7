#include "gateway/text.hpp"

#include <doctest/doctest.h>

using namespace dfota;

TEST_CASE("times are RFC 3339 in UTC with milliseconds") {
  CHECK(rfc3339(from_ms(0)) == "1970-01-01T00:00:00.000Z");
  CHECK(rfc3339(from_ms(1772366400123)) == "2026-03-01T12:00:00.123Z");
}

TEST_CASE("ids") {
  CHECK(is_job_id("uc20-r3_A.1"));
  CHECK_FALSE(is_job_id(""));
  CHECK_FALSE(is_job_id("a/b"));
  CHECK_FALSE(is_job_id(std::string(65, 'a')));
  CHECK(is_topic_id("uc20-a"));
  CHECK_FALSE(is_topic_id("uc20.a"));
  CHECK_FALSE(is_topic_id("uc20+"));
}

TEST_CASE("topic filters") {
  CHECK(topic_matches("a/b", "a/b"));
  CHECK(topic_matches("a/+", "a/b"));
  CHECK(topic_matches("a/#", "a/b/c"));
  CHECK(topic_matches("a/#", "a"));
  CHECK(topic_matches("#", "a/b"));
  CHECK_FALSE(topic_matches("a/+", "a/b/c"));
  CHECK_FALSE(topic_matches("a/b", "a/c"));
  CHECK_FALSE(topic_matches("a", "a/b"));
  CHECK_FALSE(topic_matches("a/b/c", "a/b"));
}

TEST_CASE("what may be told of a URL") {
  CHECK(artifact_name("https://host/a/delta.bin?sig=secret") == "delta.bin");
  CHECK(artifact_name("https://host/") == "delta.bin");
  CHECK(artifact_name("https://host/a%20b.bin") == "delta.bin");
  CHECK(artifact_name("https://host/.hidden") == "delta.bin");
  CHECK(artifact_name("https://host/UC20_A11-A12.bin") == "UC20_A11-A12.bin");
}

TEST_CASE("the extension that a module's file gets") {
  CHECK(short_extension("delta.zip") == ".zip");
  CHECK(short_extension("a.b.7z") == ".7z");
  for (const auto* name : {"delta", "delta.", "delta.pack", "delta.a-b", "delta.a_b"})
    CHECK(short_extension(name) == ".bin");
}

TEST_CASE("times of RFC 3339 are read, with Z or an offset, and nothing else is one") {
  const auto ms = [](const char* text) {
    const auto time = parse_rfc3339(text);
    return time ? to_ms(*time) : -1;
  };
  CHECK(ms("2026-03-01T12:00:00Z") == 1772366400000);
  CHECK(ms("2026-03-01T12:00:00.1239Z") == 1772366400123);
  CHECK(ms("2026-03-01T13:30:00+01:30") == 1772366400000);
  CHECK(ms("2026-02-28T23:00:00.5-13:00") == 1772366400500);
  for (const auto* text :
       {"", "2026-03-01", "2026-03-01T12:00:00", "2026-03-01 12:00:00Z", "2026-02-29T12:00:00Z", "2026-13-01T12:00:00Z",
        "2026-03-01T24:00:00Z", "2026-03-01T12:00:00+1:00", "2026-03-01T12:00:00.Z", "2026-03-01T12:00:00ZZ",
        "1969-12-31T23:59:59Z", "9999-12-31T23:59:59Z", "tomorrow"}) {
    CAPTURE(text);
    CHECK(ms(text) == -1);
  }
}

TEST_CASE("the first characters of a text are cut between two of them") {
  CHECK(first_characters("", 3).empty());
  CHECK(first_characters("abc", 3) == "abc");
  CHECK(first_characters("abcd", 3) == "abc");
  CHECK(first_characters("\u00e4\u20ac\U0001f600d", 3) == "\u00e4\u20ac\U0001f600");
  CHECK(first_characters("\u00e4\u20ac\U0001f600", 2) == "\u00e4\u20ac");
  CHECK(first_characters("a", 0).empty());
}
