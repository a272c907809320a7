#include "gateway/ctl/options.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>

#include "tests/support/temp_dir.hpp"

using namespace dfota::ctl;

namespace {
std::variant<Options, int> parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "dfota");
  return parse_options(static_cast<int>(arguments.size()), arguments.data());
}

int code_of(const std::vector<const char*>& arguments) {
  const auto parsed = parse(arguments);
  const int* code = std::get_if<int>(&parsed);
  return code != nullptr ? *code : -1;
}

Options options_of(const std::vector<const char*>& arguments) {
  const auto parsed = parse(arguments);
  REQUIRE(std::holds_alternative<Options>(parsed));
  return std::get<Options>(parsed);
}

std::vector<const char*> update_with(std::vector<const char*> more) {
  std::vector<const char*> all = {"--gateway", "rack-1", "update", "--url", "http://h/f", "--sha256",
                                  "ab",        "--from", "A",      "--to",  "B"};
  all.insert(all.end(), more.begin(), more.end());
  return all;
}
}  // namespace

TEST_CASE("watch, with and without a job") {
  const auto one = options_of({"--gateway", "rack-1", "watch", "r3"});
  CHECK(one.base() == "dfota/v1/rack-1");
  CHECK(one.broker == "mqtt://127.0.0.1:1883");
  CHECK(one.timeout == std::chrono::seconds(10));
  CHECK_FALSE(one.json);
  CHECK(std::get<WatchCall>(one.call).job == "r3");
  CHECK_FALSE(std::get<WatchCall>(options_of({"--gateway", "rack-1", "watch"}).call).job);
}

TEST_CASE("global options before and after the call") {
  for (const auto& line : std::vector<std::vector<const char*>>{
           {"--gateway", "g", "--json", "--timeout", "0.5", "--root", "a/b", "--broker", "mqtts://h", "watch"},
           {"watch", "--gateway", "g", "--json", "--timeout", "0.5", "--root", "a/b", "--broker", "mqtts://h"}}) {
    const auto options = options_of(line);
    CHECK(options.base() == "a/b/g");
    CHECK(options.json);
    CHECK(options.timeout == std::chrono::milliseconds(500));
    CHECK(options.broker == "mqtts://h");
  }
}

TEST_CASE("the environment names broker and gateway") {
  ::setenv("DFOTA_BROKER", "mqtt://from.env:1", 1);
  ::setenv("DFOTA_GATEWAY", "env-rack", 1);
  const auto options = options_of({"watch"});
  CHECK(options.broker == "mqtt://from.env:1");
  CHECK(options.gateway == "env-rack");
  CHECK(options_of({"--gateway", "line", "watch"}).gateway == "line");
  ::unsetenv("DFOTA_BROKER");
  ::unsetenv("DFOTA_GATEWAY");
}

TEST_CASE("update, by ids, tag and model") {
  const auto ids = std::get<UpdateCall>(
      options_of(update_with({"--modules", "a,b,c", "--job", "r3", "--attempts", "2", "--size", "7"})).call);
  CHECK(ids.request.modules == std::vector<std::string>{"a", "b", "c"});
  CHECK(ids.request.job == "r3");
  CHECK(ids.request.attempts == 2);
  CHECK(ids.request.size == 7);
  CHECK(ids.request.url == "http://h/f");
  CHECK(ids.wait);
  const auto tag = std::get<UpdateCall>(options_of(update_with({"--tag", "lab", "--no-wait"})).call);
  CHECK(tag.request.tag == "lab");
  CHECK_FALSE(tag.request.job);
  CHECK_FALSE(tag.wait);
  const auto model = std::get<UpdateCall>(options_of(update_with({"--model", "UC20", "--version", "V1"})).call);
  CHECK(model.request.model == "UC20");
  CHECK(model.request.version == "V1");
}

TEST_CASE("update: how many at once, when, and what stops it") {
  const auto call = std::get<UpdateCall>(
      options_of(update_with({"--modules", "all", "--max-parallel", "4", "--canary", "1", "--abort-after-failures",
                              "10000", "--absent", "wait", "--not-before", "2026-03-01T22:00:00Z", "--expires",
                              "2026-03-02T22:00:00.5+01:00", "--window", "22:00-05:00"}))
          .call);
  CHECK(call.request.max_parallel == 4);
  CHECK(call.request.canary == 1);
  CHECK(call.request.abort_after_failures == 10000);
  CHECK(call.request.absent == "wait");
  CHECK(call.request.not_before == "2026-03-01T22:00:00Z");
  CHECK(call.request.expires == "2026-03-02T22:00:00.5+01:00");
  CHECK(call.request.window == std::pair<std::string, std::string>("22:00", "05:00"));
  const auto plain = std::get<UpdateCall>(options_of(update_with({"--modules", "all"})).call).request;
  CHECK_FALSE(plain.max_parallel);
  CHECK_FALSE(plain.absent);
  CHECK_FALSE(plain.expires);
  CHECK_FALSE(plain.window);
}

TEST_CASE("what was asked for of a job or a module") {
  for (const char* verb : {"cancel", "forget"}) {
    const auto of_job = std::get<ControlCall>(options_of({"--gateway", "g", verb, "r3"}).call);
    CHECK(of_job.verb == verb);
    CHECK(of_job.subject.job == "r3");
    CHECK_FALSE(of_job.subject.module);
    const auto of_module = std::get<ControlCall>(options_of({"--gateway", "g", verb, "--module", "a"}).call);
    CHECK(of_module.verb == verb);
    CHECK_FALSE(of_module.subject.job);
    CHECK(of_module.subject.module == "a");
  }
  for (const char* verb : {"pause", "resume"}) {
    const auto one = std::get<ControlCall>(options_of({"--gateway", "g", verb, "r3"}).call);
    CHECK(one.verb == verb);
    CHECK(one.subject.job == "r3");
    CHECK_FALSE(std::get<ControlCall>(options_of({"--gateway", "g", verb}).call).subject.job);
  }
}

TEST_CASE("lists, replay and retry") {
  CHECK(std::get<ListCall>(options_of({"--gateway", "g", "jobs"}).call).of == ListCall::Of::jobs);
  CHECK(std::get<ListCall>(options_of({"modules", "--gateway", "g", "--json"}).call).of == ListCall::Of::modules);
  CHECK(std::get<ReplayCall>(options_of({"--gateway", "g", "replay", "--after", "0"}).call).after == 0);
  const auto newest = std::get<RetryCall>(options_of({"--gateway", "g", "retry", "r3"}).call);
  CHECK(newest.job == "r3");
  CHECK_FALSE(newest.run);
  CHECK(newest.wait);
  const auto second =
      std::get<RetryCall>(options_of({"--gateway", "g", "retry", "r3", "--run", "2", "--no-wait"}).call);
  CHECK(second.run == 2);
  CHECK_FALSE(second.wait);
}

TEST_CASE("each delivery names the delta in its own way") {
  const std::vector<const char*> base = {"--gateway", "g", "update", "--modules", "all", "--from", "A", "--to", "B"};
  const auto with = [&](std::vector<const char*> more) {
    more.insert(more.begin(), base.begin(), base.end());
    return more;
  };
  const auto url = std::get<UpdateCall>(options_of(with({"--delivery", "url", "--url", "ftp://u:p@h/f"})).call);
  CHECK(url.request.delivery == "url");
  CHECK(url.request.url == "ftp://u:p@h/f");
  const auto file = std::get<UpdateCall>(options_of(with({"--delivery", "file", "--file", "UFS:f"})).call);
  CHECK(file.request.file == "UFS:f");
  CHECK(std::get<UpdateCall>(options_of(with({"--delivery", "upload", "--url", "http://h/f", "--sha256", "a"})).call)
            .request.delivery == "upload");
  for (const auto& wrong :
       std::vector<std::vector<const char*>>{{},
                                             {"--url", "http://h/f"},
                                             {"--delivery", "pigeon", "--url", "http://h/f", "--sha256", "a"},
                                             {"--delivery", "ftp", "--url", "http://h/f"},
                                             {"--delivery", "url", "--url", "http://h/f", "--sha256", "a"},
                                             {"--delivery", "url", "--url", "http://h/f", "--size", "1"},
                                             {"--delivery", "file", "--file", "UFS:f", "--url", "http://h/f"},
                                             {"--delivery", "file"},
                                             {"--url", "http://h/f", "--sha256", "a", "--file", "UFS:f"}}) {
    CHECK(code_of(with(wrong)) == kExitUsage);
  }
}

TEST_CASE("the password comes from a file, its line end does not") {
  const dfota::test::TempDir dir;
  const std::string file = dir / "password";
  std::ofstream(file) << "se cret\r\nsecond line\n";
  CHECK(options_of({"--gateway", "g", "--password-file", file.c_str(), "watch"}).password == "se cret");
  std::ofstream(file, std::ios::trunc) << "";
  CHECK(code_of({"--gateway", "g", "--password-file", file.c_str(), "watch"}) == kExitUsage);
}

TEST_CASE("help and version end well") {
  CHECK(code_of({"--help"}) == kExitWell);
  CHECK(code_of({"--version"}) == kExitWell);
  CHECK(code_of({"update", "--help"}) == kExitWell);
}

TEST_CASE("wrong times, windows and numbers of an update end with 2") {
  for (const auto& [option, value] : std::vector<std::pair<const char*, const char*>>{
           {"--max-parallel", "0"},
           {"--max-parallel", "10001"},
           {"--canary", "0"},
           {"--canary", "one"},
           {"--abort-after-failures", "-1"},
           {"--absent", "perhaps"},
           {"--not-before", "tomorrow"},
           {"--not-before", ""},
           {"--not-before", "2026-03-01"},
           {"--not-before", "2026-03-01T22:00:00"},
           {"--not-before", "2026-03-01 22:00:00Z"},
           {"--not-before", "2026-13-01T22:00:00Z"},
           {"--not-before", "2026-00-01T22:00:00Z"},
           {"--not-before", "2026-03-32T22:00:00Z"},
           {"--not-before", "2026-03-01T24:00:00Z"},
           {"--not-before", "2026-03-01T22:60:00Z"},
           {"--expires", "2026-03-01T22:00:60Z"},
           {"--expires", "2026-03-01T22:00:00.Z"},
           {"--expires", "2026-03-01T22:00:00.5"},
           {"--expires", "2026-03-01T22:00:00+1:00"},
           {"--expires", "2026-03-01T22:00:00+24:00"},
           {"--expires", "2026-03-01T22:00:00Zx"},
           {"--expires", "2026-03-01T22:00:00.00000000000000000000000000000Z"},
           {"--window", "1:00-5:00"},
           {"--window", "01:00"},
           {"--window", "01:00-24:00"},
           {"--window", "01:60-02:00"},
           {"--window", "01:00-01:00"},
           {"--window", "01:00-05:00 "}}) {
    CAPTURE(option);
    CAPTURE(value);
    CHECK(code_of(update_with({"--modules", "a", option, value})) == kExitUsage);
  }
}

TEST_CASE("what is wrong on the command line ends with 2") {
  for (const auto& line :
       std::vector<std::vector<const char*>>{{},
                                             {"watch"},
                                             {"--gateway", "g"},
                                             {"--gateway", "g", "nonsense"},
                                             {"--gateway", "a/b", "watch"},
                                             {"--gateway", "client", "watch"},
                                             {"--gateway", "", "watch"},
                                             {"--gateway", "g", "watch", "a+b"},
                                             {"--gateway", "g", "watch", "a", "b"},
                                             {"--gateway", "g", "--root", "a/#", "watch"},
                                             {"--gateway", "g", "--broker", "http://x", "watch"},
                                             {"--gateway", "g", "--timeout", "0", "watch"},
                                             {"--gateway", "g", "--timeout", "soon", "watch"},
                                             {"--gateway", "g", "--password-file", "/nonexistent", "watch"},
                                             {"--gateway", "g", "cancel"},
                                             {"--gateway", "g", "cancel", "r3", "--module", "a"},
                                             {"--gateway", "g", "cancel", "--module", "a.b"},
                                             {"--gateway", "g", "cancel", "a/b"},
                                             {"--gateway", "g", "forget"},
                                             {"--gateway", "g", "forget", "r3", "--module", "a"},
                                             {"--gateway", "g", "pause", "--module", "a"},
                                             {"--gateway", "g", "resume", "a", "b"},
                                             {"--gateway", "g", "jobs", "r3"},
                                             {"--gateway", "g", "retry"},
                                             {"--gateway", "g", "retry", "r3", "--run", "0"},
                                             {"--gateway", "g", "replay"},
                                             {"--gateway", "g", "replay", "--after", "-1"},
                                             {"--gateway", "g", "jobs", "modules"},
                                             {"--gateway", "g", "update", "--modules", "a"},
                                             update_with({}),
                                             update_with({"--modules", "a", "--tag", "t"}),
                                             update_with({"--tag", "t", "--model", "m"}),
                                             update_with({"--tag", "t", "--version", "v"}),
                                             update_with({"--modules", "a", "--size", "-1"}),
                                             update_with({"--modules", "a", "--attempts", "0"}),
                                             update_with({"--modules", "a", "--job", "a/b"})}) {
    std::string all;
    for (const char* word : line) all += std::string(word) + " ";
    CAPTURE(all);
    CHECK(code_of(line) == kExitUsage);
  }
}

TEST_CASE("ping, scan, install, doctor") {
  CHECK(std::holds_alternative<PingCall>(options_of({"--gateway", "g", "ping"}).call));
  CHECK_FALSE(std::get<ScanCall>(options_of({"--gateway", "g", "scan"}).call).module);
  const auto scan = std::get<ScanCall>(options_of({"--gateway", "g", "scan", "a", "--force", "--accept"}).call);
  CHECK(scan.module == "a");
  CHECK(scan.force);
  CHECK(scan.accept);
  CHECK(code_of({"--gateway", "g", "scan", "--force"}) == kExitUsage);
  CHECK(code_of({"--gateway", "g", "scan", "--accept"}) == kExitUsage);
  CHECK(code_of({"--gateway", "g", "scan", "a/b"}) == kExitUsage);
  const auto install = std::get<InstallCall>(options_of({"--gateway", "g", "install", "a", "--target", "V"}).call);
  CHECK(install.module == "a");
  CHECK(install.target == "V");
  CHECK(install.wait);
  CHECK_FALSE(std::get<InstallCall>(options_of({"--gateway", "g", "install", "a", "--no-wait"}).call).wait);
  CHECK(code_of({"--gateway", "g", "install"}) == kExitUsage);
  CHECK(std::get<DoctorCall>(options_of({"--gateway", "g", "doctor", "--module", "a"}).call).module == "a");
  CHECK_FALSE(std::get<DoctorCall>(options_of({"--gateway", "g", "doctor"}).call).module);
}

TEST_CASE("transcript") {
  const auto newest = std::get<TranscriptCall>(options_of({"--gateway", "g", "transcript", "a"}).call);
  CHECK(newest.module == "a");
  CHECK_FALSE(newest.job);
  CHECK(newest.file.empty());
  const auto one =
      std::get<TranscriptCall>(options_of({"--gateway", "g", "transcript", "a", "--job", "r3", "-o", "a.jsonl"}).call);
  CHECK(one.job == "r3");
  CHECK(one.file == "a.jsonl");
  CHECK(code_of({"--gateway", "g", "transcript"}) == kExitUsage);
  CHECK(code_of({"--gateway", "g", "transcript", "a", "--job", "r 3"}) == kExitUsage);
}

TEST_CASE("rehearse, release, claim") {
  const auto rehearse =
      std::get<RehearseCall>(options_of({"--gateway", "g", "rehearse", "a", "--size", "1048576"}).call);
  CHECK(rehearse.module == "a");
  CHECK(rehearse.size == 1048576);
  CHECK_FALSE(std::get<RehearseCall>(options_of({"--gateway", "g", "rehearse", "a"}).call).size);
  CHECK(code_of({"--gateway", "g", "rehearse"}) == kExitUsage);
  CHECK(code_of({"--gateway", "g", "rehearse", "a", "--size", "0"}) == kExitUsage);
  for (const char* verb : {"release", "claim"}) {
    const auto call = std::get<ControlCall>(options_of({"--gateway", "g", verb, "a"}).call);
    CHECK(call.verb == verb);
    CHECK(call.subject.module == "a");
    CHECK_FALSE(call.subject.job);
    CHECK(code_of({"--gateway", "g", verb}) == kExitUsage);
    CHECK(code_of({"--gateway", "g", verb, "a/b"}) == kExitUsage);
  }
}

TEST_CASE("a fleet: verbs that are for all gateways, and those that are not") {
  const auto fleet = options_of({"--gateway", "all", "watch"});
  CHECK(fleet.is_fleet());
  CHECK(fleet.base() == "dfota/v1/all");
  CHECK(fleet.heard_base() == "dfota/v1/+");
  CHECK(fleet.prefix("rack-1") == "rack-1/");
  CHECK(options_of({"--gateway", "g", "watch"}).prefix("g").empty());
  using Words = std::vector<const char*>;
  for (Words line :
       {Words{"watch", "r"}, {"jobs"}, {"modules"}, {"cancel", "r"}, {"pause"}, {"resume"}, {"ping"}, {"scan"}}) {
    line.insert(line.begin(), {"--gateway", "all"});
    CHECK(code_of(line) == -1);
  }
  for (Words line : {Words{"retry", "r"},
                     {"forget", "r"},
                     {"replay", "--after", "1"},
                     {"artifact", "list"},
                     {"install", "a"},
                     {"rehearse", "a"},
                     {"transcript", "a"},
                     {"release", "a"},
                     {"claim", "a"},
                     {"doctor"}}) {
    line.insert(line.begin(), {"--gateway", "all"});
    CAPTURE(line[2]);
    CHECK(code_of(line) == kExitUsage);
  }
}

TEST_CASE("update follows its job with and without --watch") {
  CHECK(std::get<UpdateCall>(options_of(update_with({"--modules", "all", "--watch"})).call).wait);
  CHECK(code_of(update_with({"--modules", "all", "--watch", "--no-wait"})) == kExitUsage);
}
