// release and claim as a module takes them: the port is somebody else's at once, and nothing is written until it was
// listened to again.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "modem/module.hpp"
#include "tests/support/module_fixture.hpp"

using namespace dfota;
using namespace std::chrono_literals;
using Fixture = test::ModuleFixture;

namespace {

/// Nobody holds it: whoever opens a port for himself locks it.
bool is_free(const std::string& port) {
  const int terminal = ::open(port.c_str(), O_RDWR | O_NOCTTY | O_NONBLOCK);
  const bool free = terminal >= 0 && ::flock(terminal, LOCK_EX | LOCK_NB) == 0;
  if (terminal >= 0) ::close(terminal);
  return free;
}

void check_released(Fixture& f) {
  f.scripted.settle();
  CHECK(is_free(f.scripted.port()));
  CHECK(f.module->is_released());
  CHECK_FALSE(f.module->state().online);
  CHECK_FALSE(f.module->state().present);
  CHECK(f.module->state().problem == "released");
  for (int hour = 0; hour < 10; ++hour) f.step(1h);
  CHECK(is_free(f.scripted.port()));
  CHECK(f.scripted.unread().empty());
}

}  // namespace

TEST_CASE("released: its port is closed at once, and nothing is opened or asked until it is claimed") {
  Fixture f;
  f.start();
  f.step(3s);
  f.greet();
  REQUIRE_FALSE(is_free(f.scripted.port()));
  f.module->release();
  CHECK(is_free(f.scripted.port()));
  check_released(f);
  f.scan();
  CHECK(f.scanned == "released");
  f.scan(true);
  CHECK(f.scanned == "released");
  f.module->release();  // again
  check_released(f);
  f.module->claim();
  f.scripted.settle();
  CHECK_FALSE(is_free(f.scripted.port()));
  f.step(2900ms);
  CHECK(f.scripted.unread().empty());  // law 4
  f.step(200ms);
  f.greet();
  CHECK(f.module->state().online);
  CHECK(f.module->state().problem.empty());
  f.module->claim();  // again
  f.scripted.settle();
  CHECK(f.module->state().online);
}

TEST_CASE("released in the middle of a question: it is not waited for") {
  Fixture f;
  f.start();
  f.step(3s);
  SUBCASE("of who is there") {
    CHECK(f.scripted.next_command() == "AT");
  }
  SUBCASE("of a scan") {
    f.greet();
    f.scan();
    CHECK(f.scripted.next_command() == "AT");
  }
  f.module->release();
  CHECK(is_free(f.scripted.port()));
  check_released(f);
  CHECK(f.scanned.value_or("released") == "released");
}

TEST_CASE("one that was released in an earlier process is not opened") {
  Fixture f;
  f.module->mark_released();
  f.start();
  check_released(f);
  f.module->claim();
  f.scripted.settle();
  f.step(3s);
  f.greet();
  CHECK(f.module->state().online);
}

TEST_CASE("a lost module that was released is lost still: it was only we who let its port go (law 3)") {
  Fixture f;
  f.module->mark_lost();
  SUBCASE("in this process") {
    f.start();
    f.step(3s);
    f.module->release();
  }
  SUBCASE("in an earlier one") {
    f.module->mark_released();
    f.start();
  }
  check_released(f);
  f.module->claim();
  f.scripted.settle();
  f.step(1h);
  CHECK(f.module->is_lost());
  CHECK(f.module->state().problem == "module_lost");
  CHECK(f.scripted.unread().empty());
  f.scan(true);
  f.greet();
  f.network();
  CHECK_FALSE(f.module->is_lost());
}

TEST_CASE("claimed while somebody flashes it: hands off (law 4)") {
  Fixture f;
  f.start();
  SUBCASE("it was heard before") {
    f.scripted.say("\r\n+QIND: \"FOTA\",\"UPDATING\",40\r\n");
    f.step(3s);
    REQUIRE(f.module->state().problem == "module_updating");
    f.module->release();
    check_released(f);
    f.module->claim();
    f.scripted.settle();
  }
  SUBCASE("it is heard now") {
    f.module->release();
    check_released(f);
    f.module->claim();
    f.scripted.settle();
    f.scripted.say("\r\n+QIND: \"FOTA\",\"UPDATING\",40\r\n");
  }
  f.step(10s);
  CHECK(f.module->state().problem == "module_updating");
  CHECK(f.scripted.unread().empty());
}

TEST_CASE("claimed with another module at the port: a change, as ever") {
  Fixture f;
  f.module->expect(test::kModuleImei);
  f.module->mark_released();
  f.start();
  check_released(f);
  f.module->claim();
  f.scripted.settle();
  f.step(3s);
  f.greet("490154203237518");
  CHECK(f.module->state().problem == "module_changed");
}
