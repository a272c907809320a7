#include "gateway/ctl/explain.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <span>
#include <sstream>

#include "gateway/api_codes.hpp"
#include "modem/finding.hpp"
#include "modem/fota_codes.hpp"

using namespace dfota;
using namespace dfota::ctl;

namespace {
std::string read(const std::string& name) {
  std::ifstream file(DFOTA_SOURCE_DIR "/" + name);
  REQUIRE(file);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// Backquotes are the document's own.
std::string plain(std::string text) {
  std::erase(text, '`');
  const auto first = text.find_first_not_of(' ');
  return first == std::string::npos ? "" : text.substr(first, text.find_last_not_of(' ') - first + 1);
}

/// The cells of each row of the table of gateway/README.md that has this head; without the head.
std::vector<std::vector<std::string>> table_with(const std::string& head) {
  std::istringstream lines(read("gateway/README.md"));
  std::string line;
  while (std::getline(lines, line) && line != head) {
  }
  REQUIRE(line == head);
  std::getline(lines, line);  // |---|
  std::vector<std::vector<std::string>> rows;
  while (std::getline(lines, line) && line.starts_with("|")) {
    std::istringstream cells(line.substr(1));
    std::string cell;
    rows.emplace_back();
    while (std::getline(cells, cell, '|')) rows.back().push_back(plain(cell));
  }
  return rows;
}

void check_table(const std::string& head, std::span<const ApiCode> codes) {
  const auto rows = table_with(head);
  std::vector<std::vector<std::string>> wanted;
  for (const auto& code : codes) {
    wanted.push_back(
        {std::string(code.word), std::string(code.meaning), plain(std::string(code.hint)), code.again ? "yes" : ""});
  }
  for (std::size_t i = 0; i < std::max(rows.size(), wanted.size()); ++i) {
    REQUIRE(i < rows.size());
    REQUIRE(i < wanted.size());
    CHECK(rows[i] == wanted[i]);
  }
}

const Explanation& only(const std::vector<Explanation>& found) {
  REQUIRE(found.size() == 1);
  return found.front();
}

std::set<std::string> words_of(std::span<const ApiCode> codes) {
  std::set<std::string> words;
  for (const auto& code : codes) words.insert(std::string(code.word));
  return words;
}
}  // namespace

TEST_CASE("a number, with the guide's wording") {
  const auto found = explanations_of("716");
  const auto& one = only(found);
  CHECK(one.source == "http");
  CHECK(one.error_class == "7xx");
  CHECK(one.meaning == "HTTP socket connect error");
  CHECK(one.retryable);
  const auto lines = lines_of(one);
  CHECK(lines[0] == "716 http_socket_connect_error (HTTPEND, class 7xx)");
  CHECK(lines[1] == "  meaning:  HTTP socket connect error");
  CHECK(lines[2] == "  retried:  yes, while attempts are left");
  const auto document = document_of(one);
  CHECK(document["code"] == 716);
  CHECK(document["class"] == "7xx");
  CHECK(document["retryable"] == true);
}

TEST_CASE("every number of the guide is explained, and every number up to 999 is answered in some way") {
  for (int number = 0; number <= 999; ++number) {
    CAPTURE(number);
    const auto code = std::to_string(number);
    const bool guide = (number >= 601 && number <= 630) || (number >= 701 && number <= 730);
    if (guide) CHECK_FALSE(explanations_of(code).empty());
    if (explanations_of(code).empty())
      CHECK(not_explained(code).find("class " + code_class(number)) != std::string::npos);
  }
}

TEST_CASE("a number that two URCs bring is told for both; one of END with the families whose guide says so") {
  const auto both = explanations_of("608");
  REQUIRE(both.size() == 2);
  CHECK(both[0].source == "ftp");
  CHECK(both[1].source == "http");  // a report from the field
  const auto end = explanations_of("525");
  REQUIRE_FALSE(end.empty());
  bool ep06 = false;
  for (const auto& one : end) {
    CHECK(one.source == "update");
    CHECK(one.first <= 525);
    CHECK(one.last >= 525);
    for (const auto& family : one.families) ep06 = ep06 || family.starts_with("ep06 (");
  }
  CHECK(ep06);
}

TEST_CASE("words: of findings, refusals, faults, and names of numbers") {
  CHECK(only(explanations_of("port_lost")).source == "gateway");
  CHECK(only(explanations_of("Port-Lost")).error_class == "gateway");
  CHECK(only(explanations_of("queue_full")).source == "refusal");
  CHECK(only(explanations_of("clock_untrusted")).source == "fault");
  CHECK(explanations_of("dns_parse_fail").front().code == "604");
  const auto expired = explanations_of("expired");
  REQUIRE(expired.size() == 2);
  CHECK(expired[0].source == "gateway");
  CHECK(expired[1].source == "refusal");
}

TEST_CASE("what nobody knows: the nearest words") {
  CHECK(explanations_of("port_lots").empty());
  CHECK(not_explained("port_lots").find("did you mean port_lost") != std::string::npos);
  CHECK(not_explained("signature").find("signature_invalid, signature_unverifiable") != std::string::npos);
  CHECK(not_explained("xyzzy").find("lists all") != std::string::npos);
}

TEST_CASE("all have a meaning and a hint, and no word stands twice in one table") {
  std::set<std::string> seen;
  for (const auto& one : explanations()) {
    CAPTURE(one.code);
    CHECK_FALSE(one.meaning.empty());
    CHECK_FALSE(one.hint.empty());
    if (!one.is_number()) CHECK(seen.insert(one.source + " " + one.code).second);
  }
}

TEST_CASE("the tables of gateway/README.md are those of the program") {
  check_table("| code of a refusal | meaning | what to do | later |", refusal_codes());
  check_table("| fault of the gateway | meaning | what to do | passes by itself |", fault_codes());
  const auto rows = table_with("| code | meaning | look at | again |");
  const auto texts = finding_texts();
  std::map<std::string, std::vector<std::string>> by_word;
  for (const auto& row : rows) by_word[row.at(0)] = row;
  CHECK(rows.size() == texts.size());
  for (const auto& text : texts) {
    CAPTURE(text.word);
    const auto row = by_word.find(std::string(text.word));
    REQUIRE(row != by_word.end());
    CHECK(row->second.at(1) == plain(std::string(text.meaning)));
    CHECK(row->second.at(2) == plain(std::string(text.hint)));
    CHECK(row->second.at(3).empty() == !text.retryable);
  }
}

TEST_CASE("every code that a command is refused with is in a table") {
  auto known = words_of(refusal_codes());
  for (const auto& text : finding_texts()) known.insert(std::string(text.word));
  std::set<std::string> used;
  const std::string before = "CommandFault{\"";
  for (const auto& entry : std::filesystem::directory_iterator(DFOTA_SOURCE_DIR "/gateway")) {
    if (entry.path().extension() != ".cpp") continue;
    const auto source = read("gateway/" + entry.path().filename().string());
    for (auto at = source.find(before); at != std::string::npos; at = source.find(before, at + 1)) {
      const auto begin = at + before.size();
      used.insert(source.substr(begin, source.find('"', begin) - begin));
    }
  }
  CHECK(used.size() >= 10);
  for (const auto& word : used) {
    CAPTURE(word);
    CHECK(known.contains(word));
  }
}
