#include "transport/port_holder.hpp"

#include <doctest/doctest.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <csignal>
#include <fstream>
#include <functional>

#include "tests/support/link_fixture.hpp"

using namespace dfota;
using namespace dfota::test;

namespace {

/// Another process: it does what it is told, writes a line that the test reads, and stays until it is killed.
class Neighbour {
 public:
  using Deed = std::function<std::string()>;

  explicit Neighbour(const Deed& deed, const char* name = "picocom") {
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    pid_ = ::fork();
    REQUIRE(pid_ >= 0);
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      ::prctl(PR_SET_NAME, name);
      const auto said = deed() + "\n";
      if (::write(ends[1], said.data(), said.size()) != static_cast<ssize_t>(said.size())) ::_exit(1);
      for (;;) ::pause();
    }
    ::close(ends[1]);
    for (char next = 0; ::read(ends[0], &next, 1) == 1 && next != '\n';) said_ += next;
    ::close(ends[0]);
  }
  ~Neighbour() { leave(); }
  Neighbour(const Neighbour&) = delete;
  Neighbour& operator=(const Neighbour&) = delete;

  void leave() {
    if (pid_ < 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }
  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] const std::string& said() const { return said_; }
  [[nodiscard]] std::string text() const { return "picocom (process " + std::to_string(pid_) + ")"; }

 private:
  pid_t pid_ = -1;
  std::string said_;
};

enum class With { open, lock, lock_and_exclusive };

Neighbour::Deed holding(const std::string& port, With with) {
  return [port, with]() -> std::string {
    const int slave = ::open(port.c_str(), O_RDWR | O_NOCTTY | O_NONBLOCK);
    if (slave < 0) return "open";
    if (with != With::open && ::flock(slave, LOCK_EX | LOCK_NB) != 0) return "flock";
    if (with == With::lock_and_exclusive && ::ioctl(slave, TIOCEXCL) != 0) return "TIOCEXCL";
    return "holds";
  };
}

Neighbour::Deed idle() {
  return [] { return "idle"; };
}

void check_found(const std::optional<PortHolder>& found, const Neighbour& neighbour, PortHolder::Evidence evidence) {
  REQUIRE(found.has_value());
  CHECK(found->pid == neighbour.pid());
  CHECK(found->text() == neighbour.text());
  CHECK(found->evidence == evidence);
}

void write_lock_file(const Directory& directory, const Pty& pty, const std::string& text) {
  const auto name = "LCK.." + std::filesystem::path(pty.name).filename().string();
  std::ofstream(directory.path / name, std::ios::binary) << text;
}

}  // namespace

TEST_CASE("port_holder: who has the lock is found, by every name of the port, until he leaves") {
  asio::io_context loop;
  Pty pty;
  Directory directory;
  const auto stable = (directory.path / "m0").string();
  std::filesystem::create_symlink(pty.name, stable);
  CHECK_FALSE(find_port_holder(pty.name, directory.path));
  Neighbour neighbour(holding(pty.name, With::lock));
  REQUIRE(neighbour.said() == "holds");
  check_found(find_port_holder(pty.name, directory.path), neighbour, PortHolder::Evidence::lock);
  check_found(find_holder_of(stable), neighbour, PortHolder::Evidence::lock);
  CHECK_FALSE(find_port_holder(Pty().name, directory.path));

  const auto refused = run(loop, open_link(loop, stable, LinkOptions()));
  REQUIRE(refused.error().code == Errc::busy);
  CHECK(with_holder(refused.error(), stable).message == pty.name + " is held by " + neighbour.text());
  neighbour.leave();
  CHECK_FALSE(find_port_holder(pty.name, directory.path));
  CHECK(with_holder(refused.error(), stable).message == refused.error().message);
}

TEST_CASE("port_holder: who has it only open is found, too") {
  Pty pty;
  Directory directory;
  const Neighbour neighbour(holding(pty.name, With::open));
  REQUIRE(neighbour.said() == "holds");
  check_found(find_port_holder(pty.name, directory.path), neighbour, PortHolder::Evidence::open_descriptor);
}

TEST_CASE("port_holder: a lock file names a process, in digits or as a number, while that process lives") {
  Pty pty;
  Directory directory;
  Neighbour neighbour(idle());
  const auto pid = neighbour.pid();
  auto digits = std::to_string(pid);
  digits.insert(0, 10 - digits.size(), ' ');
  for (const auto& text :
       {digits + "\n", digits + "\nminicom root\n", std::string(reinterpret_cast<const char*>(&pid), sizeof pid)}) {
    write_lock_file(directory, pty, text);
    check_found(find_port_holder(pty.name, directory.path), neighbour, PortHolder::Evidence::lock_file);
  }
  for (const auto* text : {"", "nobody\n", "         0\n", "        -1\n", "99999999999\n", "12x\n"}) {
    write_lock_file(directory, pty, text);
    CHECK_FALSE(find_port_holder(pty.name, directory.path));
  }
  write_lock_file(directory, pty, std::to_string(::getpid()));
  CHECK_FALSE(find_port_holder(pty.name, directory.path));
  write_lock_file(directory, pty, digits + "\n");
  neighbour.leave();
  CHECK_FALSE(find_port_holder(pty.name, directory.path));
}

TEST_CASE("port_holder: never this process itself") {
  asio::io_context loop;
  Pty pty;
  Directory directory;
  const auto link = must_open(loop, pty.name);
  CHECK_FALSE(find_port_holder(pty.name, directory.path));
  const auto refused = run(loop, open_link(loop, pty.name, LinkOptions()));
  CHECK(with_holder(refused.error(), pty.name).message == refused.error().message);
}

TEST_CASE("port_holder: only a busy terminal has a holder in its message") {
  Pty pty;
  const Neighbour neighbour(holding(pty.name, With::lock));
  CHECK(with_holder(Error(Errc::absent, "gone"), pty.name).message == "gone");
  CHECK(with_holder(Error(Errc::busy, "held"), "tcp://127.0.0.1:1").message == "held");
  CHECK(with_holder(Error(Errc::busy, "held"), "/dev/no-such-port").message == "held");
  CHECK_FALSE(find_holder_of("tcp://127.0.0.1:1"));
}

TEST_CASE("port_holder: a program's name cannot forge anything") {
  Pty pty;
  const Neighbour neighbour(holding(pty.name, With::lock), "a\x1b[31m\xff\nb\"");
  const auto found = find_holder_of(pty.name);
  REQUIRE(found.has_value());
  CHECK(found->name == "a?[31m?");
}

/// Both sides as processes of a user who is not root, which TIOCEXCL does not keep out.
TEST_CASE("port_holder: an exclusive port cannot be opened at all by others, and its holder is named") {
  Pty pty;
  REQUIRE(::chmod(pty.name.c_str(), 0666) == 0);
  const Neighbour neighbour(holding(pty.name, With::lock_and_exclusive));
  REQUIRE(neighbour.said() == "holds");
  const Neighbour gateway([&pty]() -> std::string {
    if (::geteuid() == 0 && ::setresuid(65534, 65534, 65534) != 0) return "setresuid";
    if (::open(pty.name.c_str(), O_RDWR | O_NOCTTY) >= 0 || errno != EBUSY) return "not exclusive";
    asio::io_context loop;
    const auto refused = run(loop, open_link(loop, pty.name, LinkOptions()));
    return with_holder(refused.error(), pty.name).message;
  });
  CHECK(gateway.said() == pty.name + " is held by " + neighbour.text());
}

TEST_CASE("port_holder: our own open port keeps out who is not root, and whoever asks for its lock") {
  asio::io_context loop;
  Pty pty;
  REQUIRE(::chmod(pty.name.c_str(), 0666) == 0);
  const auto link = must_open(loop, pty.name);
  const Neighbour user([&pty]() -> std::string {
    if (::geteuid() == 0 && ::setresuid(65534, 65534, 65534) != 0) return "setresuid";
    return ::open(pty.name.c_str(), O_RDWR | O_NOCTTY) < 0 && errno == EBUSY ? "kept out" : "let in";
  });
  CHECK(user.said() == "kept out");
  const Neighbour locker(holding(pty.name, With::lock));
  CHECK((locker.said() == "flock" || locker.said() == "open"));
}
