#include "transport/link.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <asio/co_spawn.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/write.hpp>
#include <filesystem>
#include <optional>
#include <vector>

using namespace dfota;
using namespace std::chrono_literals;
using asio::ip::tcp;

namespace {

/// The master side of a pseudo-terminal; the slave is left as a fresh one is: cooked, with echo.
struct Pty {
  Pty() {
    int slave = -1;
    char path[64];
    REQUIRE(::openpty(&master, &slave, path, nullptr, nullptr) == 0);
    ::fcntl(master, F_SETFL, O_NONBLOCK);
    name = path;
    // Kept open by the test only as long as it takes to name it: the link is to be the one that has it open.
    ::close(slave);
  }
  ~Pty() { hang_up(); }
  void hang_up() {
    if (master >= 0) ::close(master);
    master = -1;
  }
  void send(std::string_view bytes) const {
    REQUIRE(::write(master, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
  }
  /// What has arrived at the master by now.
  [[nodiscard]] std::string received() const {
    std::array<char, 4096> buffer{};
    std::string all;
    for (ssize_t size = 0; (size = ::read(master, buffer.data(), buffer.size())) > 0;) {
      all.append(buffer.data(), static_cast<std::size_t>(size));
    }
    return all;
  }
  int master = -1;
  std::string name;
};

struct Directory {
  Directory() {
    std::string name = (std::filesystem::temp_directory_path() / "link_test.XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~Directory() { std::filesystem::remove_all(path); }
  std::filesystem::path path;
};

template <class T>
Awaitable<> keep(Awaitable<T> operation, std::optional<T>& outcome) {
  outcome = co_await std::move(operation);
}

template <class T>
void start(asio::io_context& loop, Awaitable<T> operation, std::optional<T>& outcome) {
  asio::co_spawn(loop, keep(std::move(operation), outcome), [](const std::exception_ptr& thrown) {
    if (thrown) std::rethrow_exception(thrown);
  });
}

template <class T>
T finish(asio::io_context& loop, std::optional<T>& outcome) {
  loop.restart();
  while (!outcome) REQUIRE(loop.run_one() > 0);
  return std::move(*outcome);
}

template <class T>
T run(asio::io_context& loop, Awaitable<T> operation) {
  std::optional<T> outcome;
  start(loop, std::move(operation), outcome);
  return finish(loop, outcome);
}

std::unique_ptr<Link> must_open(asio::io_context& loop, const std::string& port) {
  auto link = run(loop, open_link(loop, port, LinkOptions()));
  if (!link) FAIL(link.error().message);
  return std::move(*link);
}

Errc open_code(asio::io_context& loop, const std::string& port) {
  auto link = run(loop, open_link(loop, port, LinkOptions()));
  REQUIRE_FALSE(link.ok());
  CHECK(link.error().message.find(port) != std::string::npos);
  return link.error().code;
}

std::string must_read(asio::io_context& loop, Link& link) {
  std::array<char, 256> buffer{};
  auto size = run(loop, link.read(buffer));
  if (!size) FAIL(size.error().message);
  return {buffer.data(), *size};
}

std::string must_read(asio::io_context& loop, Link& link, std::size_t size) {
  std::string all;
  while (all.size() < size) all += must_read(loop, link);
  return all;
}

void fill(asio::io_context& loop, Link& link) {
  const std::string much(1 << 20, 'x');
  SteppedClock clock;
  std::optional<Result<void>> outcome;
  start(loop, link.write(much, Clock::now() + 5s), outcome);
  loop.restart();
  loop.poll();
  CHECK_FALSE(outcome.has_value());
  clock.advance(6s);
  loop.restart();
  loop.poll();
  REQUIRE(outcome.has_value());
  REQUIRE_FALSE(outcome->ok());
  CHECK(outcome->error().code == Errc::timeout);
}

}  // namespace

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
  Pty pty;
  auto link = must_open(loop, pty.name);
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
  Pty pty;
  auto link = must_open(loop, pty.name);
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
