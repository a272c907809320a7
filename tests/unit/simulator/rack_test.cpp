#include "modem/simulator/rack.hpp"

#include <doctest/doctest.h>

#include "tests/support/temp_dir.hpp"

using namespace dfota;
using namespace dfota::sim;

namespace {

struct Fixture {
  Fixture() { options.dir = dir / "rack"; }
  test::TempDir dir;
  asio::io_context loop;
  EventLog log{-1};
  RackOptions options;
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "a model of no family is refused with those that there are, and nothing is begun") {
  REQUIRE(log.redirect(dir / "log").ok());
  Rack rack(loop, log);
  options.module.model = "RG500Q";
  const auto started = rack.start(options);
  REQUIRE_FALSE(started.ok());
  CHECK(started.error().code == Errc::invalid);
  CHECK(started.error().message.find("no family of modules has a model 'RG500Q'") == 0);
  CHECK(started.error().message.find("\n  uc20: UC15 UC20\n") != std::string::npos);
  CHECK_FALSE(std::filesystem::exists(options.dir));
}

TEST_CASE_FIXTURE(Fixture, "a rack of an operator's own family, with one module of none and one of another") {
  REQUIRE(log.redirect(dir / "log").ok());
  const auto profiles = std::get<Profiles>(load_profiles(DFOTA_SOURCE_DIR "/tests/support/profiles"));
  options.module.profiles = &profiles;
  options.module.model = "ZZ9";
  options.module.faults = {*Fault::parse("m1:model=NOBODY"), *Fault::parse("m2:model=EC25"),
                           *Fault::parse("m3:version=V7")};
  options.count = 4;
  Rack rack(loop, log);
  REQUIRE(rack.start(options).ok());
  CHECK(rack.module(0).memory().version == "ZZ9R01A01");
  CHECK(rack.module(1).memory().version == "NOBODYGQBR03A11E1G");
  CHECK(rack.module(2).memory().version == "EC25EFAR06A03M4G");
  CHECK(rack.module(3).memory().version == "V7");
  rack.finish();
}

TEST_CASE_FIXTURE(Fixture, "a directory has one rack") {
  REQUIRE(log.redirect(dir / "log").ok());
  Rack first(loop, log);
  REQUIRE(first.start(options).ok());
  Rack second(loop, log);
  CHECK(second.start(options).error().code == Errc::busy);
  first.finish();
}
