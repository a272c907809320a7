#include "config/checks.hpp"

#include <doctest/doctest.h>

#include <filesystem>

using namespace dfota;

namespace {
void takes(Complaint (*check)(const std::string&), std::initializer_list<std::string> values) {
  for (const std::string& value : values) {
    CAPTURE(value);
    CHECK_MESSAGE(!check(value), check(value).value_or(""));
  }
}
void refuses(Complaint (*check)(const std::string&), std::initializer_list<std::string> values) {
  for (const std::string& value : values) {
    CAPTURE(value);
    CHECK(check(value));
  }
}
std::string of(std::size_t length) {
  return std::string(length, 'a');
}
}  // namespace

TEST_CASE("topic segments") {
  takes(check_segment, {"a", "rack-1", "A_9", "ALL", "clients", of(64)});
  refuses(check_segment, {"", "all", "client", "a/b", "a+", "a b", "a.b", "\xc3\xa9", of(65)});
}

TEST_CASE("topic roots") {
  takes(check_topic_root, {"dfota/v1", "a", "a b/\xc3\xa9/$x", of(256)});
  refuses(check_topic_root,
          {"", "/a", "a/", "/", "a//b", "a/+/b", "a#", "a\nb", "a\x7f", "a\xc2\x85", "$SYS/x", of(257)});
}

TEST_CASE("topic filters") {
  takes(check_topic_filter, {"a", "a/b", "+", "#", "a/+/b", "a/#", "/a/", "+/+"});
  refuses(check_topic_filter, {"", "a+", "a/#/b", "a#", "+a/b", "##", "#/", "a/b\t", of(1025)});
}

TEST_CASE("broker addresses") {
  takes(check_mqtt_uri,
        {"mqtt://127.0.0.1:1883", "mqtts://broker.example.com:8883", "mqtt://[::1]:1883", "mqtt://b_1:1"});
  refuses(check_mqtt_uri,
          {"", "127.0.0.1:1883", "tcp://127.0.0.1:1883", "mqtt://", "mqtt://127.0.0.1", "mqtt://127.0.0.1:0",
           "mqtt://127.0.0.1:65536", "mqtt://127.0.0.1:1883/", "mqtt://a b:1883", "mqtt://::1:1883", "MQTT://a:1",
           "mqtt://a:+1", "mqtt://a:1x", "mqtt://a:", "mqtt://1.2.3:1883", "mqtt://1.2.3.400:1883", "mqtt://[a]:1",
           "mqtt://[1.2.3.4]:1", "ws://a:1"});
  const std::string secret = check_mqtt_uri("mqtt://me:hunter2@a:1883").value();
  CHECK(secret.find("password_file") != std::string::npos);
  CHECK(secret.find("hunter2") == std::string::npos);
}

TEST_CASE("listening addresses") {
  takes(check_listen, {"0.0.0.0:8480", "[::]:8480", "127.0.0.1:1", "[fe80::1]:65535"});
  refuses(check_listen,
          {"", "8480", ":8480", "localhost:8480", "0.0.0.0", "0.0.0.0:0", "::1:8480", "0.0.0.0:84800", "*:80"});
  CHECK(is_wildcard("0.0.0.0"));
  CHECK(is_wildcard("::"));
  CHECK(is_wildcard("0:0::0"));
  CHECK_FALSE(is_wildcard("::1"));
  CHECK_FALSE(is_wildcard("0.0.0.1"));
  CHECK_FALSE(is_wildcard("example.com"));
}

TEST_CASE("a NUL does not hide what follows it") {
  const std::string hidden("127.0.0.1\0x:80", 14);
  CHECK(check_listen(hidden));
  CHECK(check_mqtt_uri("mqtt://" + hidden));
  CHECK(check_public_url("http://" + hidden));
  CHECK(check_module_port("tcp://" + hidden));
  CHECK(check_host(hidden.substr(0, 11)));
}

TEST_CASE("public addresses, up to the length that AT+QFOTADL allows") {
  takes(check_public_url, {"http://192.168.1.10:8480", "HTTP://Gateway.example:80", "http://[2001:db8::1]:8480"});
  refuses(check_public_url,
          {"", "192.168.1.10:8480", "https://192.168.1.10:8480", "http://192.168.1.10", "http://192.168.1.10:8480/",
           "http://192.168.1.10:8480/x", "http://192.168.1.10:8480?x", "http://192.168.1.10:8480\"", "http://a b:1",
           "http://u:p@a:1", "http://0.0.0.0:8480", "http://[::]:8480", "ftp://a:1", "http://a:1 ", "http://a,b:1",
           "http://\xc3\xa9:1", "http:/a:1"});
  REQUIRE(kMaxPublicUrlBytes == 155);
  const std::string fits = "http://" + of(155 - 7 - 5) + ":8480";
  REQUIRE((fits + "/a/" + of(32) + "/" + of(64)).size() == 255);
  CHECK_FALSE(check_public_url(fits));
  CHECK(check_public_url("http://a" + fits.substr(7)));
}

TEST_CASE("module ports") {
  takes(check_module_port, {"/dev/ttyUSB0", "/tmp/rack/m0", "/dev/serial/by-path/pci-0000:00:14.0-usb-0:2:1.2-port0",
                            "tcp://10.0.0.7:3001", "tcp://serial-server:3001", "tcp://[::1]:3001"});
  refuses(check_module_port, {"", "/", "ttyUSB0", "./m0", "/dev/", "tcp://", "tcp://a", "tcp://a:0", "tcp://a:1/",
                              "udp://a:1", "TCP://a:1", "/dev/tty\n", "/" + of(1024)});
}

TEST_CASE("IMEIs need their check digit") {
  takes(check_imei, {"490154203237518", "861075023456783", "000000000000000"});
  refuses(check_imei,
          {"", "490154203237517", "49015420323751", "4901542032375180", "49015420323751x", "490154203237581"});
}

TEST_CASE("public keys of minisign") {
  const std::string key = "RWTOe372CcGLoNVxLPCQaJ1rDDNWGf6/Vhk+nPKudtUGKFyLkGcjnQJ9";
  takes(check_minisign_key, {key, "RWQ" + of(53)});
  refuses(check_minisign_key, {"", "RW", key + "=", key + "\n", " " + key, "RWU" + of(53), "RX" + key.substr(2),
                               key.substr(0, 55), key.substr(0, 55) + "=", key.substr(0, 55) + "-"});
}

TEST_CASE("hosts, tags, text for AT commands") {
  takes(check_host, {"localhost", "10.0.0.1", "::1", "a-b.example"});
  takes(check_url_host, {"localhost", "10.0.0.1", "10.0.0.1:80", "[::1]", "[::1]:80", "a-b.example:65535"});
  refuses(check_url_host, {"", "http://a", "::1", "a:0", "a:65536", "a:80:80", "a b", "a/", "*.a", "[a]", "[::1"});
  refuses(check_host, {"", "http://a", "a:80", "[::1]", "a b", "-a", "a..b", "1.2.3"});
  takes(check_tag, {"lab", "hub 1", "\xc3\xa9", of(64)});
  refuses(check_tag, {"", "a\nb", of(65)});
  takes(check_quotable, {"", "internet", "a b,c", of(127)});
  refuses(check_quotable, {"a\"b", "a\rb", "\xc3\xa9", "\x7f", of(128)});
  takes(check_plain, {"", "user"});
  refuses(check_plain, {"a\nb", of(1025)});
  takes(check_path, {"/var/lib/x", "x"});
  refuses(check_path, {"", "a\nb", of(1025)});
}

TEST_CASE("files must be there, be files and be readable") {
  const std::string directory = std::filesystem::temp_directory_path().string();
  CHECK_FALSE(check_file(DFOTA_SOURCE_DIR "/CMakeLists.txt"));
  CHECK(check_file(DFOTA_SOURCE_DIR "/no-such-file").value().find("does not exist") != std::string::npos);
  CHECK(check_file(directory).value().find("is a directory") != std::string::npos);
}

TEST_CASE("values are shown without control characters and cut at a whole character") {
  CHECK(in_quotes("a\x1b[31m\n\xc2\x9b") == "\"a?[31m??\"");
  CHECK(printable(of(100)) == of(100));
  CHECK(printable(of(101)) == of(100) + "...");
  CHECK(printable(of(99) + "\xc3\xa9z") == of(99) + "...");
}
