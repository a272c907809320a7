// The broker as docker/mosquitto ships it: TLS, client certificates, an access list that gives each role its topics.
// What is against a connection is told by dfota and by the gateway in words that say what to mend.
#include <doctest/doctest.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <iterator>

#include "tests/integration/mqtt_subject.hpp"
#include "tests/support/certificates.hpp"
#include "tests/support/origin.hpp"
#include "tests/support/rack.hpp"
#include "tests/support/rig.hpp"

using namespace dfota;
using namespace dfota::test;

namespace {
std::string replaced(std::string text, const std::string& from, const std::string& to) {
  REQUIRE(text.find(from) != std::string::npos);
  for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

std::string shipped(const std::string& name) {
  std::ifstream file(DFOTA_SOURCE_DIR "/docker/mosquitto/" + name);
  REQUIRE(file);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// What docker/mosquitto/README.md tells to put where, made for a test.
struct Site {
  explicit Site(bool with_passwords = false, const std::string& broker_name = "DNS:localhost", int days = 2) {
    certificates.issue("broker", broker_name, days);
    for (const auto* name : {"backend", "watcher", "rack-1", "rack-2"}) certificates.issue(name);
    std::filesystem::create_directories(dir / "certs");
    for (const auto& file : std::filesystem::directory_iterator(certificates.dir().path())) {
      std::filesystem::copy(file, dir / "certs");
    }
    std::ofstream(dir / "acl") << shipped("acl");
    std::string conf = shipped("mosquitto.conf");
    conf = replaced(conf, "/mosquitto/config/", dir.path().string() + "/");
    conf = replaced(conf, "/mosquitto/data/", dir.path().string() + "/");
    if (with_passwords) {
      conf = replaced(conf, "\nrequire_certificate true\nuse_identity_as_username true\n", "\n");
      conf = replaced(conf, "#require_certificate false\n#password_file", "require_certificate false\npassword_file");
    }
    broker = std::make_unique<Broker>(Broker::Options{.start = false, .whole = conf});
    if (!with_passwords) broker->start();
  }

  [[nodiscard]] std::string uri(const std::string& host = "localhost") const {
    return "mqtts://" + host + ":" + std::to_string(broker->port());
  }

  /// dfota with this person's certificate, or without one.
  [[nodiscard]] std::vector<std::string> dfota(const std::string& who, const std::vector<std::string>& more) const {
    std::vector<std::string> argv = {program("dfota"), "--broker", uri(),       "--gateway",           "rack-1",
                                     "--timeout",      "30",       "--ca-file", certificates.crt("ca")};
    if (!who.empty()) {
      argv.insert(argv.end(), {"--cert-file", certificates.crt(who), "--key-file", certificates.key(who)});
    }
    argv.insert(argv.end(), more.begin(), more.end());
    return argv;
  }

  /// The gateway rack-1 with these lines under [mqtt] beside uri and ca_file, and with a rack's first module.
  std::vector<std::string> gateway(const std::string& mqtt, const std::string& ca = "ca",
                                   const std::string& host = "localhost", const Rack* rack = nullptr) {
    std::ofstream file(dir / "gateway.toml");
    file << "[gateway]\nid = \"rack-1\"\nstate_dir = \"" << dir / "state"
         << "\"\n[mqtt]\nuri = \"" << uri(host) << "\"\nca_file = \"" << certificates.crt(ca) << "\"\n"
         << mqtt << "[http]\nlisten = \"127.0.0.1:" << free_port()
         << "\"\n[admin]\nlisten = \"\"\n[artifacts]\nallow_hosts = [\"127.0.0.1\"]\n[timeouts]\nlisten = 0.3\n";
    if (rack != nullptr) file << "[[module]]\nid = \"m0\"\nport = \"" << rack->port(0) << "\"\n";
    return {program("dfota-gateway"), "--config", dir / "gateway.toml"};
  }
  [[nodiscard]] std::string certificate_lines(const std::string& who) const {
    return "cert_file = \"" + certificates.crt(who) + "\"\nkey_file = \"" + certificates.key(who) + "\"\n";
  }

  Certificates certificates;
  TempDir dir;
  std::unique_ptr<Broker> broker;
};

/// A delta at an origin, and the words of `dfota update` for it.
struct Delta {
  Delta() {
    const std::string name = dir / "delta.bin";
    sha256 = make_delta(name, "UC20", kFrom, kTo, 65536);
    std::ifstream file(name, std::ios::binary);
    origin.serve(kDelta, std::string(std::istreambuf_iterator<char>(file), {}));
  }
  [[nodiscard]] std::vector<std::string> update(const std::string& job) const {
    return {"update",   "--modules", "m0",     "--job", job,    "--url", origin.url(kDelta),
            "--sha256", sha256,      "--from", kFrom,   "--to", kTo};
  }
  TempDir dir;
  Origin origin;
  std::string sha256;
};

/// A call of dfota that fails with this exit code.
std::string complaint(const std::vector<std::string>& argv, int code) {
  Process client(argv);
  CHECK(client.wait() == code);
  CHECK(client.out().empty());
  return client.err();
}

bool has(const std::string& text, const std::string& part) {
  INFO(text);
  const bool found = text.find(part) != std::string::npos;
  CHECK(found);
  return found;
}
}  // namespace

TEST_CASE("each role with its certificate: a job to its end, seen by a watcher, whose own job is refused") {
  Site site;
  Delta delta;
  Rack rack(Rack::Options{});
  Process gateway(site.gateway(site.certificate_lines("rack-1"), "ca", "localhost", &rack));
  REQUIRE(gateway.wait_for_err("mqtt localhost:" + std::to_string(site.broker->port()) + ": connected"));

  Process watcher(site.dfota("watcher", {"watch"}));
  // It has subscribed by then: the broker's log says so.
  REQUIRE(site.broker->wait_for_log("dfota/v1/rack-1/job/+/state (QoS 1)"));

  const auto refusal = complaint(site.dfota("watcher", delta.update("stolen")), 1);
  CHECK(refusal == "dfota: the broker refuses to let the holder of " + site.certificates.crt("watcher") +
                       " publish to dfota/v1/rack-1/cmd/update: Not authorized (reason 135)\n");

  Process backend(site.dfota("backend", delta.update("r1")));
  INFO(backend.err());
  CHECK(backend.wait(kJobWatchdog) == 0);
  REQUIRE(watcher.wait_for_out("job r1: succeeded"));
  has(watcher.out(), "m0: succeeded: " + kFrom + " -> " + kTo);
  watcher.signal(SIGINT);
  CHECK(watcher.wait() == 0);

  Process jobs(site.dfota("backend", {"--json", "jobs"}));
  CHECK(jobs.wait() == 0);
  has(jobs.out(), "\"job\":\"r1\"");
  CHECK(jobs.out().find("stolen") == std::string::npos);
  CHECK(gateway.terminate() == 0);
  CHECK(gateway.err().find("refuse") == std::string::npos);
  rack.stop();
  CHECK(rack.qfotadl("m0") == 1);
}

TEST_CASE("MQTT 3.1.1, where the broker does not say that it refuses") {
  Site site;
  Delta delta;
  Rack rack(Rack::Options{});
  Process gateway(site.gateway(site.certificate_lines("rack-1"), "ca", "localhost", &rack));
  REQUIRE(gateway.wait_for_err(": connected"));
  auto words = delta.update("r1");
  words.insert(words.begin(), {"--mqtt-version", "3"});
  Process backend(site.dfota("backend", words));
  CHECK(backend.wait(kJobWatchdog) == 0);
  INFO(backend.err());
  auto silent = delta.update("r2");
  silent.insert(silent.begin(), {"--mqtt-version", "3"});
  auto unheard = site.dfota("watcher", silent);
  *std::find(unheard.begin(), unheard.end(), "30") = "3";  // seconds of patience
  has(complaint(unheard, 3),
      "may the holder of " + site.certificates.crt("watcher") + " publish to dfota/v1/rack-1/cmd/update?");
}

TEST_CASE("a gateway cannot speak for another, nor a watcher for anybody") {
  Site site;
  const auto may = [&](const std::string& who, const std::string& topic) {
    MqttOptions options;
    options.uri = site.uri();
    options.client_id = who;
    options.ca_file = site.certificates.crt("ca");
    options.cert_file = site.certificates.crt(who);
    options.key_file = site.certificates.key(who);
    Subject subject(options);
    REQUIRE(subject.wait_connected(1));
    return subject.publish_and_wait(topic, "1").ok();
  };
  for (const auto* rest : {"status", "info", "module/m0/result", "job/r1/state", "error/gateway/x", "rsp/update"}) {
    CAPTURE(rest);
    CHECK(may("rack-1", "dfota/v1/rack-1/" + std::string(rest)));
    CHECK_FALSE(may("rack-2", "dfota/v1/rack-1/" + std::string(rest)));
    CHECK_FALSE(may("backend", "dfota/v1/rack-1/" + std::string(rest)));
    CHECK_FALSE(may("watcher", "dfota/v1/rack-1/" + std::string(rest)));
    CHECK_FALSE(may("watcher", "dfota/v1/watcher/" + std::string(rest)));
  }
  for (const auto* rest : {"rack-1/cmd/update", "all/cmd/update", "rack-1/hold"}) {
    CAPTURE(rest);
    CHECK(may("backend", "dfota/v1/" + std::string(rest)));
    CHECK_FALSE(may("rack-1", "dfota/v1/" + std::string(rest)));
    CHECK_FALSE(may("watcher", "dfota/v1/" + std::string(rest)));
  }
  CHECK(may("rack-1", "dfota/v1/client/somebody/rsp"));
  CHECK(may("rack-1", "homeassistant/device/dfota_x/config"));
  CHECK(may("watcher", "dfota/v1/client/watcher/rsp"));  // its client id here
  CHECK_FALSE(may("watcher", "dfota/v1/client/somebody/rsp"));
  CHECK_FALSE(may("watcher", "homeassistant/device/dfota_x/config"));
}

TEST_CASE("what is against the connection is told by dfota, and by the gateway's log") {
  Site site, expired(false, "DNS:localhost", -1), elsewhere(false, "DNS:elsewhere.invalid,DNS:broker.example");
  site.certificates.authority("other-ca");
  site.certificates.issue("old", "DNS:old", -1);
  const std::string old = site.certificates.crt("old");
  struct Case {
    Site& site;
    std::string who, ca, told;
  };
  const Case cases[] = {
      {site, "", "ca", "the broker wants a client certificate: name one in cert_file and key_file"},
      {site, "old", "ca", "the broker refuses our certificate (" + old + "): it has expired"},
      {site, "rack-1", "other-ca",
       "the broker's certificate (CN = broker) is not signed by an authority of " + site.certificates.crt("other-ca")},
      {expired, "rack-1", "ca", "the broker's certificate (CN = broker) has expired on "},
      {elsewhere, "rack-1", "ca",
       "the broker's certificate is for elsewhere.invalid, broker.example, not for localhost: name the broker as its "
       "certificate does"},
  };
  for (const auto& one : cases) {
    CAPTURE(one.told);
    auto argv = one.site.dfota(one.who, {"jobs"});
    argv[8] = one.site.certificates.crt(one.ca);
    const auto told = complaint(argv, 3);
    has(told, "dfota: no connection to the broker at " + one.site.uri() + ": " + one.told);
    const auto lines = one.who.empty() ? "" : one.site.certificate_lines(one.who);
    Process gateway(one.site.gateway(lines, one.ca));
    CHECK(gateway.wait_for_err("cannot connect: " + one.told));
    CHECK(gateway.err().find(": connected") == std::string::npos);
  }
}

TEST_CASE("dfota.toml names broker and certificate; files that do not fit, and a port without TLS, are told") {
  Site site;
  Broker plain;
  Delta delta;
  Rack rack(Rack::Options{});
  Process gateway(site.gateway(site.certificate_lines("rack-1"), "ca", "localhost", &rack));
  REQUIRE(gateway.wait_for_err(": connected"));
  const auto write = [&](const std::string& uri, const std::string& who, const std::string& whose_key) {
    std::ofstream(site.dir / "dfota.toml")
        << "broker = \"" << uri << "\"\ngateway = \"rack-1\"\nca_file = \"" << site.certificates.crt("ca")
        << "\"\ncert_file = \"" << site.certificates.crt(who) << "\"\nkey_file = \"" << site.certificates.key(whose_key)
        << "\"\n";
  };
  const std::vector<std::string> modules = {program("dfota"), "modules"};
  const Process::Environment environment = {{"XDG_CONFIG_HOME", site.dir.path().string()}};
  write(site.uri(), "backend", "backend");
  Process good(modules, environment);
  CHECK(good.wait() == 0);
  has(good.out(), "m0 ");
  write(site.uri(), "backend", "watcher");
  Process wrong_key(modules, environment);
  CHECK(wrong_key.wait() == 3);
  has(wrong_key.err(), "is not the key of the certificate in " + site.certificates.crt("backend"));
  write("mqtts://localhost:" + std::to_string(plain.port()), "backend", "backend");
  Process no_tls({program("dfota"), "modules", "--timeout", "5"}, environment);
  CHECK(no_tls.wait() == 3);
}

TEST_CASE("users with passwords from files instead of certificates") {
  Site site(true);
  const auto file_with = [&](const std::string& user, const std::string& password) {
    const std::string name = site.dir / (user + ".password");
    std::ofstream(name) << password << "\n";
    return name;
  };
  for (const std::string user : {"rack-1", "backend"}) {
    std::vector<std::string> argv = {"mosquitto_passwd", "-b", site.dir / "passwords", user, "secret of " + user};
    if (user == "rack-1") argv.insert(argv.begin() + 1, "-c");
    Process maker(argv);
    REQUIRE(maker.wait() == 0);
  }
  site.broker->start();
  Process gateway(
      site.gateway("username = \"rack-1\"\npassword_file = \"" + file_with("rack-1", "secret of rack-1") + "\"\n"));
  REQUIRE(gateway.wait_for_err(": connected"));
  const auto call = [&](const std::string& password) {
    return site.dfota("", {"--username", "backend", "--password-file", file_with("backend", password), "jobs"});
  };
  Process good(call("secret of backend"));
  CHECK(good.wait() == 0);
  const auto refused = complaint(call("wrong secret"), 3);
  has(refused, "dfota: no connection to the broker at " + site.uri() + ": ");
  has(refused, "ot authorized");
  CHECK(refused.find("wrong secret") == std::string::npos);
  std::ofstream(site.dir / "rack-1.password") << "wrong secret\n";
  CHECK(gateway.terminate() == 0);
  Process wrong(site.gateway("username = \"rack-1\"\npassword_file = \"" + site.dir / "rack-1.password" + "\"\n"));
  CHECK(wrong.wait_for_err("cannot connect: "));
  CHECK(wrong.wait_for_err("ot authorized"));
  for (const auto* one : {&gateway, &wrong}) CHECK(one->err().find("secret") == std::string::npos);
}
