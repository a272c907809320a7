// The completion and the man pages say what the programs take, all of it and nothing else; --help is the witness.
#include <doctest/doctest.h>

#include <fstream>
#include <iterator>
#include <set>
#include <sstream>

#include "tests/support/rack.hpp"

using namespace dfota::test;

namespace {
using Words = std::set<std::string>;

const std::string kBuilt = DFOTA_BINARY_DIR "/gateway/", kPages = DFOTA_SOURCE_DIR "/gateway/man/";

std::string output_of(const std::vector<std::string>& argv) {
  Process process(argv);
  const auto code = process.wait();
  INFO(process.err());
  REQUIRE(code == 0);
  CHECK(process.err().empty());
  return process.out();
}

std::string read(const std::string& name) {
  std::ifstream file(name);
  REQUIRE(file);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// The options, and the verbs, of a --help.
struct Help {
  Words options, verbs;
};

Help help_of(std::vector<std::string> argv) {
  argv.push_back("--help");
  std::istringstream lines(output_of(argv));
  std::string line;
  Help help;
  bool verbs = false;
  while (std::getline(lines, line)) {
    if (!line.starts_with("  ")) verbs = line == "Subcommands:";
    if (line.size() < 3 || line[2] == ' ' || !line.starts_with("  ")) continue;
    std::istringstream words(line);
    std::string word;
    words >> word;
    if (verbs) help.verbs.insert(word);
    if (word.size() > 3 && word[0] == '-' && word[2] == ',') word = word.substr(3);  // "-h,--help"
    if (word.starts_with("--")) help.options.insert(word);
  }
  return help;
}

Words lines_of(const std::string& text) {
  std::istringstream lines(text);
  std::string line;
  Words words;
  while (std::getline(lines, line)) words.insert(line);
  return words;
}

/// What bash would offer behind this line.
Words offered(const std::string& line) {
  const std::string script = "set -u; source '" + kBuilt +
                             "dfota.bash'; COMP_LINE=$1 COMP_POINT=${#1} COMP_WORDS=() COMP_CWORD=0; _dfota; "
                             "printf '%s\\n' \"${COMPREPLY[@]}\"";
  return lines_of(output_of({"bash", "-c", script, "bash", line}));
}

/// "--opt" for every \-\-opt in bold that begins an entry of a man page.
Words options_in_page(const std::string& page) {
  std::istringstream lines(page);
  std::string line;
  Words found;
  bool entry = false;
  while (std::getline(lines, line)) {
    const auto at = line.find("\\-\\-");
    if (entry && at != std::string::npos) {
      std::string name;
      for (auto c = line.begin() + static_cast<std::ptrdiff_t>(at); c != line.end() && *c != ' '; ++c) {
        if (*c == '\\' && *(c + 1) == 'f') break;
        if (*c != '\\') name += *c;
      }
      found.insert(name);
    }
    entry = line == ".TP";
  }
  return found;
}

std::vector<std::string> words_of(const std::string& text) {
  std::istringstream stream(text);
  return {std::istream_iterator<std::string>(stream), {}};
}

/// Each command of dfota by its words, from --help alone.
std::vector<std::string> commands() {
  std::vector<std::string> found = {""};
  for (std::size_t i = 0; i < found.size(); ++i) {
    std::vector<std::string> argv = {program("dfota")};
    for (const auto& word : words_of(found[i])) argv.push_back(word);
    for (const auto& verb : help_of(argv).verbs) found.push_back(found[i].empty() ? verb : found[i] + " " + verb);
  }
  return found;
}

std::vector<std::string> call_of(const std::string& command) {
  std::vector<std::string> argv = {program("dfota")};
  for (const auto& word : words_of(command)) argv.push_back(word);
  return argv;
}
}  // namespace

TEST_CASE("bash completes every verb and every option, and no other") {
  const Help all = help_of({program("dfota")});
  CHECK(all.verbs.size() >= 12);
  CHECK(all.verbs.contains("explain"));
  for (const auto& command : commands()) {
    CAPTURE(command);
    Help help = help_of(call_of(command));
    help.options.insert(all.options.begin(), all.options.end());  // they may stand behind the verb, too
    const std::string line = command.empty() ? "dfota " : "dfota " + command + " ";
    CHECK(offered(line + "--") == help.options);
    if (!help.verbs.empty()) CHECK(offered(line) == help.verbs);
  }
}

TEST_CASE("bash completes values, behind options with values of any kind") {
  CHECK(offered("dfota update --delivery u") == Words{"upload", "url"});
  CHECK(offered("dfota --broker mqtt://h:1883 --timeout 2 upd") == Words{"update"});
  CHECK(offered("dfota --json artifact a") == Words{"add"});
  CHECK(offered("dfota update --version V --abs") == Words{"--absent"});
  CHECK(offered("dfota --mqtt-version ") == Words{"3", "5"});
  const TempDir dir;
  std::ofstream(dir / "delta.bin") << "x";
  CHECK(offered("dfota artifact add " + (dir / "del")) == Words{dir / "delta.bin"});
}

TEST_CASE("bash completes ids by what dfota lists with the connection of the line") {
  const TempDir dir;
  const std::string fake = dir / "dfota";
  std::ofstream(fake) << "#!/bin/sh\necho \"$*\" >>" << dir / "asked"
                      << "\nprintf 'id  x\\nuc20-r3  1\\nuc20-r4  2\\n'\n";
  std::filesystem::permissions(fake, std::filesystem::perms::owner_all);
  const std::string script = "PATH=" + dir.path().string() + ":$PATH; source '" + kBuilt +
                             "dfota.bash'; COMP_LINE=$1 COMP_POINT=${#1}; _dfota; printf '%s\\n' \"${COMPREPLY[@]}\"";
  const std::string line = "dfota --gateway rack-1 --json watch --broker mqtt://h:1 uc20-r";
  CHECK(lines_of(output_of({"bash", "-c", script, "bash", line})) == Words{"uc20-r3", "uc20-r4"});
  CHECK(read(dir / "asked") == "--gateway rack-1 --broker mqtt://h:1 --timeout 1 jobs\n");
}

TEST_CASE("the man pages name every verb and option, and no other") {
  const std::string page = read(kBuilt + "dfota.1");
  Words options;
  for (const auto& command : commands()) {
    CAPTURE(command);
    const auto help = help_of(call_of(command));
    options.insert(help.options.begin(), help.options.end());
    std::string head = ".SS \"dfota " + command + "\"\n";
    for (auto at = head.find('-'); at != std::string::npos; at = head.find('-', at + 2)) head.insert(at, "\\");
    if (!command.empty()) CHECK(page.find(head) != std::string::npos);
  }
  CHECK(options_in_page(page) == options);
  CHECK(options_in_page(read(kPages + "dfota-gateway.8")) == help_of({program("dfota-gateway")}).options);
  CHECK(options_in_page(read(kPages + "dfota-rack.1")) == help_of({program("dfota-rack")}).options);
}

TEST_CASE("groff has no complaint about the man pages") {
  for (const auto& page : {kBuilt + "dfota.1", kPages + "dfota-gateway.8", kPages + "dfota-rack.1"}) {
    CAPTURE(page);
    const auto shown = output_of({"groff", "-man", "-ww", "-Tutf8", page});
    CHECK(shown.size() > 1000);
    CHECK(shown.find('@') == std::string::npos);
  }
}
