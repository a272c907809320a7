// What can be seen without USB: names in a directory, and the look that needs no event. Real ports: tests/usb.
#include "transport/port_watch.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "tests/support/temp_dir.hpp"

using namespace dfota;
using namespace std::chrono_literals;

namespace {

struct Fixture {
  SteppedClock clock;
  asio::io_context loop{1};
  test::TempDir dir;
  PortWatch watch{loop};
  int changes = 0;

  Fixture() {
    watch.on_change = [this] { ++changes; };
    watch.watch_directory(dir.path());
    watch.start();
    loop.poll();
  }
  void step(Clock::duration by) {
    loop.poll();
    clock.advance(by);
    loop.poll();
  }
};

}  // namespace

TEST_CASE("names that come and go in a watched directory are told, together when they come together") {
  Fixture f;
  std::ofstream(f.dir / "a").put(' ');
  std::ofstream(f.dir / "b").put(' ');
  f.step(PortWatch::kGather);
  CHECK(f.changes == 1);
  std::filesystem::rename(f.dir / "a", f.dir / "c");
  f.step(PortWatch::kGather);
  CHECK(f.changes == 2);
  std::filesystem::remove(f.dir / "c");
  f.step(PortWatch::kGather);
  CHECK(f.changes == 3);
}

TEST_CASE("without an event it is looked every kRescan") {
  Fixture f;
  f.step(PortWatch::kRescan - 1ms);
  CHECK(f.changes == 0);
  f.step(1ms);
  CHECK(f.changes == 1);
  f.step(PortWatch::kRescan);
  CHECK(f.changes == 2);
}

TEST_CASE("a directory that is not there, and an id that no device has, are nothing") {
  Fixture f;
  f.watch.watch_directory(f.dir / "none");
  CHECK(f.watch.usb_devices("ffff:ffff").empty());
  for (const auto& port : f.watch.usb_ports()) CHECK_FALSE(port.device.empty());
}
