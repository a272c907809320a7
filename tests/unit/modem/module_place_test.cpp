// A module whose place others find out: moved, left to another, in recovery mode, forgotten.
#include <doctest/doctest.h>

#include <filesystem>

#include "modem/module.hpp"
#include "tests/support/module_fixture.hpp"

using namespace dfota;
using namespace std::chrono_literals;

namespace {

struct Fixture : test::ModuleFixture {
  test::TempDir other_dir;
  test::ScriptedModule other{loop, other_dir.path()};  ///< another port

  void be_at_home() {
    start();
    step(3s);
    greet();
    REQUIRE(module->is_at_home());
  }
};

}  // namespace

TEST_CASE("found at another port it is listened to and greeted there, and its old port is let go at once") {
  Fixture f;
  f.be_at_home();
  f.module->move_to(f.other.port());
  CHECK_FALSE(f.module->is_at_home());
  CHECK_FALSE(f.module->state().online);
  CHECK(f.module->state().port == f.other.port());
  f.other.settle();  // the port is open: the silence counts from there
  f.step(2900ms);
  CHECK(f.other.unread().empty());
  f.step(200ms);
  f.other.expect("AT", "\r\nOK\r\n");
  CHECK(f.scripted.unread().empty());
  CHECK(f.module->port_open());
}

TEST_CASE("another name of the same port closes nothing and asks nothing") {
  Fixture f;
  f.be_at_home();
  const std::string stable = f.dir / "stable";
  std::filesystem::create_symlink(f.scripted.port(), stable);
  f.module->move_to(stable, true);
  CHECK(f.module->is_at_home());
  CHECK(f.module->state().online);
  CHECK(f.module->state().port == stable);
  f.step(10s);
  CHECK(f.scripted.unread().empty());
}

TEST_CASE("whose port is another's is absent, and opens nothing until it is found") {
  Fixture f;
  f.be_at_home();
  f.module->leave_port();
  f.step(1h);
  CHECK_FALSE(f.module->port_open());
  CHECK(f.module->state().port.empty());
  CHECK(f.module->state().problem == "absent");
  CHECK_FALSE(f.module->state().present);
  CHECK(f.scripted.unread().empty());
  f.module->move_to(f.scripted.port());
  f.scripted.settle();
  f.step(3s);
  f.greet();
  CHECK(f.module->is_at_home());
}

TEST_CASE("another one that answers in its place is a stranger, but not when it has gone again") {
  Fixture f;
  f.be_at_home();
  f.scripted.unplug();
  f.scripted.settle();
  f.scripted.plug();
  f.module->wake();
  f.scripted.settle();
  CHECK_FALSE(f.module->is_at_home());  // nobody has said yet who it is
  f.step(3s);
  f.greet("490154203237518");
  CHECK(f.module->has_stranger());
  f.module->move_to(f.other.port());
  f.step(1s);
  CHECK(f.module->port_open());
  CHECK_FALSE(f.module->has_stranger());
}

TEST_CASE("in recovery mode its port is closed, and not a word is written until that is over") {
  Fixture f;
  f.be_at_home();
  f.module->set_recovery(true);
  f.step(1h);
  CHECK_FALSE(f.module->port_open());
  CHECK(f.module->state().problem == "recovery_needed");
  CHECK_FALSE(f.module->state().present);
  f.scan(true);
  CHECK(f.scanned == "recovery_needed");
  CHECK(f.scripted.unread().empty());
  f.module->set_recovery(false);
  f.scripted.settle();
  f.step(3s);
  f.greet();
  CHECK(f.module->state().problem.empty());
}

TEST_CASE("while its port is gone in an update, an unknown port may be it") {
  Fixture f;
  Checkpoint entry;
  entry.step = Step::released;
  entry.attempt = 1;
  f.update(entry);
  f.start();
  CHECK_FALSE(f.module->may_be_elsewhere_flashing());
  f.scripted.unplug();
  f.step(1s);
  CHECK(f.module->may_be_elsewhere_flashing());
  const auto told = f.observer.changes;
  f.module->leave_port();
  CHECK(f.module->state().problem.empty());  // the update says how it is
  CHECK(f.observer.changes == told + 1);
}

TEST_CASE("forgotten, it answers whoever waits for it, tells nothing more, and ends") {
  Fixture f;
  f.start();
  f.scan();
  REQUIRE_FALSE(f.scanned);
  f.scripted.unplug();
  const auto told = f.observer.changes;
  f.module->retire();
  CHECK(f.scanned == "absent");
  f.step(10s);
  CHECK(f.module->is_over());
  CHECK(f.observer.changes == told);
}
