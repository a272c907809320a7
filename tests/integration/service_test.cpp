// The gateway as a service: what systemd is told, when its watchdog is fed and when not, and what the log looks like to
// the journal.
#include <doctest/doctest.h>

#include <sstream>

#include "tests/support/notify_socket.hpp"
#include "tests/support/rig.hpp"

using namespace dfota::test;

namespace {

/// As systemd starts it: its pid is in the environment, and the device and inode of its stderr where that is the
/// journal.
RigOptions service_of(int modules, const std::string& environment) {
  auto options = rack_of(modules);
  options.start = false;
  options.wrapper = {"sh", "-c", environment + " exec \"$@\"", "sh"};
  return options;
}
const std::string kOurWatchdog = "WATCHDOG_PID=$$";
const std::string kJournal = "JOURNAL_STREAM=$(stat -L -c %d:%i /proc/self/fd/2)";
const std::string kAlive = "WATCHDOG=1";

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

}  // namespace

TEST_CASE("systemd hears that it is ready, what it does, that it gets on, and that it ends") {
  NotifySocket systemd;
  Rig rig(service_of(2, kOurWatchdog + " " + kJournal));
  rig.start_gateway({{"NOTIFY_SOCKET", systemd.path()}, {"WATCHDOG_USEC", "200000"}});
  REQUIRE(systemd.wait_for("STATUS=modules: 2 of 2 online; jobs: 0 running, 0 waiting"));
  CHECK(systemd.said().front() == "READY=1");
  REQUIRE(systemd.wait_for(kAlive, 3));

  rig.accept(rig.job("night"));
  REQUIRE(systemd.wait_for("STATUS=modules: 2 of 2 online; jobs: 1 running, 0 waiting"));
  CHECK(rig.finish("night")["state"] == "succeeded");
  REQUIRE(systemd.wait_for("STATUS=modules: 2 of 2 online; jobs: 0 running, 0 waiting", 2));

  CHECK(systemd.count("STOPPING=1") == 0);
  CHECK(rig.gateway().terminate() == 0);
  CHECK(systemd.count("STOPPING=1") == 1);
  CHECK(systemd.count("READY=1") == 1);

  for (const auto& line : lines_of(rig.gateway().err())) {
    CAPTURE(line);
    REQUIRE(line.size() > 3);
    CHECK((line[0] == '<' && line[1] >= '3' && line[1] <= '6' && line[2] == '>'));
  }
  CHECK(rig.gateway().err().find("<5>gateway t ") != std::string::npos);
}

TEST_CASE("the watchdog and the journal of another process are not ours") {
  NotifySocket systemd;
  Rig rig(service_of(1, "WATCHDOG_PID=1 JOURNAL_STREAM=1:2"));
  rig.start_gateway({{"NOTIFY_SOCKET", systemd.path()}, {"WATCHDOG_USEC", "200000"}});
  REQUIRE(systemd.wait_for("STATUS=modules: 1 of 1 online; jobs: 0 running, 0 waiting"));
  CHECK(rig.gateway().terminate() == 0);
  CHECK(systemd.count(kAlive) == 0);
  CHECK(rig.gateway().err().find(" NOTE  gateway t ") != std::string::npos);
}

TEST_CASE("a disk that does not answer does not feed the watchdog, although the loop goes on") {
  NotifySocket systemd;
  Rig rig(service_of(1, kOurWatchdog));
  rig.start_gateway({{"NOTIFY_SOCKET", systemd.path()},
                     {"WATCHDOG_USEC", "200000"},
                     {"DFOTA_HANG_AT", "job_accepted.before"},
                     {"DFOTA_CRASH_LOG", "/dev/stderr"}});
  REQUIRE(systemd.wait_for(kAlive, 2));
  rig.observer.publish(rig.topic("cmd/update"), rig.job("stuck").dump());
  REQUIRE(rig.gateway().wait_for_err("job_accepted.before"));
  const auto fed = systemd.count(kAlive);
  REQUIRE(rig.gateway().wait_for_err("the watchdog of systemd is not fed", 2 * kWatchdog));
  CHECK(systemd.count(kAlive) - fed <= 1);  // one may have been on its way
  rig.gateway().kill();
}

TEST_CASE("what is wrong with the configuration is an error to the journal, too") {
  Rig rig(service_of(1, kJournal));
  rig.write_config({{"http.listen", "\"nonsense\""}});
  rig.launch_gateway();
  CHECK(rig.gateway().wait() == 2);
  CHECK(rig.gateway().err().starts_with("<3>" + rig.config_file() + ":"));
}
