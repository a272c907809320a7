#include "transport/link.hpp"

#include <doctest/doctest.h>

#include "tests/support/link_fixture.hpp"

using namespace dfota;
using namespace dfota::test;
using namespace std::chrono_literals;

TEST_CASE("link: a port that is open already is busy, by whichever name, and free again after close()") {
  asio::io_context loop;
  Pty pty;
  Directory directory;
  const auto stable = directory.path / "m0";
  std::filesystem::create_symlink(pty.name, stable);
  auto link = must_open(loop, stable.string());
  CHECK(open_code(loop, pty.name) == Errc::busy);
  CHECK(must_open(loop, Pty().name)->is_open());
  link->close();
  link = must_open(loop, pty.name);
  pty.send("again");
  CHECK(must_read(loop, *link, 5) == "again");
}

TEST_CASE("link: the descriptor is exclusive and close-on-exec, and does not hang up on close") {
  asio::io_context loop;
  Pty pty;
  auto link = must_open(loop, pty.name);
  int exclusive = 0;
  // The test's own look at the slave; root is let in in spite of TIOCEXCL.
  const int slave = ::open(pty.name.c_str(), O_RDWR | O_NOCTTY | O_NONBLOCK);
  if (slave < 0) {
    CHECK(errno == EBUSY);
    return;
  }
  CHECK(::ioctl(slave, TIOCGEXCL, &exclusive) == 0);
  CHECK(exclusive == 1);
  termios settings{};
  CHECK(::tcgetattr(slave, &settings) == 0);
  CHECK((settings.c_cflag & HUPCL) == 0U);
  CHECK((settings.c_lflag & (ICANON | ECHO | ISIG)) == 0U);
  CHECK(settings.c_cc[VMIN] == 1);
  ::close(slave);
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;
    if (std::filesystem::read_symlink(entry.path(), gone) != pty.name) continue;
    CHECK((::fcntl(std::stoi(entry.path().filename()), F_GETFD) & FD_CLOEXEC) != 0);
  }
}

TEST_CASE("link: what cannot be opened says why") {
  asio::io_context loop;
  Directory directory;
  const auto dangling = directory.path / "dangling";
  std::filesystem::create_symlink("/dev/pts/99999", dangling);
  const auto file = directory.path / "file";
  ::close(::open(file.c_str(), O_CREAT | O_WRONLY, 0600));
  CHECK(open_code(loop, (directory.path / "nothing").string()) == Errc::absent);
  CHECK(open_code(loop, dangling.string()) == Errc::absent);
  CHECK(open_code(loop, file.string()) == Errc::invalid);
  CHECK(open_code(loop, directory.path.string()) == Errc::invalid);
  CHECK(open_code(loop, "/dev/null") == Errc::invalid);
  CHECK(open_code(loop, "/dev/ttyUSB987") == Errc::absent);
  for (const auto* name : {"tcp://", "tcp://host", "tcp://host:", "tcp://:1", "tcp://host:0", "tcp://host:65536",
                           "tcp://host:12x", "tcp://host:-1"}) {
    CHECK(open_code(loop, name) == Errc::invalid);
  }
}

TEST_CASE("link: port_present follows the name") {
  Directory directory;
  Pty pty;
  const auto stable = directory.path / "m0";
  CHECK_FALSE(port_present(stable.string()));
  std::filesystem::create_symlink(pty.name, stable);
  CHECK(port_present(stable.string()));
  pty.hang_up();
  CHECK_FALSE(port_present(stable.string()));
  CHECK_FALSE(port_present(directory.path.string()));
  CHECK(port_present("tcp://127.0.0.1:1"));
}

TEST_CASE("link: tcp, both ways, and the peer's end is link_lost") {
  asio::io_context loop;
  for (const bool by_name : {false, true}) {
    tcp::acceptor acceptor(loop, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    const auto port = std::to_string(acceptor.local_endpoint().port());
    auto link = must_open(loop, (by_name ? "tcp://localhost:" : "tcp://127.0.0.1:") + port);
    tcp::socket peer = acceptor.accept();
    REQUIRE(run(loop, link->write("AT\r", Clock::now() + 5s)).ok());
    std::array<char, 16> buffer{};
    CHECK(peer.read_some(asio::buffer(buffer)) > 0);
    asio::write(peer, asio::buffer("OK", 2));
    CHECK(must_read(loop, *link, 2) == "OK");
    peer.close();
    CHECK(run(loop, link->read(buffer)).error().code == Errc::link_lost);
  }
}

TEST_CASE("link: tcp, refused is absent") {
  asio::io_context loop;
  std::uint16_t port = 0;
  {
    tcp::acceptor acceptor(loop, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    port = acceptor.local_endpoint().port();
  }
  CHECK(open_code(loop, "tcp://127.0.0.1:" + std::to_string(port)) == Errc::absent);
  CHECK(open_code(loop, "tcp://[::1]:" + std::to_string(port)) == Errc::absent);
}

TEST_CASE("link: tcp, no connection at the deadline is timeout") {
  asio::io_context loop;
  // A listener whose backlog is full drops what else wants to connect.
  tcp::acceptor acceptor(loop, tcp::v4());
  acceptor.bind(tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  acceptor.listen(0);
  std::vector<tcp::socket> crowd;
  for (int i = 0; i < 4; ++i) {
    crowd.emplace_back(loop, tcp::v4());
    crowd.back().async_connect(acceptor.local_endpoint(), [](const asio::error_code&) {});
  }
  SteppedClock clock;
  std::optional<Result<std::unique_ptr<Link>>> outcome;
  const auto name = "tcp://127.0.0.1:" + std::to_string(acceptor.local_endpoint().port());
  start(loop, open_link(loop, name, LinkOptions()), outcome);
  loop.restart();
  loop.poll();
  CHECK_FALSE(outcome.has_value());
  clock.advance(6s);
  loop.restart();
  while (!outcome) REQUIRE(loop.poll() > 0);
  REQUIRE_FALSE(outcome->ok());
  CHECK(outcome->error().code == Errc::timeout);
}
