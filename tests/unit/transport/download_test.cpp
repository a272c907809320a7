#include "transport/fetch.hpp"

#include <doctest/doctest.h>

#include "tests/support/fetch_fixture.hpp"

using namespace dfota;
using namespace dfota::test;
using namespace std::chrono_literals;

TEST_CASE("fetch: a file over the cap is refused, announced or not") {
  FetchBench bench;
  bench.options.max_bytes = 1000;
  ScriptedOrigin announced(answer(kBody));
  CHECK(bench.failure(announced.url(), hash_of(kBody)).code == Errc::refused);
  CHECK(bench.failure(announced.url(), hash_of(kBody), kBody.size()).code == Errc::refused);
  CHECK(announced.requests() == 1);
  ScriptedOrigin endless([](int socket, const std::string&) {
    send_all(socket, "HTTP/1.1 200 OK\r\n\r\n");
    while (send_all(socket, kBody)) {
    }
  });
  CHECK(bench.failure(endless.url(), hash_of(kBody)).code == Errc::refused);
  ScriptedOrigin endless_head([](int socket, const std::string&) {
    send_all(socket, "HTTP/1.1 200 OK\r\n");
    while (send_all(socket, "X-More: " + std::string(1000, 'x') + "\r\n")) {
    }
  });
  CHECK(bench.failure(endless_head.url(), hash_of(kBody)).code == Errc::refused);
}

TEST_CASE("fetch: errors of the server and a cut are absent: try again later") {
  FetchBench bench;
  for (const std::string status : {"404 Not Found", "503 Busy", "304 Not Modified"}) {
    ScriptedOrigin origin("HTTP/1.1 " + status + "\r\nContent-Length: 0\r\n\r\n");
    const auto error = bench.failure(origin.url(), hash_of(kBody));
    CHECK(error.code == Errc::absent);
    CHECK(error.message.find(status.substr(0, 3)) != std::string::npos);
  }
  for (const std::size_t cut : {0, 1, 16, 30, 40}) {
    ScriptedOrigin origin(answer(kBody).substr(0, cut));
    CHECK(bench.failure(origin.url(), hash_of(kBody)).code == Errc::absent);
  }
  std::string gone;
  {
    ScriptedOrigin origin("");
    gone = origin.url();
  }
  CHECK(bench.failure(gone, hash_of(kBody)).code == Errc::absent);
}

TEST_CASE("fetch: an origin that lies about the length is told so") {
  FetchBench bench;
  const auto lying = [](std::size_t length) {
    return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(length) + "\r\n\r\n" + kBody;
  };
  ScriptedOrigin shorter(lying(kBody.size() - 1000));
  CHECK(bench.failure(shorter.url(), hash_of(kBody), kBody.size()).code == Errc::mismatch);
  CHECK(bench.failure(shorter.url(), hash_of(kBody)).code == Errc::mismatch);
  ScriptedOrigin more(answer(kBody + "x"));
  const auto error = bench.failure(more.url(), hash_of(kBody), kBody.size());
  CHECK(error.code == Errc::mismatch);
  CHECK(error.message.find("its size should be 300000, but is more") != std::string::npos);
  ScriptedOrigin longer(lying(kBody.size() + 1000));
  const auto cut = bench.get(longer.url(), hash_of(kBody), kBody.size());
  REQUIRE_FALSE(cut.ok());
  CHECK(cut.error().code == Errc::absent);
  CHECK(cut.error().message.find("cut off after 300000 bytes") != std::string::npos);
  CHECK(longer.requests() == 2);
}

TEST_CASE("fetch: a page instead of the file is told as one") {
  FetchBench bench;
  const auto page = [](const std::string& type, const std::string& body) {
    return "HTTP/1.1 200 OK\r\nContent-Type: " + type + "\r\nContent-Length: " + std::to_string(body.size()) +
           "\r\n\r\n" + body;
  };
  for (const std::string& reply :
       {page("text/html; charset=utf-8", "Log in"),
        page("application/octet-stream", "\xEF\xBB\xBF\n<!DOCTYPE html><p>"), page("text/plain", "<HTML lang=en>")}) {
    ScriptedOrigin origin(reply);
    for (const auto size : {std::optional<std::uint64_t>(), std::optional<std::uint64_t>(3)}) {
      const auto error = bench.failure(origin.url(), hash_of(kBody), size);
      CHECK(error.code == Errc::mismatch);
      CHECK(error.message.find("HTML page") != std::string::npos);
    }
  }
  ScriptedOrigin binary(page("application/octet-stream", "a delta"));
  CHECK(bench.failure(binary.url(), hash_of(kBody)).message.find("HTML") == std::string::npos);
  ScriptedOrigin named(page("text/html", "a delta"));  // what it says does not matter when the bytes are right
  CHECK(bench.get(named.url(), hash_of("a delta")).ok());
}

TEST_CASE("fetch: a dripping origin is given up, a slow one is not") {
  SteppedClock clock;
  FetchBench bench;
  std::size_t a_second = 0;
  SUBCASE("dripping") {
    a_second = 200;
  }
  SUBCASE("slow, and few last bytes") {
    a_second = 300;
  }
  const std::string body(100 * a_second + 1, 'd');
  std::promise<void> stop;
  const auto stopped = stop.get_future().share();
  std::atomic<std::size_t> wanted{0};
  ScriptedOrigin origin([&](int socket, const std::string&) {
    send_cut(socket, answer(body), body.size());
    for (std::size_t sent = 0; sent < body.size();) {
      const auto to = std::min<std::size_t>(wanted, body.size());
      if (to == sent && stopped.wait_for(1ms) == std::future_status::ready) return;
      if (!send_all(socket, std::string_view(body).substr(sent, to - sent))) return;
      sent = to;
    }
  });
  std::optional<Outcome> outcome;
  bench.start(origin.url(), hash_of(body), outcome);
  for (int second = 0; second < 101 && !outcome; ++second) {
    wanted += a_second;
    bench.run_until([&] {
      std::error_code none;
      const auto there = fs::file_size(bench.part(body), none);
      return outcome || (!none && there == wanted);
    });
    clock.advance(1s);
  }
  stop.set_value();
  const auto ended = bench.finish(outcome);
  CHECK(ended.ok() == (a_second == 300));
  if (!ended.ok()) {
    CHECK(ended.error().code == Errc::timeout);
    CHECK(ended.error().message.find("too slow") != std::string::npos);
  }
}

TEST_CASE("fetch: redirects are followed, over http and not for ever") {
  FetchBench bench;
  ScriptedOrigin origin(answer(kBody));
  ScriptedOrigin hop(redirect(origin.url()));
  CHECK(bench.get(hop.url(), hash_of(kBody)).ok());
  fs::remove_all(bench.options.directory / hash_of(kBody));
  for (const std::string to : {"file:///etc/passwd", "ftp://127.0.0.1/x", "gopher://127.0.0.1/x"}) {
    ScriptedOrigin elsewhere(redirect(to));
    CHECK(bench.failure(elsewhere.url(), hash_of(kBody)).code == Errc::refused);
  }
  ScriptedOrigin loop(redirect("/again"));
  const auto error = bench.failure(loop.url(), hash_of(kBody));
  CHECK(error.code == Errc::refused);
  CHECK(error.message.find("redirected more than 5 times") != std::string::npos);
  CHECK(loop.requests() == 1 + bench.options.max_redirects);
}

TEST_CASE("fetch: loopback is refused unless named, at each hop") {
  FetchBench bench;
  bench.options.allow_hosts = {"LocalHost"};
  ScriptedOrigin origin(answer(kBody));
  ScriptedOrigin hop(redirect(origin.url()));
  const auto hash = hash_of(kBody);
  const auto port_on = origin.url().substr(std::string("http://127.0.0.1").size());
  for (const std::string host :
       {"127.0.0.1", "127.1", "2130706433", "0.0.0.0", "[::1]", "[::ffff:127.0.0.1]", "[::]"}) {
    const auto error = bench.failure("http://" + host + port_on, hash);
    INFO(host << ": " << error.message);
    CHECK(error.code == Errc::refused);
    CHECK(error.message.find("allow_hosts") != std::string::npos);
  }
  CHECK(bench.failure("http://169.254.1.1:1/x", hash).code == Errc::refused);
  CHECK(bench.failure("http://[fe80::1]:1/x", hash).code == Errc::refused);
  CHECK(origin.requests() == 0);
  CHECK(bench.failure(hop.url("localhost"), hash).code == Errc::refused);
  CHECK(hop.requests() == 1);
  CHECK(origin.requests() == 0);
  CHECK(bench.get(origin.url("localhost"), hash).ok());
}

TEST_CASE("fetch: what is no http URL or no hash is refused before anything is asked") {
  FetchBench bench;
  const auto hash = hash_of(kBody);
  for (const std::string url : {"ftp://h/x", "file:///etc/passwd", "scp://h/x"}) {
    CHECK(bench.failure(url, hash).code == Errc::refused);
  }
  for (const std::string url : {"h/x", "http://", "http://h:99999/x", "http://a b/"}) {
    CHECK(bench.failure(url, hash).code == Errc::invalid);
  }
  CHECK(bench.failure("http://h/" + std::string(9000, 'x'), hash).code == Errc::invalid);
  for (const std::string& bad : {std::string(), hash.substr(1), hash + "0", "../" + hash.substr(3)}) {
    CHECK(bench.failure("http://h/x", bad).code == Errc::invalid);
  }
}

TEST_CASE("fetch: messages hold neither query nor user nor password") {
  FetchBench bench;
  ScriptedOrigin origin(
      [](int socket, const std::string&) { send_all(socket, redirect("ftp://u2:hunter3@h/x?sig=hunter4")); });
  auto url = origin.url("user:hunter1@127.0.0.1") + "?sig=hunter2";
  const auto error = bench.failure(url, hash_of(kBody));
  CHECK(error.message.find("hunter") == std::string::npos);
  CHECK(error.message.find("user") == std::string::npos);
  CHECK(error.message.find(origin.url()) != std::string::npos);
}
