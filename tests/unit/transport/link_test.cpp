#include "transport/link.hpp"

#include <doctest/doctest.h>

#include "tests/support/link_fixture.hpp"

using namespace dfota;
using namespace dfota::test;
using namespace std::chrono_literals;

TEST_CASE("link: bytes go both ways, raw and without echo") {
  asio::io_context loop;
  Pty pty;
  auto link = must_open(loop, pty.name);
  REQUIRE(run(loop, link->write("AT+QFOTADL=\"x\"\r", Clock::now() + 5s)).ok());
  CHECK(pty.received() == "AT+QFOTADL=\"x\"\r");
  const std::string answer("\r\nOK\r\n\0\x03\x04\x11\x13\x7f", 12);
  pty.send(answer);
  CHECK(must_read(loop, *link, answer.size()) == answer);
  CHECK(pty.received().empty());
}

TEST_CASE("link: a read takes what is there, at every split") {
  asio::io_context loop;
  Pty pty;
  auto link = must_open(loop, pty.name);
  const std::string text = "\r\n+QIND: \"FOTA\",\"HTTPSTART\"\r\n";
  for (std::size_t split = 1; split < text.size(); ++split) {
    pty.send(std::string_view(text).substr(0, split));
    std::string got = must_read(loop, *link, split);
    pty.send(std::string_view(text).substr(split));
    got += must_read(loop, *link, text.size() - split);
    CHECK(got == text);
  }
}

TEST_CASE("link: a read into a small buffer keeps the rest for the next one") {
  asio::io_context loop;
  Pty pty;
  auto link = must_open(loop, pty.name);
  pty.send("abcdef");
  std::array<char, 4> small{};
  auto size = run(loop, link->read(small));
  REQUIRE(size.ok());
  std::string got(small.data(), *size);
  got += must_read(loop, *link, 6 - got.size());
  CHECK(got == "abcdef");
  CHECK(run(loop, link->read(std::span<char>())).error().code == Errc::invalid);
}

TEST_CASE("link: what waited in the input before the port was opened is kept") {
  asio::io_context loop;
  Pty pty;
  pty.send("\r\n+QIND: \"FOTA\",\"UPDATING\",7\r\n+Q");
  auto link = must_open(loop, pty.name);
  const auto got = must_read(loop, *link);
  CHECK(got.find("\"UPDATING\",7") != std::string::npos);
  CHECK(got.ends_with("+Q"));
}

TEST_CASE("link: a hang-up ends the read that waits with link_lost, and the ones after it, once each") {
  asio::io_context loop;
  Pty pty;
  auto link = must_open(loop, pty.name);
  std::array<char, 16> buffer{};
  std::optional<Result<std::size_t>> outcome;
  start(loop, link->read(buffer), outcome);
  loop.poll();
  CHECK_FALSE(outcome.has_value());
  pty.hang_up();
  CHECK(finish(loop, outcome).error().code == Errc::link_lost);
  loop.restart();
  CHECK(loop.poll() == 0);  // nothing stays ready: no spinning
  CHECK(run(loop, link->read(buffer)).error().code == Errc::link_lost);
  CHECK(run(loop, link->write("AT\r", Clock::now() + 5s)).error().code == Errc::link_lost);
}

TEST_CASE("link: close() ends a suspended read with link_lost") {
  asio::io_context loop;
  Pty pty;
  auto link = must_open(loop, pty.name);
  std::array<char, 16> buffer{};
  std::optional<Result<std::size_t>> outcome;
  start(loop, link->read(buffer), outcome);
  loop.poll();
  link->close();
  CHECK_FALSE(link->is_open());
  CHECK(finish(loop, outcome).error().code == Errc::link_lost);
  link->close();
  CHECK(run(loop, link->read(buffer)).error().code == Errc::link_lost);
  CHECK(run(loop, link->write("x", Clock::now() + 5s)).error().code == Errc::link_lost);
}

TEST_CASE("link: destroyed while a read and a write are suspended, both end with link_lost") {
  asio::io_context loop;
  DeafPeer deaf(loop);
  auto& link = deaf.link;
  fill(loop, *link);
  std::array<char, 16> buffer{};
  std::optional<Result<std::size_t>> read;
  std::optional<Result<void>> written;
  start(loop, link->read(buffer), read);
  start(loop, link->write("more", Clock::now() + 1h), written);
  loop.restart();
  loop.poll();
  CHECK_FALSE(read.has_value());
  CHECK_FALSE(written.has_value());
  link.reset();
  CHECK(finish(loop, read).error().code == Errc::link_lost);
  CHECK(finish(loop, written).error().code == Errc::link_lost);
}

TEST_CASE("link: the loop may end under a suspended read") {
  std::array<char, 16> buffer{};
  std::optional<Result<std::size_t>> outcome;
  Pty pty;
  {
    asio::io_context loop;
    auto link = must_open(loop, pty.name);
    start(loop, link->read(buffer), outcome);
    loop.restart();
    loop.poll();
  }
  CHECK_FALSE(outcome.has_value());
}

TEST_CASE("link: a write that the other side does not take ends at its deadline, and goes on when there is room") {
  asio::io_context loop;
  Pty pty;
  auto link = must_open(loop, pty.name);
  fill(loop, *link);
  while (!pty.received().empty()) {
  }
  std::optional<Result<void>> outcome;
  const std::string text(200000, 'y');
  start(loop, link->write(text, Clock::now() + 1h), outcome);
  std::size_t got = 0;
  while (got < text.size()) {
    loop.restart();
    loop.poll();
    for (const char c : pty.received()) got += c == 'y' ? 1U : 0U;
  }
  CHECK(finish(loop, outcome).ok());
  CHECK(got == text.size());
}

TEST_CASE("link: a write that waits sleeps") {
  asio::io_context loop;
  DeafPeer deaf(loop);
  auto& link = deaf.link;
  fill(loop, *link);
  std::optional<Result<void>> outcome;
  start(loop, link->write("z", Clock::now() + 1h), outcome);
  loop.restart();
  loop.poll();
  CHECK(loop.poll() == 0);
  CHECK_FALSE(outcome.has_value());
  link->close();
  CHECK(finish(loop, outcome).error().code == Errc::link_lost);
}
