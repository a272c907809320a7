// dfota --gateway all with two real gateways, each with a rack of its own, on one broker.
#include <doctest/doctest.h>

#include <fstream>

#include "tests/support/rig.hpp"

using namespace dfota::test;
using Json = nlohmann::json;
using Texts = std::vector<std::string>;

namespace {
/// Beside that of the rig, on its broker.
class SecondGateway {
 public:
  SecondGateway(Rig& rig, const Rack::Options& rack) : rack_(rack) {
    {
      std::ofstream file(dir_ / "gateway.toml");
      file << "[gateway]\nid = \"u\"\nstate_dir = \"" << dir_ / "state"
           << "\"\n[mqtt]\nuri = \"" << rig.broker.uri() << "\"\n[http]\nlisten = \"127.0.0.1:" << free_port()
           << "\"\n[admin]\nlisten = \"\"\n[artifacts]\nallow_hosts = [\"127.0.0.1\"]\n"
           << "[timeouts]\nlisten = 0.3\n";
      for (int i = 0; i < rack.modules; ++i) {
        file << "[[module]]\nid = \"" << Rig::m(i) << "\"\nport = \"" << rack_.port(i) << "\"\n";
      }
    }
    process_ = std::make_unique<Process>(Texts{program("dfota-gateway"), "--config", dir_ / "gateway.toml"});
    for (int i = 0; i < rack.modules; ++i) {
      REQUIRE(rig.observer.wait_for_payload(kRoot + "/u/module/" + Rig::m(i) + "/status", "online"));
      REQUIRE(rig.observer.wait_for_payload(kRoot + "/t/module/" + Rig::m(i) + "/status", "online"));
    }
  }
  Process& process() { return *process_; }

 private:
  TempDir dir_;
  Rack rack_;
  std::unique_ptr<Process> process_;
};

Texts call(const Rig& rig, const Texts& more) {
  Texts argv = {program("dfota"), "--broker", rig.broker.uri(), "--gateway", "all", "--timeout", "60"};
  argv.insert(argv.end(), more.begin(), more.end());
  return argv;
}

Texts update(const Rig& rig, const std::string& job) {
  return call(rig, {"update", "--job", job, "--modules", "all", "--url", rig.origin.url(kDelta), "--sha256", rig.sha256,
                    "--from", kFrom, "--to", kTo, "--attempts", "1"});
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}
}  // namespace

TEST_CASE("one update of two racks, followed on both; lists; one that is stopped") {
  Rig rig(rack_of(2));
  Rack::Options bad;
  bad.modules = 2;
  bad.faults = {"m1:httpend=716"};
  SecondGateway second(rig, bad);

  Process client(update(rig, "r3"));
  CHECK(client.wait(kJobWatchdog) == 1);
  const std::string out = client.out();
  for (const char* line : {"job t/r3: accepted, modules: 2\n", "job u/r3: accepted, modules: 2\n",
                           "t/m0: succeeded: ", "t/m1: succeeded: ", "u/m0: succeeded: ", "u/m1: failed: 716",
                           "job t/r3: succeeded", "job u/r3: partial"}) {
    CAPTURE(line);
    CHECK(has(out, line));
  }

  Process modules(call(rig, {"modules"}));
  CHECK(modules.wait() == 0);
  for (const char* id : {"t/m0", "t/m1", "u/m0", "u/m1"}) CHECK(has(modules.out(), id));
  Process jobs(call(rig, {"jobs"}));
  CHECK(jobs.wait() == 0);
  CHECK(has(jobs.out(), "t/r3"));
  CHECK(has(jobs.out(), "u/r3"));
  Process watched(call(rig, {"watch", "r3"}));
  CHECK(watched.wait() == 1);

  // Each knows only what is its own: a job that only one has, and one that nobody has.
  rig.accept(rig.job("mine", {"m0"}));
  rig.finish("mine");
  Process cancel(call(rig, {"cancel", "mine"}));
  CHECK(cancel.wait() == 1);
  CHECK(cancel.err().starts_with("dfota: t: refused: job_ended: "));
  Process unknown(call(rig, {"cancel", "nobodys"}));
  CHECK(unknown.wait() == 1);
  CHECK(has(unknown.err(), "no gateway that is online has what the command names"));

  Process ping(call(rig, {"ping"}));
  CHECK(ping.wait() == 0);
  Process scan(call(rig, {"scan", "m0"}));
  CHECK(scan.wait() == 0);
  for (const std::string gateway : {"t", "u"}) {
    CHECK(has(ping.out(), gateway + ": dfota-gateway "));
    CHECK(has(scan.out(), gateway + "/m0    online"));
  }

  second.process().terminate();
  Process left(call(rig, {"jobs"}));
  CHECK(left.wait() == 3);
  CHECK(has(left.err(), "gateway u is offline, and was not asked"));
  CHECK(has(left.out(), "t/r3"));
}
