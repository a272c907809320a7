#include "gateway/ctl/requests.hpp"

#include <doctest/doctest.h>

using namespace dfota::ctl;

TEST_CASE("the body of an update") {
  UpdateRequest request;
  request.url = "http://h/f";
  request.sha256 = "00";
  request.from = "A";
  request.to = "B";
  SUBCASE("ids and everything") {
    request.modules = {"a", "b"};
    request.size = 5;
    request.job = "r3";
    request.attempts = 2;
    CHECK(
        dumped(update_body(request)) ==
        R"({"artifact":{"sha256":"00","size":5,"url":"http://h/f"},"attempts":2,"from":"A","job":"r3","modules":["a","b"],"to":"B"})");
  }
  SUBCASE("all") {
    request.modules = {"all"};
    CHECK(dumped(update_body(request)) ==
          R"({"artifact":{"sha256":"00","url":"http://h/f"},"from":"A","modules":"all","to":"B"})");
  }
  SUBCASE("by model and version") {
    request.model = "UC20";
    request.version = "A";
    CHECK(
        dumped(update_body(request)) ==
        R"({"artifact":{"sha256":"00","url":"http://h/f"},"from":"A","modules":{"model":"UC20","version":"A"},"to":"B"})");
  }
  SUBCASE("another delivery of an artifact") {
    request.modules = {"all"};
    request.delivery = "upload";
    CHECK(dumped(update_body(request)) ==
          R"({"artifact":{"sha256":"00","url":"http://h/f"},"delivery":"upload","from":"A","modules":"all","to":"B"})");
  }
  SUBCASE("a URL of the module's own, a file in it") {
    request.modules = {"all"};
    request.delivery = "url";
    CHECK(dumped(update_body(request)) ==
          R"({"delivery":"url","from":"A","modules":"all","to":"B","url":"http://h/f"})");
    request.delivery = "file";
    request.file = "UFS:f";
    CHECK(dumped(update_body(request)) == R"({"delivery":"file","file":"UFS:f","from":"A","modules":"all","to":"B"})");
  }
  SUBCASE("one in the cache, a target, the way back") {
    request = {};
    request.modules = {"all"};
    request.artifact = "delta.bin";
    CHECK(dumped(update_body(request)) == R"({"artifact":{"name":"delta.bin"},"modules":"all"})");
    request.artifact.clear();
    request.target = "A14";
    request.allow_downgrade = request.dry_run = true;
    CHECK(dumped(update_body(request)) == R"({"allow_downgrade":true,"dry_run":true,"modules":"all","target":"A14"})");
    request = {};
    request.modules = {"all"};
    request.rollback = true;
    CHECK(dumped(update_body(request)) == R"({"modules":"all","rollback":true})");
  }
  SUBCASE("by tag, with bytes that are no UTF-8") {
    request.tag = "lab\xff";
    CHECK(dumped(update_body(request)).find(R"("modules":{"tag":"lab\ufffd"})") != std::string::npos);
  }
  SUBCASE("how many at once, when, and what stops it") {
    request.modules = {"all"};
    request.max_parallel = 4;
    request.canary = 1;
    request.abort_after_failures = 2;
    request.absent = "wait";
    request.not_before = "2026-03-01T22:00:00Z";
    request.expires = "2026-03-02T22:00:00Z";
    request.window = {"22:00", "05:00"};
    CHECK(update_body(request) == Json::parse(R"({"artifact":{"sha256":"00","url":"http://h/f"},"from":"A","to":"B",
      "modules":"all","max_parallel":4,"canary":1,"abort_after_failures":2,"absent":"wait",
      "not_before":"2026-03-01T22:00:00Z","expires":"2026-03-02T22:00:00Z","window":{"start":"22:00","end":"05:00"}})"));
  }
}

TEST_CASE("the bodies of the other verbs") {
  CHECK(subject_body({"r3", std::nullopt}) == Json{{"job", "r3"}});
  CHECK(subject_body({std::nullopt, "a"}) == Json{{"module", "a"}});
  CHECK(subject_body({}) == Json::object());
  CHECK(retry_body("r3", 2) == Json{{"job", "r3"}, {"run", 2}});
  CHECK(page_body(nullptr) == Json::object());
  CHECK(page_body("cursor") == Json{{"after", "cursor"}});
  CHECK(page_body(0) == Json{{"after", 0}});
}

TEST_CASE("install, scan and rehearse") {
  CHECK(install_body("a", std::nullopt) == Json{{"module", "a"}});
  CHECK(install_body("a", "V2") == Json{{"module", "a"}, {"target", "V2"}});
  CHECK(scan_body(std::nullopt, false, false) == Json::object());
  CHECK(scan_body("a", true, true) == Json{{"module", "a"}, {"force", true}, {"accept", true}});
  CHECK(rehearse_body("a", std::nullopt) == Json{{"module", "a"}});
  CHECK(transcript_body("a", std::nullopt) == Json{{"module", "a"}});
  CHECK(transcript_body("a", "r3") == Json{{"module", "a"}, {"job", "r3"}});
  CHECK(page_body("r3/1/9", transcript_body("a", {})) == Json{{"module", "a"}, {"after", "r3/1/9"}});
  CHECK(rehearse_body("a", 1048576) == Json{{"module", "a"}, {"size", 1048576}});
}
