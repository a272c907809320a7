#include "modem/simulator/ftp_download.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include <asio/co_spawn.hpp>

#include "tests/support/tiny_ftp_server.hpp"
#include "transport/base/clock.hpp"

using namespace dfota;
using namespace dfota::sim;
using dfota::test::TinyFtpServer;

namespace {

struct Fixture {
  Fixture() : server(loop) {
    server.body = *make_delta({"UC20", "V1", "V2", 100000});
    hooks.log = [this](std::string_view event, const Json& fields) {
      events += std::string(event) + fields.dump() + "\n";
    };
    hooks.reached = [this] { return reached(); };
  }
  Awaitable<Step> reached() {
    ++asked;
    co_return step;
  }
  int fetch(const std::string& login = "test:secret@", const std::string& path = "d.bin") {
    const auto target = parse_target("FTP://" + login + "127.0.0.1:" + server.port() + "/" + path);
    REQUIRE(target.ok());
    download = std::make_unique<FtpDownload>(loop, target->ftp, FtpLimits{idle_s, 3600}, hooks);
    std::optional<int> code;
    asio::co_spawn(loop, download->run(), [&code](std::exception_ptr, int value) { code = value; });
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!code && std::chrono::steady_clock::now() < give_up) loop.run_one_for(std::chrono::milliseconds(100));
    REQUIRE(code);
    return *code;
  }
  [[nodiscard]] bool told(const std::string& command) const {
    return std::find(server.commands.begin(), server.commands.end(), command) != server.commands.end();
  }
  asio::io_context loop;
  TinyFtpServer server;
  DownloadHooks hooks;
  std::unique_ptr<FtpDownload> download;
  std::string events;
  Step step = Step::go_on;
  int asked = 0;
  int idle_s = 60;
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "a package comes whole, by the name that was given") {
  CHECK(fetch() == 0);
  CHECK(download->package().bytes() == 100000);
  REQUIRE(download->package().finish().ok());
  CHECK(download->package().finish()->to == "V2");
  CHECK(told("USER test"));
  CHECK(told("RETR d.bin"));
  CHECK(events.find("ftp_request") != std::string::npos);
  CHECK(events.find("\"path\":\"d.bin\"") != std::string::npos);
  CHECK(events.find("secret") == std::string::npos);
}

TEST_CASE_FIXTURE(Fixture, "percent signs and other marks are passed on as they stand") {
  server.user = "t%41";
  server.password = "p%40ss:w?";
  server.path = "up/d%20+#?.bin";
  CHECK(fetch("t%41:p%40ss:w?@", "up/d%20+#?.bin") == 0);
  CHECK(download->package().bytes() == 100000);
}

TEST_CASE_FIXTURE(Fixture, "what the server refuses becomes the guide's code") {
  SUBCASE("password") {
    CHECK(fetch("test:wrong@") == 625);
  }
  SUBCASE("no such file") {
    CHECK(fetch("test:secret@", "other.bin") == 627);
  }
  struct Case {
    const char* verb;
    const char* reply;
    int code;
  };
  const Case table[] = {{"RETR", "450 busy", 617},     {"RETR", "451 local", 618}, {"RETR", "452 full", 619},
                        {"RETR", "425 no data", 615},  {"RETR", "550 gone", 627},  {"RETR", "553 name", 630},
                        {"RETR", "502 what", 622},     {"USER", "530 no", 625},    {"USER", "421 later", 614},
                        {"PASS", "421 too many", 614}, {"USER", "500 what", 620},  {"RETR", "421 going", 614}};
  for (const auto& one : table) {
    INFO(std::string(one.verb), " ", std::string(one.reply));
    server.replies = {{one.verb, one.reply}};
    CHECK(fetch() == one.code);
  }
}

TEST_CASE_FIXTURE(Fixture, "what the network does becomes the guide's code") {
  SUBCASE("nobody there") {
    const auto port = server.port();
    server.close();
    const auto target = parse_target("ftp://u:p@127.0.0.1:" + port + "/d");
    CHECK(ftp_code(7, 0, false) == 605);
    download = std::make_unique<FtpDownload>(loop, target->ftp, FtpLimits(), hooks);
    std::optional<int> code;
    asio::co_spawn(loop, download->run(), [&code](std::exception_ptr, int value) { code = value; });
    while (!code) loop.run_one();
    CHECK(code == 605);
  }
  SUBCASE("broken off") {
    server.cut_off = 5000;
    CHECK(fetch() == 607);
    CHECK(download->package().bytes() == 95000);
  }
  SUBCASE("a greeting that is none") {
    server.greeting = "SSH-2.0-OpenSSH";
    idle_s = 1;
    CHECK(fetch() != 0);
  }
  CHECK(ftp_code(6, 0, false) == 604);    // the name was not resolved
  CHECK(ftp_code(28, 0, false) == 605);   // timed out before there was a connection
  CHECK(ftp_code(28, 150, true) == 609);  // timed out
  CHECK(ftp_code(28, 421, true) == 614);
  CHECK(ftp_code(18, 426, true) == 616);
  CHECK(ftp_code(18, 226, true) == 607);  // a partial file
  CHECK(ftp_code(56, 0, true) == 606);    // closed before the greeting
  CHECK(ftp_code(67, 530, true) == 625);  // login denied
  CHECK(ftp_code(67, 0, true) == 625);
  CHECK(ftp_code(78, 0, true) == 627);  // not found
  CHECK(ftp_code(2, 0, false) == 601);  // anything else
}

TEST_CASE_FIXTURE(Fixture, "a URL over the guide's limits is never asked for") {
  CHECK(fetch("test:" + std::string(51, 'p') + "@") == 610);
  CHECK(fetch("test:secret@", std::string(51, 'd')) == 610);
  CHECK(server.commands.empty());
}

TEST_CASE_FIXTURE(Fixture, "at a percent the owner is asked, once, and obeyed") {
  hooks.at_percent = 40;
  SUBCASE("go on") {
    CHECK(fetch() == 0);
    CHECK(download->package().bytes() == 100000);
  }
  SUBCASE("stop") {
    step = Step::stop;
    CHECK(fetch() == kDownloadStopped);
    CHECK(download->package().bytes() == 40000);
  }
  SUBCASE("from the first byte") {
    hooks.at_percent = 0;
    step = Step::stop;
    CHECK(fetch() == kDownloadStopped);
    CHECK(download->package().bytes() == 0);
  }
  CHECK(asked == 1);
}

TEST_CASE_FIXTURE(Fixture, "it ends in the middle, whoever holds it up") {
  hooks.at_percent = 40;
  bool held = false;
  Timer never(loop);
  never.expires_at(Clock::now() + std::chrono::hours(1));
  hooks.reached = [&]() -> Awaitable<Step> {
    held = true;
    co_await never.async_wait(kNoThrow);
    co_return Step::go_on;
  };
  const auto target = parse_target("ftp://test:secret@127.0.0.1:" + server.port() + "/d.bin");
  download = std::make_unique<FtpDownload>(loop, target->ftp, FtpLimits(), hooks);
  asio::co_spawn(loop, download->run(), [](std::exception_ptr, int) {});
  while (!held) loop.run_one();
  download.reset();
  CHECK(server.commands.back() == "RETR d.bin");
}
