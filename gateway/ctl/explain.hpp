// `dfota explain`: what a number or a word of the API means, offline, from the tables that the gateway itself takes its
// texts from. Pure, but for explain(), which writes to stdout and stderr.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "gateway/ctl/json_fields.hpp"

namespace dfota::ctl {

struct Explanation {
  std::string code;          ///< "716", "520-530", "port_lost"
  int first = 0, last = -1;  ///< the numbers; none of a word
  std::string error_class;   ///< topic segment of an error of a module; empty: it is none
  std::string source;        ///< http, ftp, file, update, command, gateway (as in the error topic), refusal, fault
  std::string name, meaning, hint;
  bool retryable = false;
  std::vector<std::string> families;  ///< of END: whose guide says so

  [[nodiscard]] bool is_number() const { return first <= last; }
};

/// All there are: numbers by source, then words.
std::vector<Explanation> explanations();

/// Those of a number, of a word, or of a number's name; none: nobody knows it.
std::vector<Explanation> explanations_of(const std::string& code);

/// Why there is none, and what may have been meant.
std::string not_explained(const std::string& code);

std::vector<std::string> lines_of(const Explanation& explanation);
Json document_of(const Explanation& explanation);

/// All of them where `code` is nullopt. The exit code.
int explain(const std::optional<std::string>& code, bool json);

}  // namespace dfota::ctl
