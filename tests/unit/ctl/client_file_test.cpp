#include "gateway/ctl/client_file.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>

#include "tests/support/temp_dir.hpp"

using namespace dfota;
using namespace dfota::ctl;
using dfota::test::TempDir;

namespace {
std::string faults_of(const std::string& text) {
  const auto parsed = parse_client_file(text, "f.toml");
  std::string all;
  if (const auto* faults = std::get_if<ConfigFaults>(&parsed)) {
    for (const auto& fault : *faults) all += fault.text() + "\n";
  }
  return all;
}
}  // namespace

TEST_CASE("every key, and files beside the file itself") {
  const TempDir dir;
  for (const auto* name : {"ca.crt", "me.crt", "me.key", "password"}) std::ofstream(dir / name) << "x\n";
  std::ofstream(dir / "dfota.toml") << R"(broker = "mqtts://broker.lan"
gateway = "rack-1"
topic_root = "a/b"
username = "me"
password_file = "password"
ca_file = "ca.crt"
cert_file = "me.crt"
key_file = ")" << dir / "me.key"
                                    << "\"\nmqtt_version = 3\n";
  const auto loaded = load_client_file(dir / "dfota.toml");
  REQUIRE(std::holds_alternative<ClientFile>(loaded));
  const auto& file = std::get<ClientFile>(loaded);
  CHECK(file.broker == "mqtts://broker.lan");
  CHECK(file.gateway == "rack-1");
  CHECK(file.topic_root == "a/b");
  CHECK(file.username == "me");
  CHECK(file.password_file == dir / "password");
  CHECK(file.ca_file == dir / "ca.crt");
  CHECK(file.cert_file == dir / "me.crt");
  CHECK(file.key_file == dir / "me.key");
  CHECK(file.mqtt_version == 3);
}

TEST_CASE("what is not said is left open") {
  const auto parsed = parse_client_file("# nothing\nca_file = \"\"\n", "f.toml");
  REQUIRE(std::holds_alternative<ClientFile>(parsed));
  const auto& file = std::get<ClientFile>(parsed);
  CHECK_FALSE(file.broker);
  CHECK_FALSE(file.ca_file);
  CHECK_FALSE(file.mqtt_version);
}

TEST_CASE("unknown keys, wrong types and wrong values, each with its place") {
  CHECK(faults_of("brokr = \"mqtt://h\"\ngateway = 7\nmqtt_version = 4\nusername = \"a\\nb\"\n") ==
        "f.toml:1:1: unknown key \"brokr\" outside of every section: did you mean \"broker\"?\n"
        "f.toml:2:11: gateway must be a string in quotes, not an integer\n"
        "f.toml:3:16: mqtt_version must be 5, or 3 for MQTT 3.1.1, not 4\n" +
            faults_of("\n\n\nusername = \"a\\nb\"\n"));
  CHECK(faults_of("password = \"secret\"\n").find("f.toml:1:1: unknown key \"password\"") == 0);
  CHECK(faults_of("password = \"secret\"\n").find("secret") == std::string::npos);
  CHECK(faults_of("broker = \"http://h\"\n").find("f.toml:1:10: broker ") == 0);
  CHECK(faults_of("gateway = \"a/b\"\n").find("f.toml:1:11: gateway is wrong: ") == 0);
  CHECK(faults_of("topic_root = \"a/#\"\n").find("f.toml:1:14: topic_root ") == 0);
  CHECK(faults_of("ca_file = \"/nonexistent\"\n").find("f.toml:1:11: ca_file ") == 0);
  CHECK(faults_of("broker = [\n").find("f.toml:") == 0);
  CHECK(faults_of("[mqtt]\nuri = \"mqtt://h\"\n").find("f.toml:1:1: unknown section [mqtt]") == 0);
}

TEST_CASE("what does not fit together") {
  const TempDir dir;
  std::ofstream(dir / "x") << "x\n";
  const std::string cert = "cert_file = \"" + dir / "x" + "\"\n", key = "key_file = \"" + dir / "x" + "\"\n";
  CHECK(faults_of(cert) == "f.toml:1:13: cert_file needs key_file beside it, the key of this certificate\n");
  CHECK(faults_of(key) == "f.toml:1:12: key_file needs cert_file beside it, the certificate of this key\n");
  CHECK(faults_of(cert + key).empty());
  CHECK(faults_of("broker = \"mqtt://h\"\n" + cert + key).find("f.toml:2:13: cert_file has no effect without TLS") ==
        0);
}

TEST_CASE("where it usually lies") {
  const char* const home = std::getenv("HOME");
  const std::string before = home != nullptr ? home : "";
  ::setenv("HOME", "/home/x", 1);
  ::setenv("XDG_CONFIG_HOME", "/etc/y", 1);
  CHECK(usual_client_file() == "/etc/y/dfota.toml");
  ::setenv("XDG_CONFIG_HOME", "relative", 1);
  CHECK(usual_client_file() == "/home/x/.config/dfota.toml");
  ::unsetenv("XDG_CONFIG_HOME");
  CHECK(usual_client_file() == "/home/x/.config/dfota.toml");
  ::unsetenv("HOME");
  CHECK_FALSE(usual_client_file());
  if (home != nullptr) ::setenv("HOME", before.c_str(), 1);
  ::setenv("XDG_CONFIG_HOME", "/nonexistent", 1);
}
