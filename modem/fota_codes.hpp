// Every code understood, in one place: number, source, the guide's wording, a word, whether trying again can help, what
// to look at. Guide, chapters 4 (601-630) and 5 (701-730). FTPEND/HTTPEND, FILEEND and END are three number spaces.
// Pure functions; any thread.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "config/profile.hpp"

namespace dfota {

/// Which URC or answer brought the number; the `source` of the error topic.
enum class CodeSource { ftp, http, file, update, command };
std::string_view to_word(CodeSource source);

struct FotaCode {
  int number;
  std::string_view name;     ///< a word: dns_parse_fail
  std::string_view meaning;  ///< the guide's wording
  bool retryable;            ///< the same again may succeed
  std::string_view hint;     ///< what to look at
};

/// What a number means when it came from this source. Any integer is accepted: one that no table has gets the name
/// "unknown", and is not retried. END's numbers are the family's own (config/profiles): `profile` has them; where it is
/// null or says nothing of the number, another family's word and hint stand, under the guide's meaning. The texts live
/// as long as the profile.
FotaCode explain(CodeSource source, int number, const Profile* profile = nullptr);

/// A number that no table of its source has, but a report from the field: what was the matter there.
struct FieldReport {
  CodeSource source;
  int number;
  std::string_view hint;
};
std::span<const FieldReport> field_reports();

/// The topic segment: "0xx" ... "9xx" for 0-999 by hundreds ("6xx", "7xx", "5xx"), else "other".
std::string code_class(int number);

}  // namespace dfota
