#include "gateway/ctl/option_artifact.hpp"

#include <doctest/doctest.h>

#include <fstream>

#include "tests/support/temp_dir.hpp"

using namespace dfota::ctl;

namespace {

std::variant<Options, int> parse(std::vector<std::string> words) {
  words.insert(words.begin(), {"dfota", "--gateway", "g", "artifact"});
  std::vector<const char*> arguments;
  for (const auto& word : words) arguments.push_back(word.c_str());
  return parse_options(static_cast<int>(arguments.size()), arguments.data());
}

Options options_of(const std::vector<std::string>& words) {
  auto parsed = parse(words);
  REQUIRE(std::holds_alternative<Options>(parsed));
  return std::get<Options>(std::move(parsed));
}

bool is_usage(const std::vector<std::string>& words) {
  const auto parsed = parse(words);
  return std::holds_alternative<int>(parsed) && std::get<int>(parsed) == kExitUsage;
}

std::vector<std::string> add_with(std::vector<std::string> more) {
  std::vector<std::string> all = {"add", "--model", "UC20", "--from", "R11", "--to", "R12"};
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

const std::vector<std::string> kUrl = {"--url", "https://h/dir/delta.bin?key=1", "--sha256", "ab", "--size", "5"};

}  // namespace

TEST_CASE("artifact list and remove") {
  CHECK(std::holds_alternative<ArtifactListCall>(options_of({"list"}).call));
  CHECK(std::get<ArtifactRemoveCall>(options_of({"remove", "delta.bin"}).call).name == "delta.bin");
  CHECK(options_of({"list", "--json"}).json);
  CHECK(is_usage({}));
  CHECK(is_usage({"remove"}));
  CHECK(is_usage({"remove", "../delta.bin"}));
  CHECK(is_usage({"list", "x"}));
}

TEST_CASE("artifact add of a file: it is called as the file unless it is named") {
  const dfota::test::TempDir dir;
  const auto file = dir / "delta.bin", odd = dir / "my delta";
  for (const auto& one : {file, odd}) std::ofstream(one) << "bytes";
  const auto call =
      std::get<ArtifactAddCall>(options_of(add_with({file, "--released", "2024-05-01", "--from-released", "2024-01-01",
                                                     "--notes", "n", "--signature", odd, "--incoming", "/srv/in"}))
                                    .call);
  CHECK(call.file == file);
  CHECK(call.name == "delta.bin");
  CHECK(call.model == "UC20");
  CHECK(call.from == "R11");
  CHECK(call.to == "R12");
  CHECK(call.released == "2024-05-01");
  CHECK(call.from_released == "2024-01-01");
  CHECK(call.notes == "n");
  CHECK(call.signature_file == odd);
  CHECK(call.incoming == "/srv/in");
  CHECK(std::get<ArtifactAddCall>(options_of(add_with({odd, "--name", "d.bin"})).call).name == "d.bin");
  CHECK(is_usage(add_with({odd})));
  CHECK(is_usage(add_with({dir / "none"})));
  CHECK(is_usage(add_with({file, "--name", "a/b"})));
  CHECK(is_usage(add_with({file, "--name", "a.json"})));
  CHECK(is_usage(add_with({file, "--sha256", "ab"})));
  CHECK(is_usage(add_with({file, "--url", "http://h/f"})));
  CHECK(is_usage({"add", file, "--model", "UC20", "--from", "R11"}));
}

TEST_CASE("artifact add by URL") {
  const auto call = std::get<ArtifactAddCall>(options_of(add_with(kUrl)).call);
  CHECK(call.url == kUrl[1]);
  CHECK(call.name == "delta.bin");
  CHECK(call.size == 5);
  CHECK(is_usage(add_with({})));
  CHECK(is_usage(add_with({kUrl[0], kUrl[1], kUrl[2], kUrl[3]})));
  CHECK(is_usage(add_with({kUrl[0], kUrl[1], kUrl[4], kUrl[5]})));
  CHECK(is_usage(add_with({"--url", "https://h/", "--sha256", "ab", "--size", "5"})));
}

TEST_CASE("the answer to artifact add is waited for an hour, or for as long as --timeout says") {
  CHECK(options_of(add_with(kUrl)).patience == std::chrono::hours(1));
  auto words = kUrl;
  words.insert(words.end(), {"--timeout", "3"});
  CHECK(options_of(add_with(words)).patience == std::chrono::seconds(3));
}
