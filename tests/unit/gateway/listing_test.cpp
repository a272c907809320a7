#include "gateway/listing.hpp"

#include <doctest/doctest.h>

#include "gateway/tombstone.hpp"

using namespace dfota;

TEST_CASE("a cursor comes back as it was given, and nothing else is one") {
  for (const auto* text : {"job/r1/0", "job/a.b-c/12", "module/uc20-a", "module/"}) {
    CAPTURE(text);
    const auto cursor = ListCursor::read(text);
    REQUIRE(cursor);
    CHECK(cursor->text() == text);
  }
  for (const auto* text :
       {"", "job/", "job/r1", "job/r1/", "job/r1/x", "job/r 1/1", "job/r1/12345678", "module/a/b", "modules/a", "r1"}) {
    CAPTURE(text);
    CHECK_FALSE(ListCursor::read(text));
  }
}

TEST_CASE("a tombstone knows its command by all of it but the transaction") {
  const auto command = [](const char* extra) {
    const auto document = nlohmann::json::parse(
        std::string(
            R"({"job": "r1", "modules": "all", "from": "A", "to": "B", "delivery": "file", "file": "UFS:d.bin")") +
        extra + "}");
    return std::get<UpdateCommand>(parse_update_command(document));
  };
  Job job;
  job.command = command("");
  job.add_part("m0");
  UpdateResult result;
  result.outcome = Outcome::succeeded;
  job.end(*job.parts[0], result);
  job.verdict = verdict_of(job);
  const auto tombstone = tombstone_of(job, from_ms(1772366400123));
  CHECK(tombstone.id == "r1");
  CHECK(tombstone.forgotten_at_ms == 1772366400123);
  const auto state = state_of(tombstone.document, command(R"(, "transaction": "t")"));
  REQUIRE(state);
  CHECK((*state)["state"] == "succeeded");
  CHECK((*state)["forgotten"] == true);
  CHECK((*state)["counts"]["succeeded"] == 1);
  CHECK_FALSE(state_of(tombstone.document, command(R"(, "attempts": 2)")));
}
