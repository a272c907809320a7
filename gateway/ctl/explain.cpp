#include "gateway/ctl/explain.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>

#include "config/closest.hpp"
#include "config/profile.hpp"
#include "gateway/api_codes.hpp"
#include "gateway/ctl/options.hpp"
#include "gateway/ctl/output.hpp"
#include "gateway/ctl/tables.hpp"
#include "modem/finding.hpp"
#include "modem/fota_code_tables.hpp"
#include "modem/fota_codes.hpp"

namespace dfota::ctl {
namespace {
Explanation number_of(CodeSource source, const FotaCode& code) {
  Explanation one;
  one.code = std::to_string(code.number);
  one.first = one.last = code.number;
  one.error_class = code_class(code.number);
  one.source = to_word(source);
  one.name = code.name;
  one.meaning = code.meaning;
  one.hint = code.hint;
  one.retryable = code.retryable;
  return one;
}

Explanation end_of(const EndCode& code) {
  Explanation one;
  one.code = std::to_string(code.first);
  if (code.last != code.first) one.code += "-" + std::to_string(code.last);
  one.first = code.first;
  one.last = code.last;
  one.error_class = code_class(code.first);
  one.source = to_word(CodeSource::update);
  one.name = code.name;
  one.meaning = code.meaning;
  one.hint = code.hint;
  return one;
}

/// "lte-standard-a (EC200A, EC200S, ...)"
std::string family_text(const Profile& profile) {
  std::string models;
  for (const auto& model : profile.models) models += (models.empty() ? "" : ", ") + model;
  return profile.name + " (" + models + ")";
}

/// Families that say the same of the same numbers stand together.
void add_ends(std::vector<Explanation>& all) {
  const auto begin = static_cast<std::ptrdiff_t>(all.size());
  for (const auto& profile : builtin_profiles().all()) {
    for (const auto& code : profile.end_codes) {
      const Explanation one = end_of(code);
      auto same = std::find_if(all.begin() + begin, all.end(), [&](const Explanation& other) {
        return other.code == one.code && other.name == one.name && other.meaning == one.meaning &&
               other.hint == one.hint;
      });
      if (same == all.end()) same = all.insert(all.end(), one);
      same->families.push_back(family_text(profile));
    }
  }
  std::stable_sort(all.begin() + begin, all.end(),
                   [](const Explanation& a, const Explanation& b) { return a.first < b.first; });
}

template <class Row>
Explanation word_of(const char* source, const Row& row, bool retryable) {
  Explanation one;
  one.code = one.name = row.word;
  one.source = source;
  one.meaning = row.meaning;
  one.hint = row.hint;
  one.retryable = retryable;
  return one;
}

std::string lowered(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](unsigned char c) { return c == '-' ? '_' : static_cast<char>(std::tolower(c)); });
  return text;
}

std::optional<int> number_in(const std::string& text) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  return whole ? std::optional(number) : std::nullopt;
}

/// What brings it, as people see it.
std::string origin_of(const Explanation& one) {
  if (one.source == "http") return "HTTPEND";
  if (one.source == "ftp") return "FTPEND";
  if (one.source == "file") return "FILEEND";
  if (one.source == "update") return "END";
  if (one.source == "command") return "+CME ERROR";
  if (one.source == "gateway") return "found by the gateway";
  return one.source == "refusal" ? "refusal of a command" : "fault of the gateway itself";
}

std::string again_text(const Explanation& one) {
  if (one.source == "refusal") return one.retryable ? "the same command may be taken later" : "no: there is no job";
  if (one.source == "fault") return one.retryable ? "the gateway goes on when it is over" : "no";
  return one.retryable ? "yes, while attempts are left" : "no";
}
}  // namespace

std::vector<Explanation> explanations() {
  std::vector<Explanation> all;
  const std::pair<CodeSource, std::span<const FotaCode>> tables[] = {{CodeSource::ftp, ftp_codes()},
                                                                     {CodeSource::http, http_codes()},
                                                                     {CodeSource::file, file_codes()},
                                                                     {CodeSource::command, command_codes()}};
  all.push_back(number_of(CodeSource::http, dfota::explain(CodeSource::http, 0)));
  for (const auto& [source, table] : tables) {
    for (const FotaCode& code : table) all.push_back(number_of(source, code));
  }
  for (const auto& report : field_reports()) {
    all.push_back(number_of(report.source, dfota::explain(report.source, report.number)));
  }
  add_ends(all);
  for (const FindingText& row : finding_texts()) {
    all.push_back(word_of("gateway", row, row.retryable));
    all.back().error_class = "gateway";
  }
  for (const ApiCode& row : refusal_codes()) all.push_back(word_of("refusal", row, row.again));
  for (const ApiCode& row : fault_codes()) all.push_back(word_of("fault", row, row.again));
  return all;
}

std::vector<Explanation> explanations_of(const std::string& code) {
  std::vector<Explanation> found = explanations();
  const auto number = number_in(code);
  const std::string word = lowered(code);
  std::erase_if(found, [&](const Explanation& one) {
    return number ? !one.is_number() || *number < one.first || *number > one.last : one.name != word;
  });
  return found;
}

std::string not_explained(const std::string& code) {
  if (const auto number = number_in(code)) {
    return "no table has " + code + " (class " + code_class(*number) +
           "): ask the module's vendor for it. Of END each family has its own numbers; dfota explain lists all";
  }
  const std::string word = lowered(code);
  std::vector<std::string> known, alike;
  for (const auto& one : explanations()) {
    known.push_back(one.name);
    const bool in_it = word.size() >= 3 && one.name.find(word) != std::string::npos;
    if (in_it && std::ranges::find(alike, one.name) == alike.end()) alike.push_back(one.name);
  }
  const auto meant = closest(word, known);
  if (meant && std::ranges::find(alike, *meant) == alike.end()) alike.insert(alike.begin(), *meant);
  std::string list;
  for (const auto& one : alike) list += (list.empty() ? "" : ", ") + one;
  return "nobody says \"" + code + "\"" +
         (list.empty() ? ": dfota explain lists all that there are" : "; did you mean " + list + "?");
}

std::vector<std::string> lines_of(const Explanation& one) {
  const std::string head = one.is_number() ? one.code + " " + one.name : one.code;
  const std::string of_class = one.error_class.empty() ? "" : ", class " + one.error_class;
  std::vector<std::string> lines = {head + " (" + origin_of(one) + of_class + ")", "  meaning:  " + one.meaning};
  for (const auto& family : one.families) lines.push_back("  said by:  " + family);
  lines.push_back("  retried:  " + again_text(one));
  lines.push_back("  look at:  " + one.hint);
  return lines;
}

Json document_of(const Explanation& one) {
  Json document = {{"source", one.source},       {"name", one.name}, {"meaning", one.meaning},
                   {"retryable", one.retryable}, {"hint", one.hint}, {"class", nullptr}};
  document["code"] = one.is_number() ? Json(one.first) : Json(one.code);
  if (one.first < one.last) document["to"] = one.last;
  if (!one.error_class.empty()) document["class"] = one.error_class;
  if (!one.families.empty()) document["families"] = one.families;
  return document;
}

int explain(const std::optional<std::string>& code, bool json) {
  Output output(json);
  const auto found = code ? explanations_of(*code) : explanations();
  if (found.empty()) {
    output.complain(not_explained(*code));
    return kExitNotWell;
  }
  for (const auto& one : found) output.json_line(dumped(document_of(one)));
  if (code) {
    for (const auto& one : found) output.show({lines_of(one), {}});
    return kExitWell;
  }
  std::vector<std::vector<std::string>> rows = {{"code", "from", "name", "meaning"}};
  for (const auto& one : found) rows.push_back({one.code, one.source, one.is_number() ? one.name : "", one.meaning});
  output.show({table_of(rows), {}});
  return kExitWell;
}

}  // namespace dfota::ctl
