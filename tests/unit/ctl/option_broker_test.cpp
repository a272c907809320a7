#include "gateway/ctl/option_broker.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>

#include "tests/support/temp_dir.hpp"

using namespace dfota::ctl;
using dfota::test::TempDir;

namespace {
/// A home of its own with these lines in dfota.toml, for the time of a test.
struct Home {
  explicit Home(const std::string& text) {
    for (const auto* name : {"ca.crt", "me.crt", "me.key", "other.crt", "other.key"}) std::ofstream(dir / name) << "x";
    std::ofstream(dir / "password") << "from the file\r\nnot this\n";
    std::ofstream(file()) << text;
    ::setenv("XDG_CONFIG_HOME", dir.path().c_str(), 1);
  }
  ~Home() { ::setenv("XDG_CONFIG_HOME", "/nonexistent", 1); }
  [[nodiscard]] std::string file() const { return dir / "dfota.toml"; }
  TempDir dir;
};

std::variant<Options, int> parse(std::vector<std::string> words) {
  std::vector<const char*> argv = {"dfota"};
  for (const auto& word : words) argv.push_back(word.c_str());
  return parse_options(static_cast<int>(argv.size()), argv.data());
}

Options options_of(const std::vector<std::string>& words) {
  const auto parsed = parse(words);
  REQUIRE(std::holds_alternative<Options>(parsed));
  return std::get<Options>(parsed);
}

int code_of(const std::vector<std::string>& words) {
  const auto parsed = parse(words);
  const int* code = std::get_if<int>(&parsed);
  return code != nullptr ? *code : -1;
}

const char* const kAll = R"(broker = "mqtts://file.lan"
gateway = "of-file"
topic_root = "of/file"
username = "me"
password_file = "password"
ca_file = "ca.crt"
cert_file = "me.crt"
key_file = "me.key"
mqtt_version = 3
)";
}  // namespace

TEST_CASE("what the file says, where nothing else does") {
  const Home home(kAll);
  const auto options = options_of({"jobs"});
  CHECK(options.broker == "mqtts://file.lan");
  CHECK(options.base() == "of/file/of-file");
  CHECK(options.username == "me");
  CHECK(options.password == "from the file");
  CHECK(options.ca_file == home.dir / "ca.crt");
  CHECK(options.cert_file == home.dir / "me.crt");
  CHECK(options.key_file == home.dir / "me.key");
  CHECK(options.mqtt_version == 3);
}

TEST_CASE("options come before the environment, the environment before the file") {
  const Home home(kAll);
  ::setenv("DFOTA_BROKER", "mqtts://env.lan", 1);
  ::setenv("DFOTA_GATEWAY", "of-env", 1);
  const auto env = options_of({"jobs"});
  CHECK(env.broker == "mqtts://env.lan");
  CHECK(env.base() == "of/file/of-env");
  const auto line = options_of({"--broker", "mqtts://line.lan", "--gateway", "of-line", "--root", "of/line",
                                "--username", "you", "--mqtt-version", "5", "jobs"});
  CHECK(line.broker == "mqtts://line.lan");
  CHECK(line.base() == "of/line/of-line");
  CHECK(line.username == "you");
  CHECK(line.mqtt_version == 5);
  ::unsetenv("DFOTA_BROKER");
  ::unsetenv("DFOTA_GATEWAY");
  const auto own = options_of({"--cert-file", home.dir / "other.crt", "--key-file", home.dir / "other.key", "jobs"});
  CHECK(own.cert_file == home.dir / "other.crt");
  CHECK(own.key_file == home.dir / "other.key");
  CHECK(code_of({"--cert-file", home.dir / "other.crt", "jobs"}) == kExitUsage);  // not with the file's key
}

TEST_CASE("another file by --config; a missing one is an error only when it is named") {
  const Home home("gateway = \"usual\"\n");
  std::ofstream(home.dir / "other.toml") << "gateway = \"other\"\n";
  CHECK(options_of({"jobs"}).gateway == "usual");
  CHECK(options_of({"--config", home.dir / "other.toml", "jobs"}).gateway == "other");
  CHECK(code_of({"--config", home.dir / "none.toml", "--gateway", "g", "jobs"}) == kExitUsage);
  std::filesystem::remove(home.file());
  CHECK(options_of({"--gateway", "g", "jobs"}).broker == "mqtt://127.0.0.1:1883");
}

TEST_CASE("a wrong file is exit code 2, but help and explain do not look at it") {
  const Home home("gatway = \"x\"\n");
  CHECK(code_of({"--gateway", "g", "jobs"}) == kExitUsage);
  CHECK(code_of({"--help"}) == kExitWell);
  CHECK(std::get<ExplainCall>(options_of({"explain", "716"}).call).code == "716");
  CHECK_FALSE(std::get<ExplainCall>(options_of({"explain"}).call).code);
}

TEST_CASE("what is missing or does not fit together") {
  const Home home("");
  CHECK(code_of({"jobs"}) == kExitUsage);
  const std::vector<std::vector<std::string>> wrong = {
      {"--cert-file", home.dir / "me.crt", "--broker", "mqtts://h"},
      {"--key-file", home.dir / "me.key", "--broker", "mqtts://h"},
      {"--ca-file", home.dir / "ca.crt", "--broker", "mqtt://h"},
      {"--ca-file", home.dir / "none.crt", "--broker", "mqtts://h"},
      {"--password-file", home.dir / "none"},
      {"--password-file", home.dir / "password", "--mqtt-version", "3"},
      {"--mqtt-version", "4"},
      {"--password", "secret"},
  };
  for (auto words : wrong) {
    CAPTURE(words.front());
    words.insert(words.end(), {"--gateway", "g", "jobs"});
    CHECK(code_of(words) == kExitUsage);
  }
}
