#include "transport/web_server.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <iterator>

#include "tests/support/temp_dir.hpp"
#include "tests/support/web_rig.hpp"

using namespace dfota;
using namespace dfota::web_rig;
using namespace std::chrono_literals;

namespace {

WebAnswer text_answer(const std::string& text) {
  WebAnswer answer;
  answer.type = "text/plain";
  answer.body = text;
  return answer;
}

WebAnswer refused_body(const Error& error) {
  auto answer = text_answer(error.message);
  answer.status = status_of(error);
  return answer;
}

/// Says what was asked.
WebAnswer echo(const WebRequest& asked, WebBody& body) {
  std::string text = asked.method + " " + asked.path;
  for (const auto& [name, value] : asked.query) text += "|" + name + "=" + value;
  text += "|" + asked.source + (asked.from_loopback ? " loopback" : "") + "|" + asked.header("X-Word");
  if (asked.method == "POST") {
    const auto read = body.read();
    if (!read) return refused_body(read.error());
    text += "|" + read.value();
  }
  return text_answer(text);
}

std::string content_of(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

}  // namespace

TEST_CASE("a request comes decoded, and its answer goes with the headers of all answers") {
  WebServerOptions options;
  options.headers = {{"X-Frame-Options", "DENY"}, {"Cache-Control", "no-store"}};
  WebRig rig(
      [](const WebRequest& asked, WebBody& body) {
        auto answer = echo(asked, body);
        if (asked.path == "/own") answer.headers = {{"cache-control", "no-cache"}, {"ETag", "\"1\""}};
        return answer;
      },
      options);
  WebClient client(rig, request("GET /a%20b/c?x=1%262&y=a+b&z", "x-WORD:  hello \r\n"));
  CHECK(client.status() == "200");
  CHECK(client.body() == "GET /a b/c|x=1&2|y=a b|z=|127.0.0.1 loopback|hello");
  CHECK(client.has_line("Content-Type: text/plain"));
  CHECK(client.has_line("Connection: close"));
  CHECK(client.has_line("X-Frame-Options: DENY"));
  CHECK(client.has_line("Cache-Control: no-store"));

  WebClient own(rig, request("GET /own"));
  CHECK(own.status() == "200");
  CHECK(own.has_line("cache-control: no-cache"));
  CHECK(own.has_line("ETag: \"1\""));
  CHECK_FALSE(own.has_line("Cache-Control: no-store"));

  WebClient old(rig, "GET /old HTTP/1.0\r\n\r\n");
  CHECK(old.body() == "GET /old|127.0.0.1 loopback|");
}

TEST_CASE("HEAD gets the head of what GET gets") {
  WebRig rig(echo);
  WebClient get(rig, request("GET /x"));
  WebClient head(rig, request("HEAD /x"));
  CHECK(head.all() == get.all().substr(0, get.got.find("\r\n\r\n") + 4));
}

TEST_CASE("an answer without a body says so, and 204 and 304 have no length") {
  WebRig rig([](const WebRequest& asked, WebBody&) {
    WebAnswer answer;
    answer.status = std::stoi(asked.path.substr(1));
    return answer;
  });
  for (const std::string status : {"204", "304"}) {
    WebClient client(rig, request("GET /" + status));
    CHECK(client.status() == status);
    CHECK(client.got.find("Content-") == std::string::npos);
  }
  WebClient client(rig, request("GET /421"));
  CHECK(client.all().starts_with("HTTP/1.1 421 Misdirected Request\r\n"));
  CHECK(client.has_line("Content-Length: 0"));
}

TEST_CASE("what no handler should see is refused before one does, with the headers of all answers") {
  WebServerOptions options;
  options.headers = {{"X-Frame-Options", "DENY"}};
  std::atomic<int> asked = 0;
  WebRig rig(
      [&](const WebRequest&, WebBody&) {
        ++asked;
        return WebAnswer();
      },
      options);
  const std::vector<std::pair<std::string, std::string>> table = {
      {"400", "GET /\r\n\r\n"},
      {"400", "GET / HTTP/2.0\r\n\r\n"},
      {"400", "GET / HTTP/1.1\r\n\r\n"},
      {"400", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"},
      {"400", request("GET http://here/")},
      {"400", request("GET *")},
      {"400", request("GET /%zz")},
      {"400", request("GET /%0")},
      {"400", request("GET /a%00b")},
      {"400", request("GET /a%0d%0ab")},
      {"400", request("GET /a%2Fb")},
      {"400", request("GET /?a=1&a=2")},
      {"400", request("GET /?a=%")},
      {"400", request("POST /", "Content-Length: 3\r\nContent-Length: 3\r\n", "abc")},
      {"400", request("POST /", "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", "abc")},
      {"400", request("POST /", "Content-Length: -3\r\n", "abc")},
      {"400", request("POST /", "Content-Length: 99999999999999999999\r\n", "abc")},
      {"400", request("GET /", std::string(9000, 'x') + ": y\r\n")},
      {"400", request("GET /", "Folded: a\r\n b\r\n")},
      {"411", request("POST /", "Transfer-Encoding: chunked\r\n", "3\r\nabc\r\n0\r\n\r\n")},
      {"411", request("POST /", "Transfer-Encoding: gzip\r\n", "abc")},
      {"417", request("PUT /", "Content-Length: 3\r\nExpect: wonders\r\n", "abc")},
      {"405", request("OPTIONS /")},
      {"405", request("TRACE /")},
      {"501", request("BREW /")},
      {"501", request("get /")},
  };
  for (const auto& [status, text] : table) {
    CAPTURE(text.substr(0, 100));
    WebClient client(rig, text);
    CHECK(client.status() == status);
    CHECK(client.has_line("X-Frame-Options: DENY"));
    CHECK(client.has_line("Content-Type: application/json"));
    CHECK(client.body().starts_with("{\"error\":{\"code\":\""));
  }
  std::string many = "GET / HTTP/1.1\r\nHost: here\r\n";
  for (int i = 0; i < 20000; ++i) many += "A: b\r\n";
  CHECK(WebClient(rig, many + "\r\n").status() == "400");
  CHECK(WebClient(rig, "GET /" + std::string(2 * 1024 * 1024, 'x')).status() == "400");
  CHECK(asked == 0);
}

TEST_CASE("a handler that throws is a 500 without its text, and the log has it") {
  WebRig rig([](const WebRequest&, WebBody&) -> WebAnswer { throw std::runtime_error("a secret"); });
  WebClient client(rig, request("GET /x"));
  CHECK(client.status() == "500");
  CHECK(client.got.find("secret") == std::string::npos);
  rig.on_web_thread([] { return 0; });
  REQUIRE(rig.faults.size() == 1);
  CHECK(rig.faults.front() == "admin page: GET /x: a secret");
}

TEST_CASE("a header with a line end in it does not go") {
  WebRig rig([](const WebRequest&, WebBody&) {
    auto answer = text_answer("x");
    answer.headers = {{"X-One", "a\r\nX-Two: b"}, {"X-Three", "c"}};
    return answer;
  });
  WebClient client(rig, request("GET /"));
  CHECK(client.status() == "200");
  CHECK(client.got.find("X-Two") == std::string::npos);
  CHECK(client.has_line("X-Three: c"));
}

TEST_CASE("silent sockets and slow heads keep nobody from an answer, and are cut or told at their deadline") {
  WebServerOptions options;
  options.head_limit = 300ms;
  WebRig rig(echo, options);
  std::vector<std::unique_ptr<WebClient>> crowd;
  for (int i = 0; i < 200; ++i) crowd.push_back(std::make_unique<WebClient>(rig, i % 2 == 0 ? "" : "GET /slow"));
  CHECK(WebClient(rig, request("GET /")).status() == "200");
  for (std::size_t i = 0; i < crowd.size(); ++i) {
    crowd[i]->until_end();
    if (i % 2 == 0) {
      CHECK(crowd[i]->got.empty());
    } else {
      CHECK(crowd[i]->status() == "408");
    }
  }
}

TEST_CASE("heads that do not come are bounded in number, and the oldest is cut") {
  WebServerOptions options;
  options.max_pending_heads = 4;
  WebRig rig(echo, options);
  std::vector<std::unique_ptr<WebClient>> crowd;
  for (int i = 0; i < 5; ++i) crowd.push_back(std::make_unique<WebClient>(rig, ""));
  CHECK(crowd.front()->until_end());
  crowd[1]->send(request("GET /"));
  CHECK(crowd[1]->status() == "200");
}

TEST_CASE("whole heads beyond those that may wait for a worker are told to come again") {
  WebServerOptions options;
  options.workers = 1;
  options.waiting = 1;
  Latch latch;
  WebRig rig(
      [&](const WebRequest& asked, WebBody& body) {
        latch.wait();
        return echo(asked, body);
      },
      options);
  WebClient served(rig, request("GET /1"));
  latch.until_waiting(1);
  WebClient second(rig, request("GET /2"));
  WebClient third(rig, request("GET /3"));
  // Which of the two comes to wait is not known.
  std::vector<pollfd> events = {{second.descriptor(), POLLIN, 0}, {third.descriptor(), POLLIN, 0}};
  REQUIRE(::poll(events.data(), events.size(), 20000) == 1);
  auto& refused = events[0].revents != 0 ? second : third;
  auto& waits = events[0].revents != 0 ? third : second;
  CHECK(refused.status() == "503");
  CHECK(refused.has_line("Retry-After: 2"));
  latch.open();
  CHECK(served.status() == "200");
  CHECK(waits.status() == "200");
}

TEST_CASE("a body is read when it is asked for, whole, in time and up to its limit") {
  WebServerOptions options;
  options.max_body_bytes = 1000;
  options.body_limit = 200ms;
  WebRig rig(echo, options);
  const auto echoed = [](const std::string& body) { return "POST /|127.0.0.1 loopback||" + body; };

  CHECK(WebClient(rig, with_length("POST /", "abc")).body() == echoed("abc"));
  CHECK(WebClient(rig, with_length("POST /", "abc") + "GET /next").body() == echoed("abc"));
  CHECK(WebClient(rig, request("POST /")).body() == echoed(""));
  CHECK(WebClient(rig, with_length("POST /", std::string(1000, 'x'))).body() == echoed(std::string(1000, 'x')));
  CHECK(WebClient(rig, with_length("POST /", std::string(1001, 'x'))).status() == "413");
  CHECK(WebClient(rig, request("POST /", "Content-Length: 5\r\n", "abc")).status() == "408");

  WebClient in_parts(rig, request("POST /", "Content-Length: 4\r\n"));
  for (const char* part : {"a", "b", "c", "d"}) in_parts.send(part);
  CHECK(in_parts.body() == echoed("abcd"));
  // Who is not asked for the body has an answer though none of it came, or much of it comes that nobody wants.
  CHECK(WebClient(rig, request("PUT /", "Content-Length: 5\r\n")).status() == "200");
  CHECK(WebClient(rig, with_length("PUT /", std::string(8 << 20, 'x'))).status() == "200");
}

TEST_CASE("Expect: 100-continue is answered when the body is asked for, not before") {
  WebRig rig(echo);
  const std::string expect = "Content-Length: 3\r\nExpect: 100-continue\r\n";
  WebClient client(rig, request("POST /", expect));
  REQUIRE(client.until("\r\n\r\n"));
  CHECK(client.got == "HTTP/1.1 100 Continue\r\n\r\n");
  client.got.clear();
  client.send("abc");
  CHECK(client.body() == "POST /|127.0.0.1 loopback||abc");

  WebClient not_asked(rig, request("PUT /", expect));
  CHECK(not_asked.status() == "200");
  WebClient came_with_it(rig, request("POST /", expect, "abc"));
  CHECK(came_with_it.status() == "200");
  WebClient old(rig, "POST / HTTP/1.0\r\n" + expect + "\r\n");
  old.send("abc");
  CHECK(old.status() == "200");
}

TEST_CASE("a body is saved to a new file, all of it or none") {
  test::TempDir dir;
  WebServerOptions options;
  options.body_idle_limit = 200ms;
  WebRig rig(
      [&](const WebRequest& asked, WebBody& body) {
        const auto saved = body.save(dir / asked.path.substr(1), 4 << 20);
        return saved ? text_answer(std::to_string(saved.value())) : refused_body(saved.error());
      },
      options);
  std::string bytes;
  for (std::size_t i = 0; i < 3'000'000; ++i) bytes += static_cast<char>(i * 31 + i / 257);

  CHECK(WebClient(rig, with_length("PUT /whole", bytes)).body() == "3000000");
  CHECK(content_of(dir / "whole") == bytes);
  CHECK((std::filesystem::status(dir / "whole").permissions() & std::filesystem::perms::mask) ==
        (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));
  CHECK(WebClient(rig, with_length("PUT /empty", "")).body() == "0");

  CHECK(WebClient(rig, with_length("PUT /whole", "abc")).status() == "500");
  CHECK(content_of(dir / "whole") == bytes);
  CHECK(WebClient(rig, request("PUT /nothing")).status() == "411");
  CHECK(WebClient(rig, request("PUT /large", "Content-Length: 5000000\r\n")).status() == "413");
  CHECK(WebClient(rig, request("PUT /stops", "Content-Length: 5\r\n", "abc")).status() == "408");
  { WebClient cut(rig, request("PUT /cut", "Content-Length: 5000\r\n", "abc")); }
  // Each leaves nothing; the last one once its worker has seen the end.
  CHECK(WebClient(rig, with_length("PUT /another", "abc")).status() == "200");
  rig.server.reset();
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(dir.path())) names.push_back(entry.path().filename());
  std::sort(names.begin(), names.end());
  CHECK(names == std::vector<std::string>{"another", "empty", "whole"});
}

TEST_CASE("one worker stays for those without a body") {
  test::TempDir dir;
  WebServerOptions options;
  options.workers = 2;
  WebRig rig(
      [&](const WebRequest& asked, WebBody& body) {
        if (asked.method == "GET") return text_answer("here");
        const auto saved = body.save(dir / asked.path.substr(1), 100);
        return saved ? text_answer("saved") : refused_body(saved.error());
      },
      options);
  WebClient slow(rig, request("PUT /slow", "Content-Length: 5\r\nExpect: 100-continue\r\n"));
  REQUIRE(slow.until("100 Continue\r\n\r\n"));
  CHECK(WebClient(rig, with_length("PUT /other", "abc")).status() == "503");
  CHECK(WebClient(rig, request("GET /")).status() == "200");
  slow.got.clear();
  slow.send("abcde");
  CHECK(slow.status() == "200");
}

TEST_CASE("readers that take nothing of a large answer hold no worker, and are cut") {
  WebServerOptions options;
  options.workers = 1;
  options.stall_limit = 500ms;
  const std::string large(4 << 20, 'x');
  WebRig rig([&](const WebRequest& asked, WebBody&) { return text_answer(asked.path == "/large" ? large : "small"); },
             options);
  std::vector<std::unique_ptr<WebClient>> crowd;
  for (int i = 0; i < 8; ++i) crowd.push_back(std::make_unique<WebClient>(rig, request("GET /large"), 4096));
  CHECK(WebClient(rig, request("GET /")).body() == "small");
  CHECK(WebClient(rig, request("GET /large")).body() == large);
  for (auto& one : crowd) CHECK(one->until_broken());
}

TEST_CASE("answers on their way are bounded in bytes, and the oldest are cut") {
  WebServerOptions options;
  options.max_answer_bytes = 5 << 20;
  const std::string large(4 << 20, 'x');
  WebRig rig([&](const WebRequest&, WebBody&) { return text_answer(large); }, options);
  WebClient first(rig, request("GET /"), 4096);
  REQUIRE(first.until("\r\n\r\n"));
  WebClient second(rig, request("GET /"), 4096);
  REQUIRE(second.until("\r\n\r\n"));
  CHECK(first.until_broken());
  CHECK(second.body() == large);
}

TEST_CASE("a port that is taken is busy, an address that is not ours is invalid, and both name the key") {
  WebRig rig(echo);
  WebServerOptions options;
  options.port = rig.server->port();
  const auto taken = WebServer(options, echo).start();
  CHECK(taken.error().code == Errc::busy);
  CHECK(taken.error().message.starts_with("admin.listen 127.0.0.1:"));
  options.port = 0;
  options.host = "192.0.2.1";
  CHECK(WebServer(options, echo).start().error().code == Errc::invalid);
}

TEST_CASE("the server ends while requests wait, bodies are read and heads are slow") {
  WebServerOptions options;
  options.workers = 2;
  std::atomic<bool> lost = false;
  auto rig = std::make_unique<WebRig>(
      [&](const WebRequest&, WebBody& body) {
        const auto read = body.read();
        lost = !read && read.error().code == Errc::link_lost;
        return WebAnswer();
      },
      options);
  WebClient silent(*rig);
  WebClient reading(*rig, request("POST /", "Content-Length: 5\r\nExpect: 100-continue\r\n"));
  REQUIRE(reading.until("100 Continue"));
  rig.reset();
  CHECK(reading.until_end());
  CHECK(silent.until_end());
  CHECK(lost);
}
