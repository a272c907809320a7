#include "gateway/last_errors.hpp"

#include <doctest/doctest.h>

#include "gateway/payloads.hpp"

using namespace dfota;
using Json = nlohmann::json;

TEST_CASE("the newest error of each module, shortened, as it is published; and again after a restart") {
  Job job;
  job.command.job = "r1";
  const auto error = UpdateError::of(CodeSource::http, 716, Phase::downloading, nullptr);
  const auto published = error_payload("g", 8, job, "m1", 1, error, {});
  LastErrors errors;
  CHECK(errors.of("m1").is_null());
  const auto document = errors.note("m1", published);
  const Json expected = {{"ts", published["ts"]},
                         {"job", "r1"},
                         {"code", 716},
                         {"class", "7xx"},
                         {"name", published["name"]},
                         {"meaning", "HTTP socket connect error"},
                         {"hint", published["hint"]},
                         {"phase", "downloading"}};
  CHECK(errors.of("m1") == expected);
  CHECK(errors.of("m2").is_null());

  const LastErrors again({{LastErrors::fact_of("m1"), document}, {"hold", "x"}, {"zz", "{}"}});
  CHECK(again.of("m1") == expected);
  CHECK(again.of("m2").is_null());

  errors.note("m1", error_payload("g", 9, job, "m1", 1, UpdateError::of(Finding::absent, Phase::queued), {}));
  CHECK(errors.of("m1")["code"] == "absent");
  CHECK(errors.of("m1")["class"] == "gateway");
  CHECK(errors.forget("m1"));
  CHECK_FALSE(errors.forget("m1"));
  CHECK(errors.of("m1").is_null());
}

TEST_CASE("what the journal does not have whole is none") {
  for (const auto* document : {"", "[]", "{", "{}", R"({"ts":"x"})", "null"}) {
    CAPTURE(document);
    CHECK(LastErrors({{LastErrors::fact_of("m1"), document}}).of("m1").is_null());
  }
}
