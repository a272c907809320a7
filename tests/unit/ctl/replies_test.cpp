#include "gateway/ctl/replies.hpp"

#include <doctest/doctest.h>

using namespace dfota::ctl;
using Texts = std::vector<std::string>;

TEST_CASE("a reply is ok or an error") {
  const auto ok = parse_reply(R"({"status":"ok","data":{"job":"r3"},"warnings":["qos_0",{"code":"clock_untrusted"}]})");
  REQUIRE(ok.ok());
  CHECK(ok->ok);
  CHECK(ok->data == Json{{"job", "r3"}});
  CHECK(ok->warnings == Texts{"qos_0", "clock_untrusted"});
  const auto refused = parse_reply(R"({"status":"error","error":{"code":"invalid","message":"no","pointer":"/from"}})");
  REQUIRE(refused.ok());
  CHECK_FALSE(refused->ok);
  CHECK(refused->code == "invalid");
  CHECK(refused->message == "no");
  CHECK(refused->pointer == "/from");
}

TEST_CASE("a reply that is neither is no reply, and one of wrong types is an empty one") {
  for (const std::string& payload :
       Texts{"nonsense", "{}", "[]", "", R"({"status":"perhaps"})", R"({"status":["ok"]})",
             R"({"status":"ok","data":)" + std::string(50000, '[') + std::string(50000, ']') + "}",
             R"({"status":"ok","data":")" + std::string(1024 * 1024, 'x') + "\"}"}) {
    CHECK_FALSE(parse_reply(payload).ok());
  }
  const auto wrong = parse_reply(R"({"status":"ok","data":[1,2],"warnings":{"a":1},"error":7})");
  REQUIRE(wrong.ok());
  CHECK(wrong->data == Json::object());
  CHECK(wrong->warnings.empty());
  CHECK(list_page(wrong->data).jobs.empty());
  CHECK(accepted_job(wrong->data).job.empty());
  CHECK(cancellation(wrong->data).stopped.empty());
}

TEST_CASE("an accepted job") {
  const auto accepted =
      accepted_job(Json::parse(R"({"job":"r3","run":2,"state":"queued","counts":{"queued":2},"modules":["a","b"]})"));
  CHECK(accepted.job == "r3");
  CHECK(accepted.run == 2);
  CHECK(accepted.state == "queued");
  CHECK(accepted.modules == 2);
  CHECK_FALSE(accepted.forgotten);
  CHECK(accepted_job(Json::parse(R"({"job":"r3","state":"failed","forgotten":true})")).forgotten);
  const auto wrong = accepted_job(Json::parse(R"({"job":["r3"],"run":"2","modules":5,"forgotten":"no"})"));
  CHECK(wrong.job.empty());
  CHECK(wrong.run == 0);
  CHECK(wrong.modules == 0);
  CHECK_FALSE(wrong.forgotten);
}

TEST_CASE("what became of the modules of a canceled job") {
  const auto canceled = cancellation(Json::parse(R"({"stopped":["a","b"],"stopping":["c"],"will_end":[]})"));
  CHECK(canceled.stopped == Texts{"a", "b"});
  CHECK(canceled.stopping == Texts{"c"});
  CHECK(canceled.will_end.empty());
}

TEST_CASE("a page of the list; rows without a name are none") {
  const auto page = list_page(Json::parse(R"({
    "jobs":[{"job":"r3","run":2,"state":"running","counts":{"running":1,"x":"y"},"from":"A","to":"B","modules":{"a":"running"}},
            {"run":1},5,null],
    "modules":[{"module":"a","status":"online","phase":"updating","version":"A","job":"r3","last_result":null,"problem":"absent"},
               {"phase":"idle"}],
    "seq":7,"next":null})"));
  REQUIRE(page.jobs.size() == 1);
  CHECK(page.jobs[0].job == "r3");
  CHECK(page.jobs[0].run == 2);
  CHECK(page.jobs[0].state == "running");
  CHECK(page.jobs[0].from == "A");
  CHECK(page.jobs[0].to == "B");
  CHECK(page.jobs[0].counts == std::map<std::string, std::int64_t>{{"running", 1}});
  CHECK(page.jobs[0].document.at("modules") == Json{{"a", "running"}});
  REQUIRE(page.modules.size() == 1);
  CHECK(page.modules[0].module == "a");
  CHECK(page.modules[0].status == "online");
  CHECK(page.modules[0].problem == "absent");
  CHECK(page.modules[0].last_result.empty());
}

TEST_CASE("a job that goes on on the next page is one, with what was said last") {
  auto pages = list_page(Json::parse(R"({"jobs":[
    {"job":"r3","run":1,"state":"running","delivery":"http","modules":{"a":"running","b":"queued"}},
    {"job":"r3","run":1,"state":"failed","delivery":"http","modules":{"c":"failed"}},
    {"job":"r3","run":1,"state":"failed"}]})"));
  append(pages.jobs[0], pages.jobs[1]);
  append(pages.jobs[0], pages.jobs[2]);
  CHECK(pages.jobs[0].state == "failed");
  CHECK(pages.jobs[0].document == Json::parse(R"({"job":"r3","run":1,"state":"failed",
                                                  "modules":{"a":"running","b":"queued","c":"failed"}})"));
}
