// What load_config refuses: one row for each fault, with its place and the words that matter.
#include <doctest/doctest.h>

#include "config/load.hpp"

using namespace dfota;

namespace {

struct Row {
  std::string text;
  unsigned line, column;
  std::string part;  // of the message
};

ConfigFaults faults_of(const std::string& text) {
  const auto result = parse_config(text, "gw.toml");
  return std::holds_alternative<ConfigFaults>(result) ? std::get<ConfigFaults>(result) : ConfigFaults{};
}

// Each row's text is the whole file, and has this one fault.
void check_rows(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const ConfigFaults faults = faults_of(row.text);
    std::string told;
    for (const ConfigFault& fault : faults) told += fault.text() + "\n";
    CAPTURE(told);
    REQUIRE(faults.size() == 1);
    CHECK(faults[0].line == row.line);
    CHECK(faults[0].column == row.column);
    CHECK(faults[0].message.find(row.part) != std::string::npos);
    CHECK(faults[0].file == "gw.toml");
  }
}

// Right by itself: what is added starts on line 3.
std::string with(const std::string& text) {
  return "gateway.id = 'g'\nhttp.listen = '127.0.0.1:1'\n" + text;
}
const std::string kId = "gateway.id = 'g'\n";
const std::string kKey = "RWTOe372CcGLoNVxLPCQaJ1rDDNWGf6/Vhk+nPKudtUGKFyLkGcjnQJ9";
const std::string kListen = "http.listen = '127.0.0.1:1'\n";
const std::string kModule = "[[module]]\nid = 'a'\nport = '/dev/a'\n";

}  // namespace

TEST_CASE("the base of these tests is right by itself") {
  CHECK(faults_of(with(kModule)).empty());
}

TEST_CASE("faults of [gateway] and [mqtt]") {
  check_rows({
      {kListen, 1, 1, "gateway.id is missing: give this gateway a name"},
      {kListen + "[gateway]\nstate_dir = '/x'\n", 2, 1, "gateway.id is missing"},
      {kListen + "gateway.id = ''", 2, 14, "gateway.id must be 1 to 64 of the characters"},
      {kListen + "gateway.id = 'a/b'", 2, 14, "not \"a/b\""},
      {kListen + "gateway.id = 'all'", 2, 14, "reserved"},
      {kListen + "gateway.id = 'client'", 2, 14, "reserved"},
      {kListen + "gateway.id = 5", 2, 14, "must be a string in quotes, not an integer"},
      {kListen + "gateway = 5", 2, 11, "gateway must be a section [gateway], not an integer"},
      {kListen + "[[gateway]]\nid = 'g'", 2, 1, "gateway must be a section [gateway]"},
      {with("gateway.state_dir = ''"), 3, 21, "must not be empty"},
      {with("mqtt.uri = 'tcp://a:1'"), 3, 12, "must be mqtt://host:port or mqtts://host:port"},
      {with("mqtt.uri = 'mqtt://a'"), 3, 12, "usually 1883"},
      {with("mqtt.version = 4"), 3, 16, "must be 5, or 3 for MQTT 3.1.1, not 4"},
      {with("mqtt.version = '5'"), 3, 16, "must be an integer, not a string"},
      {with("mqtt.version = 5.0"), 3, 16, "must be an integer, not a fraction"},
      {with("mqtt.topic_root = 'a/#'"), 3, 19, "wildcards"},
      {with("mqtt.topic_root = '/a'"), 3, 19, "must not begin or end with /"},
      {with("mqtt.topic_root = 'a//b'"), 3, 19, "empty levels"},
      {with("mqtt.topic_root = \"a\\u0001\""), 3, 19, "control characters"},
      {with("mqtt.topic_root = '" + std::string(257, 'a') + "'"), 3, 19, "at most 256"},
      {with("mqtt.response_topics = 'a'"), 3, 24, "must be an array of strings"},
      {with("mqtt.response_topics = ['a', 'b+']"), 3, 30, "no topic filter"},
      {with("mqtt.response_topics = ['a', 1]"), 3, 30, "must hold strings in quotes only, not an integer"},
      {with("mqtt.response_topics = ['a', 'a']"), 3, 30, "twice"},
      {with("mqtt.username = \"a\\n\""), 3, 17, "control characters"},
      {with("mqtt.password_file = '/no/such'"), 3, 22, "\"/no/such\", which does not exist"},
      {with("mqtt.password_file = '/tmp'"), 3, 22, "is a directory"},
      {with("mqtt.uri = 'mqtts://a:1'\nmqtt.ca_file = '/no/such'"), 4, 16, "does not exist"},
      {with("mqtt.ca_file = '/dev/null'"), 3, 16, "has no effect without TLS"},
      {with("mqtt.uri = 'mqtts://a:1'\nmqtt.cert_file = '/dev/null'"), 4, 18, "needs mqtt.key_file"},
      {with("mqtt.uri = 'mqtts://a:1'\nmqtt.key_file = '/dev/null'"), 4, 17, "needs mqtt.cert_file"},
      {with("mqtt.version = 3\nmqtt.password_file = '/dev/null'"), 4, 22, "needs mqtt.username"},
      {with("mqtt.password = 'hunter2'"), 3, 6, "did you mean \"password_file\"?"},
  });
}

TEST_CASE("faults of [http] and [artifacts]") {
  check_rows({
      {kId, 1, 1, "http.public_url is missing"},
      {kId + "[http]\n", 2, 1, "http.public_url is missing"},
      {kId + "[http]\nlisten = '0.0.0.0:80'", 3, 10, "public_url = \"http://192.168.1.10:80\""},
      {kId + "[http]\nlisten = '[::]:80'", 3, 10, "http.public_url is missing"},
      {kId + "[http]\nlisten = '[0::0]:80'\npublic_url = ''", 3, 10, "http.public_url is missing"},
      {kId + "[http]\nlisten = 'localhost:80'", 3, 10, "must be address:port"},
      {kId + "[http]\nlisten = 8480", 3, 10, "must be a string in quotes, not an integer"},
      {kId + "[http]\npublic_url = 'http://a'", 3, 14, "an explicit port"},
      {kId + "[http]\npublic_url = 'https://a:1'", 3, 14, "plain http"},
      {kId + "[http]\npublic_url = 'http://a:1/'", 3, 14, "no slash"},
      {kId + "[http]\npublic_url = 'http://0.0.0.0:1'", 3, 14, "only for listening"},
      {kId + "[http]\npublic_url = 'http://" + std::string(144, 'a') + ":8480'", 3, 14, "at most 155"},
      {with("artifacts.max_bytes = 0"), 3, 23, "must be from 1 to"},
      {with("artifacts.allow_hosts = ['http://a']"), 3, 26, "without scheme"},
      {with("artifacts.ca_file = '/no/such'"), 3, 21, "does not exist"},
      {with("artifacts.incoming = \"a\\n\""), 3, 22, "control characters"},
      {with("artifacts.incoming = 1"), 3, 22, "must be a string in quotes"},
      {with("artifacts.require_signature = 'yes'"), 3, 31, "must be true or false"},
      {with("artifacts.require_signature = true"), 3, 31, "needs a key in artifacts.trusted_keys"},
      {with("artifacts.require_signature = true\nartifacts.trusted_keys = []"), 3, 31, "needs a key"},
      {with("artifacts.trusted_keys = ['" + kKey + "', '" + kKey + "']"), 3, 87, "twice"},
      {with("artifacts.trusted_keys = ['untrusted comment: minisign public key']"), 3, 27, "must be a public key"},
      {with("artifacts.require_signature = true\nartifacts.trusted_keys = ['RW']"), 4, 27, "must be a public key"},
  });
}

TEST_CASE("faults of [ftp]") {
  const std::string dir = "[ftp]\ndir = '/x'\n";
  check_rows({
      {with(dir), 3, 1, "ftp.public_url is missing: write what the modules reach"},
      {with("[ftp]\npublic_url = 'ftp://h'"), 3, 1, "ftp.dir is missing: name the directory"},
      {with("[ftp]\npublic_url = 'ftp://h'\ndir = ''"), 5, 7, "ftp.dir must not be empty"},
      {with("[ftp]\npublic_url = 'ftp://h'\ndir = 1"), 5, 7, "must be a string in quotes"},
      {with(dir + "public_url = ''"), 5, 14, "ftp.public_url must begin with"},
      {with(dir + "public_url = 'http://h'"), 5, 14, "over HTTP modules download from [http]"},
      {with(dir + "public_url = 'ftp://u:p p@h'"), 5, 14, "holds a character"},
      {with(dir + "public_url = 'ftp://h/12345678901234567/'"), 5, 14, "at most 16"},
      {with(dir + "public_url = 'ftp://h'\nuser = 'u'"), 6, 1, "unknown key \"user\" in [ftp]"},
      {with("[[ftp]]\ndir = '/x'"), 3, 1, "must be a section [ftp]"},
  });
}

TEST_CASE("faults of limits, retries and time-outs") {
  check_rows({
      {with("limits.downloads = 0"), 3, 20, "must be from 1 to 100000 modules, not 0"},
      {with("limits.updates = 100001"), 3, 18, "not 100001"},
      {with("limits.updates = -1"), 3, 18, "not -1"},
      {with("limits.updates = 1.5"), 3, 18, "must be an integer, not a fraction"},
      {with("[[limit]]\nupdates = 1"), 3, 1, "limit.tag is missing"},
      {with("[[limit]]\ntag = 't'"), 3, 1, "limit.updates is missing: a [[limit]] limits something"},
      {with("[[limit]]\ntag = 't'\nupdates = 0"), 5, 11, "must be from 1 to 100000"},
      {with("[[limit]]\ntag = ''\nupdates = 1"), 4, 7, "1 to 64 bytes"},
      {with("[[limit]]\ntag = 't'\nupdates = 1\n[[limit]]\ntag = 't'\ndownloads = 1"), 7, 7, "already, at line 4"},
      {with("[limit]\ntag = 't'\nupdates = 1"), 3, 1, "two brackets, [[limit]]"},
      {with("retry.attempts = 0"), 3, 18, "must be from 1 to 10 attempts"},
      {with("retry.backoff_s = 0"), 3, 19, "from 0.001 to 2592000 seconds, not 0"},
      {with("timeouts.listen = 0"), 3, 19, "timeouts.listen must be from 0.001 to 2592000 seconds, not 0"},
      {with("timeouts.start = -1.5"), 3, 18, "not -1.5"},
      {with("timeouts.download = 2592000.1"), 3, 21, "2592000 seconds"},
      {with("timeouts.reboot = nan"), 3, 19, "seconds, not nan"},
      {with("timeouts.progress_gap = inf"), 3, 25, "seconds, not inf"},
      {with("timeouts.update = '5'"), 3, 19, "must be a number (seconds, fractions allowed), not a string"},
      {with("timeouts.absent = true"), 3, 19, "not a boolean"},
      {with("timeouts.update = 1979-05-27"), 3, 19, "not a date or time"},
  });
}

TEST_CASE("faults of [modem] and [[module]]") {
  check_rows({
      {with("modem.profile = 'uc15'"), 3, 17,
       "modem.profile \"uc15\" is no family of modules: write \"auto\", or one of bg96, ec2x"},
      {with("modem.profile = ''"), 3, 17, "is no family of modules"},
      {with("modem.profiles_dir = 1"), 3, 22, "must be a string in quotes, not an integer"},
      {with("modem.baud = 12345"), 3, 14, "must be one of 4800, 9600"},
      {with("modem.poll_s = 0"), 3, 16, "must be from"},
      {with("modem.pdp = 'internet'"), 3, 13, "modem.pdp must be"},
      {with("modem.pdp = { cid = 1 }"), 3, 13, "modem.pdp.apn is missing"},
      {with("modem.pdp = { cid = 17, apn = 'n' }"), 3, 21, "must be from 1 to 16"},
      {with("modem.pdp = { apn = 'a\"b' }"), 3, 21, "without quotes"},
      {with("modem.pdp = { apn = 'n', auth = 3 }"), 3, 33, "1: PAP, 2: CHAP"},
      {with("modem.pdp = { apn = 'n', pasword = 'x' }"), 3, 26, "unknown key \"pasword\" in [modem.pdp]: did you mean"},
      {with("[[module]]\nport = '/dev/a'"), 3, 1, "module.id is missing"},
      {with("[[module]]\nid = 'a'"), 3, 1, "module.port is missing"},
      {with("[[module]]\nid = 'client'\nport = '/dev/a'"), 4, 6, "reserved"},
      {with("[[module]]\nid = 'a b'\nport = '/dev/a'"), 4, 6, "must be 1 to 64"},
      {with("[[module]]\nid = 'a'\nport = 'ttyUSB0'"), 5, 8, "absolute path"},
      {with("[[module]]\nid = 'a'\nport = 'tcp://a'"), 5, 8, "tcp://host:port"},
      {with(kModule + "imei = '490154203237517'"), 6, 8, "check digit"},
      {with(kModule + "imei = '123'"), 6, 8, "15 digits"},
      {with(kModule + "imei = 490154203237518"), 6, 8, "must be a string in quotes, not an integer"},
      {with(kModule + "tags = ['a', '']"), 6, 14, "1 to 64 bytes"},
      {with(kModule + "baud = 9600"), 6, 1, "unknown key \"baud\" in [[module]]"},
      {with(kModule + "[[module]]\nid = 'a'\nport = '/dev/b'"), 7, 6,
       "\"a\" belongs to another module already, at line 4"},
      {with(kModule + "[[module]]\nid = 'b'\nport = '/dev//x/../a'"), 8, 8, "already, at line 5"},
      {with("[[module]]\nid='a'\nport='tcp://h:1'\n[[module]]\nid='b'\nport='tcp://H:1'"), 8, 6, "already, at line 5"},
      {with(kModule + "imei='490154203237518'\n[[module]]\nid='b'\nport='/dev/b'\nimei='490154203237518'"), 10, 6,
       "already, at line 6"},
      {with("[module]\nid = 'a'\nport = '/dev/a'"), 3, 1, "two brackets, [[module]]"},
      {with("module = ['a']"), 3, 10, "two brackets, [[module]]"},
  });
}

TEST_CASE("faults of [home_assistant]") {
  check_rows({
      {with("home_assistant.enabled = 'yes'"), 3, 26, "must be true or false, not a string"},
      {with("home_assistant.prefix = ''"), 3, 25, "must not be empty"},
      {with("home_assistant.prefix = 'a/#'"), 3, 25, "wildcards"},
      {with("home_assistant.prefix = '/ha'"), 3, 25, "must not begin or end with /"},
      {with("home_assistant.prefix = 'dfota/v1'"), 3, 25, "must not be mqtt.topic_root"},
      {with("home_assistant.prefix = 'dfota'"), 3, 25, "or a level above it"},
      {with("mqtt.topic_root = 'x/y'\nhome_assistant.prefix = 'x'"), 4, 25, "or a level above it"},
      {with("home_assistant.topic = 'x'"), 3, 16, "unknown key \"topic\" in [home_assistant]"},
  });
}

TEST_CASE("where modules may be, and what they are called by") {
  check_rows({
      {with("[discovery]\nports = ['ttyUSB*']"), 4, 10, "absolute paths of ports"},
      {with("[discovery]\nports = '/dev/ttyUSB*'"), 4, 9, "array of strings"},
      {with("[discovery]\nusb_ids = ['2c7c']"), 4, 12, "must hold vid:pid"},
      {with("[discovery]\nidentify = 'serial'"), 4, 12, "must be \"imei\" or \"port\""},
      {with("[discovery]\nport = ['/dev/a']"), 4, 1, "did you mean \"ports\"?"},
  });
}

TEST_CASE("where the page is, and who may ask for it") {
  check_rows({
      {with("[admin]\nlisten = 'localhost:8481'"), 4, 10, "admin.listen must be address:port"},
      {with("[admin]\nlisten = '127.0.0.1'"), 4, 10, "admin.listen must be address:port"},
      {with("admin.listen = 8481"), 3, 16, "admin.listen must be a string"},
      {with("admin = 3"), 3, 9, "[admin]"},
      {with("[admin]\ntoken_file = '/nonexistent/token'"), 4, 14, "admin.token_file"},
      {with("[admin]\nhosts = ['http://rack.example.com']"), 4, 10,
       "admin.hosts must hold hosts as they stand in a URL"},
      {with("[admin]\nhosts = ['*.example.com']"), 4, 10, "admin.hosts must hold hosts"},
      {with("[admin]\nhosts = ['fd00::1']"), 4, 10, "as rack.example.com, rack.example.com:8443 or [fd00::1]"},
      {with("[admin]\ntoken = 'x'"), 4, 1, "did you mean \"token_file\"?"},
  });
}

TEST_CASE("what is not built is unsupported, what is not known is unknown") {
  check_rows({
      {with("[jobs]\nqueued = 0"), 4, 10, "jobs.queued"},
      {with("[modem]\nset_urcport = false"), 4, 1, "modem.set_urcport is unsupported"},
      {with("[mqqt]\nuri = 'x'"), 3, 1, "unknown section [mqqt]: did you mean \"mqtt\"?"},
      {with("[[modules]]\nid = 'x'"), 3, 1, "unknown section [[modules]]: did you mean \"module\"?"},
      {with("[zigbee]"), 3, 1, "unknown section [zigbee]: remove it; known here: gateway, mqtt"},
      {"id = 'x'\n" + with(""), 1, 1, "unknown key \"id\" outside of every section"},
      {with("[mqtt]\n  qos = 1"), 4, 3, "unknown key \"qos\" in [mqtt]: remove it; known here: uri, username"},
      {with("[limits]\ndownload = 1"), 4, 1, "did you mean \"downloads\"?"},
      {with("[timeouts.extra]\nx = 1"), 3, 1, "unknown key \"extra\" in [timeouts]"},
  });
}

TEST_CASE("all faults are told at once, in the order of the file") {
  const ConfigFaults faults = faults_of(
      "[[module]]\n"
      "id = 'all'\n"
      "port = 'x'\n"
      "[mqtt]\n"
      "version = 4\n"
      "colour = 'red'\n"
      "[zigbee]\n"
      "[limits]\n"
      "updates = 0\n"
      "[gateway]\n"
      "id = 'a b'\n");
  std::vector<std::pair<unsigned, unsigned>> places;
  for (const ConfigFault& fault : faults) places.emplace_back(fault.line, fault.column);
  const std::vector<std::pair<unsigned, unsigned>> expected = {{1, 1}, {2, 6}, {3, 8},  {5, 11},
                                                               {6, 1}, {7, 1}, {9, 11}, {11, 6}};
  CHECK(places == expected);
  CHECK(faults.at(3).text() == "gw.toml:5:11: mqtt.version must be 5, or 3 for MQTT 3.1.1, not 4");
}

TEST_CASE("a syntax error is told alone") {
  check_rows({
      {"[gateway]\nid = = 'all'\n[admin]\n", 2, 6, "this is not TOML"},
      {with("[mqtt]\nversion = 5\nversion = 4\n"), 5, 11, "cannot redefine"},
      {with("[mqtt\n"), 3, 6, "this is not TOML"},
  });
}

TEST_CASE("no message repeats what may be a password") {
  for (const std::string& line :
       {std::string("mqtt.uri = 'mqtt://u:hunter2@h:1'"), std::string("http.public_url = 'http://u:hunter2@h:1'"),
        std::string("modem.pdp = { apn = 'n', password = 'hunter2\"' }"), std::string("mqtt.password = 'hunter2'"),
        std::string("mqtt.username = \"hunter2\\n\""),
        std::string("ftp = { public_url = 'ftp://u:hunter2$@h', dir = '/x' }"),
        std::string("ftp = { public_url = 'ftp://u:/hunter2@h/', dir = '/x' }"),
        std::string("ftp = { public_url = 'ftp://u:hunter2@h:0/', dir = '/x' }"),
        std::string("ftp = { password = 'hunter2', public_url = 'ftp://h', dir = '/x' }")}) {
    CAPTURE(line);
    const ConfigFaults faults = faults_of(with(line));
    REQUIRE(faults.size() == 1);
    CHECK(faults[0].message.find("hunter2") == std::string::npos);
  }
}
