#include "config/load.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/support/temp_dir.hpp"

using namespace dfota;
namespace fs = std::filesystem;

namespace {

const std::string kDefaultFile = DFOTA_SOURCE_DIR "/config/gateway.toml";

// A directory of our own, gone with the test.
struct TemporaryDirectory {
  std::string file(const std::string& name, const std::string& text = "x\n") const {
    std::ofstream(path / name) << text;
    return (path / name).string();
  }
  test::TempDir made;
  fs::path path = made.path();
};

std::string read_text(const std::string& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  REQUIRE(!text.str().empty());
  return text.str();
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  REQUIRE(text.find(from) != std::string::npos);
  for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

Config loaded(const std::variant<Config, ConfigFaults>& result) {
  if (const auto* faults = std::get_if<ConfigFaults>(&result)) {
    for (const ConfigFault& fault : *faults) MESSAGE(fault.text());
  }
  REQUIRE(std::holds_alternative<Config>(result));
  return std::get<Config>(result);
}

// The lines of the default file that begin with # and no space, uncommented.
std::string with_examples(const std::string& text, unsigned& examples) {
  std::istringstream lines(text);
  std::string line, all;
  while (std::getline(lines, line)) {
    const bool example = line.size() > 1 && line[0] == '#' && line[1] != ' ';
    examples += example;
    all += (example ? line.substr(1) : line) + "\n";
  }
  return all;
}

}  // namespace

TEST_CASE("the default file loads, and says exactly the defaults") {
  Config expected;
  expected.gateway.id = "rack-1";
  expected.http.public_url = "http://192.168.1.10:8480";
  expected.timeouts.given = {"listen", "absent"};  // no family has an opinion of these two
  CHECK(loaded(load_config(kDefaultFile)) == expected);
}

TEST_CASE("every example of the default file is right once uncommented, and reaches its field") {
  TemporaryDirectory directory;
  for (const char* name : {"mqtt.password", "ca.pem", "gateway.pem", "gateway.key"}) directory.file(name);
  const std::string dir = directory.path.string();
  unsigned examples = 0;
  std::string text = with_examples(read_text(kDefaultFile), examples);
  CHECK(examples == 27);
  text = replaced(text, "\"/etc/dfota-gateway/", "\"" + dir + "/");
  text = replaced(text, "mqtt://127.0.0.1:1883", "mqtts://127.0.0.1:8883");
  const Config config = loaded(parse_config(text, "all.toml"));
  CHECK(config.mqtt.password_file == dir + "/mqtt.password");
  CHECK(config.mqtt.ca_file == dir + "/ca.pem");
  CHECK(config.mqtt.cert_file == dir + "/gateway.pem");
  CHECK(config.mqtt.key_file == dir + "/gateway.key");
  CHECK(config.tag_limits == std::vector<TagLimitConfig>{{"hub-1", 2, 4, 2}});
  CHECK(config.modem.pdp == PdpConfig{1, "internet", "", "", 0});
  CHECK(config.ftp == FtpConfig{{UrlScheme::ftp, "user", "password", "192.168.1.10", 21, ""}, "/srv/ftp"});
  const ModuleConfig module{
      "uc20-a", "/dev/serial/by-path/pci-0000:00:14.0-usb-0:2:1.2-port0", "490154203237518", {"lab", "hub-1"}};
  CHECK(config.modules == std::vector<ModuleConfig>{module});
  CHECK(config.discovery == DiscoveryConfig{{"/dev/serial/by-path/*"}, {parse_usb_id("05c6:90b2").value()}});
  auto timeouts = config.timeouts;
  CHECK(timeouts.given.size() == 7);
  timeouts.given.clear();
  CHECK(timeouts == TimeoutsConfig());
}

TEST_CASE("the default file shows every key there is") {
  const std::string text = "\n" + read_text(kDefaultFile);
  for (const char* key : {"id",
                          "state_dir",
                          "uri",
                          "username",
                          "password_file",
                          "ca_file",
                          "cert_file",
                          "key_file",
                          "version",
                          "topic_root",
                          "response_topics",
                          "listen",
                          "public_url",
                          "max_bytes",
                          "allow_hosts",
                          "downloads",
                          "updates",
                          "tag",
                          "attempts",
                          "backoff_s",
                          "start",
                          "download",
                          "reboot",
                          "progress_gap",
                          "update",
                          "absent",
                          "profile",
                          "baud",
                          "poll_s",
                          "pdp",
                          "port",
                          "imei",
                          "tags",
                          "profiles_dir",
                          "dir",
                          "enabled",
                          "prefix"}) {
    CAPTURE(key);
    const bool shown = text.find(std::string("\n") + key + " = ") != std::string::npos ||
                       text.find(std::string("\n#") + key + " = ") != std::string::npos;
    CHECK(shown);
  }
}

TEST_CASE("every value arrives in its own field") {
  TemporaryDirectory directory;
  directory.file("pw");
  directory.file("ca");
  directory.file("cert");
  directory.file("key");
  directory.file("origins");
  directory.file("token");
  const std::string dir = directory.path.string();
  const std::string file = directory.file("gateway.toml", R"([gateway]
id = "g"
state_dir = "state"
[mqtt]
uri = "mqtts://broker:8883"
username = "u"
password_file = "pw"
ca_file = "./ca"
cert_file = "cert"
key_file = "key"
version = 3
topic_root = "a/b"
response_topics = ["x/#", "+/y"]
[http]
listen = "[::]:1"
public_url = "HTTP://h:2"
[admin]
listen = "[::1]:9"
token_file = "token"
hosts = ["rack.example.com", "rack:8443", "[fd00::1]:1"]
[artifacts]
max_bytes = 5000000000
allow_hosts = ["::1"]
ca_file = "origins"
incoming = "drop"
require_signature = true
trusted_keys = ["RWTOe372CcGLoNVxLPCQaJ1rDDNWGf6/Vhk+nPKudtUGKFyLkGcjnQJ9"]
[ftp]
public_url = "FTP://a:b@h:2121/d"
dir = "shelf"
[limits]
downloads = 1
updates = 100000
[retry]
attempts = 2
backoff_s = 0.25
[timeouts]
listen = 0.5
start = 1
download = 2
reboot = 3
progress_gap = 4
update = 5
absent = 2592000
[modem]
profile = "uc20"
baud = 9600
poll_s = 6
pdp = { cid = 2, apn = "n", user = "o", password = "p", auth = 2 }
[home_assistant]
enabled = true
prefix = "ha/x"
[[limit]]
tag = "t"
downloads = 7
[[limit]]
tag = "s"
updates = 8
[[module]]
id = "m"
port = "tcp://h:3"
tags = ["t"]
[[module]]
id = "n"
port = "/dev/x"
imei = "490154203237518"
)");
  Config expected;
  expected.gateway = {"g", dir + "/state"};
  expected.mqtt = {"mqtts://broker:8883", "u", dir + "/pw", dir + "/ca",   dir + "/cert",
                   dir + "/key",          3,   "a/b",       {"x/#", "+/y"}};
  expected.http = {"::", 1, "HTTP://h:2"};
  expected.admin = AdminConfig{"::1", 9, dir + "/token", {"rack.example.com", "rack:8443", "[fd00::1]:1"}};
  expected.artifacts = {5000000000,    {"::1"}, dir + "/origins",
                        dir + "/drop", true,    {"RWTOe372CcGLoNVxLPCQaJ1rDDNWGf6/Vhk+nPKudtUGKFyLkGcjnQJ9"}};
  expected.ftp = FtpConfig{{UrlScheme::ftp, "a", "b", "h", 2121, "d/"}, dir + "/shelf"};
  expected.limits = {1, 100000};
  expected.retry = {2, 0.25};
  expected.timeouts = {0.5, 1, 2, 3, 4, 5, 2592000};
  expected.timeouts.given = {"listen", "start", "download", "reboot", "progress_gap", "update", "absent"};
  expected.modem = {builtin_profiles(), "uc20", 9600, 6, PdpConfig{2, "n", "o", "p", 2}};
  expected.home_assistant = {true, "ha/x"};
  expected.tag_limits = {{"t", 7, std::nullopt}, {"s", std::nullopt, 8}};
  expected.modules = {{"m", "tcp://h:3", "", {"t"}}, {"n", "/dev/x", "490154203237518", {}}};
  CHECK(loaded(load_config(file)) == expected);
}

TEST_CASE("without public_url the modules are told the address that is listened to") {
  const std::string gateway = "[gateway]\nid = 'g'\n[http]\n";
  CHECK(loaded(parse_config(gateway + "listen = '127.0.0.1:8000'", "f")).http.public_url == "http://127.0.0.1:8000");
  CHECK(loaded(parse_config(gateway + "listen = '[::1]:8000'\npublic_url = ''", "f")).http.public_url ==
        "http://[::1]:8000");
}

TEST_CASE("without admin.token_file it is in the state directory; an empty admin.listen switches the page off") {
  const std::string gateway = "http.listen = '127.0.0.1:1'\n[gateway]\nid = 'g'\nstate_dir = '/s'\n";
  CHECK(loaded(parse_config(gateway, "f")).admin == AdminConfig{"127.0.0.1", 8481, "/s/admin_token", {}});
  CHECK(loaded(parse_config(gateway + "[admin]\ntoken_file = ''", "f")).admin->token_file == "/s/admin_token");
  CHECK_FALSE(loaded(parse_config(gateway + "[admin]\nlisten = ''", "f")).admin);
}

TEST_CASE("without artifacts.incoming it is in the state directory, wherever that is") {
  const std::string text = "[gateway]\nid = 'g'\nstate_dir = '/x'\n[http]\nlisten = '127.0.0.1:1'\n";
  CHECK(loaded(parse_config(text, "f")).artifacts.incoming == "/x/incoming");
  CHECK(loaded(parse_config(text + "[artifacts]\nincoming = ''", "f")).artifacts.incoming == "/x/incoming");
}

TEST_CASE("a PDP context may be a section, too") {
  const std::string text = "[gateway]\nid = 'g'\n[http]\nlisten = '127.0.0.1:1'\n[modem.pdp]\napn = 'n'\n";
  CHECK(loaded(parse_config(text, "f")).modem.pdp == PdpConfig{1, "n", "", "", 0});
}

TEST_CASE(
    "families of the operator's own are read from beside the configuration, before the name of one is looked up") {
  TemporaryDirectory directory;
  fs::create_directory(directory.path / "families");
  directory.file("families/zz9.toml", "name = 'zz9'\nmodels = ['ZZ9']\n");
  const std::string start = "gateway.id = 'g'\nhttp.listen = '127.0.0.1:1'\n";
  const Config config =
      loaded(load_config(directory.file("g.toml", start + "modem = { profile = 'zz9', profiles_dir = 'families' }\n")));
  CHECK(config.modem.profile == "zz9");
  REQUIRE(config.modem.profiles.by_model("ZZ9A") != nullptr);
  CHECK(config.modem.profiles.by_model("UC20") != nullptr);
  CHECK(loaded(parse_config(start + "modem.profiles_dir = ''", "f")).modem.profiles == builtin_profiles());
}

TEST_CASE("faults of families are told with those of the configuration, and hide no other") {
  TemporaryDirectory directory;
  fs::create_directory(directory.path / "families");
  const std::string family = directory.file("families/zz9.toml", "name = 'zz9'\nmodel = 'ZZ9'\n");
  const std::string file = directory.file("g.toml",
                                          "gateway.id = 'g'\nhttp.listen = '127.0.0.1:1'\n[modem]\nbaud = 1\n"
                                          "profiles_dir = 'families'\nprofile = 'zz9'\n");
  const auto result = load_config(file);
  REQUIRE(std::holds_alternative<ConfigFaults>(result));
  std::vector<std::string> places;
  for (const auto& fault : std::get<ConfigFaults>(result))
    places.push_back(fault.text().substr(0, fault.text().find(": ")));
  // The missing "models", the key nobody knows, the baud rate; not the name of the family that is wrong itself.
  CHECK(places == std::vector<std::string>{family + ":1:1", family + ":2:1", file + ":4:8"});
}

TEST_CASE("a configuration that cannot be read is one fault, which names it") {
  TemporaryDirectory directory;
  const auto result = load_config(directory.path / "absent.toml");
  REQUIRE(std::holds_alternative<ConfigFaults>(result));
  REQUIRE(std::get<ConfigFaults>(result).size() == 1);
  CHECK(std::get<ConfigFaults>(result)[0].text().starts_with((directory.path / "absent.toml").string() +
                                                             ":0:0: the configuration cannot be read"));
}
