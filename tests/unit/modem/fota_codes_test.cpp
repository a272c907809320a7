#include "modem/fota_codes.hpp"

#include <doctest/doctest.h>

#include <climits>
#include <map>
#include <set>
#include <sstream>

using namespace dfota;

namespace {
// Tables 1 and 2 of the guide, chapters 4 and 5, word for word.
constexpr const char* kGuide = R"(601 Unknown error
602 FTP service blocked
603 FTP service busy
604 DNS parse fail
605 Network error
606 Control connection closed
607 Data connection closed
608 Socket closed by peer
609 Timeout error
610 Invalid parameter
611 Failed to open file
612 File position invalid
613 File error
614 Service not available, closing control connection
615 Open data connection fail
616 Connection closed; transfer aborted
617 Requested file action not taken
618 Requested action aborted: local error in processing
619 Requested action not taken: insufficient system storage
620 Syntax error, command unrecognized
621 Syntax error in parameters or arguments
622 Command not implemented
623 Bad sequence of commands
624 Command parameter not implemented
625 Fail to login FTP
626 Need account for storing files
627 Requested action not taken.
628 Requested action aborted: page type unknown
629 Requested file action aborted
630 Requested file name invalid
701 HTTP unknown error
702 HTTP timeout
703 HTTP busy
704 HTTP UART busy
705 HTTP does not get/post request
706 HTTP network busy
707 HTTP network open failure
708 HTTP network not configured
709 HTTP network deactivated
710 HTTP network error
711 HTTP URL error
712 HTTP empty URL
713 HTTP IP address error
714 HTTP DNS error
715 HTTP socket create error
716 HTTP socket connect error
717 HTTP socket read error
718 HTTP socket write error
719 HTTP socket close
720 HTTP data encode error
721 HTTP data decode error
722 HTTP read timeout
723 HTTP response failure
724 Incoming call busy
725 Voice call busy
726 Input timeout
727 Wait for data timeout
728 HTTP response timeout
729 Allocate memory failure
730 Invalid parameter
)";

std::map<int, std::string> guide() {
  std::map<int, std::string> rows;
  std::istringstream lines(kGuide);
  for (std::string line; std::getline(lines, line);) rows[std::stoi(line.substr(0, 3))] = line.substr(4);
  return rows;
}

CodeSource source_of(int number) {
  return number < 700 ? CodeSource::ftp : CodeSource::http;
}

constexpr CodeSource kSources[] = {CodeSource::ftp, CodeSource::http, CodeSource::file, CodeSource::update,
                                   CodeSource::command};

bool is_snake_case(std::string_view name) {
  return !name.empty() && name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string_view::npos &&
         name.front() != '_' && name.back() != '_';
}
}  // namespace

TEST_CASE("each of the guide's 60 codes has the guide's wording") {
  const auto rows = guide();
  REQUIRE(rows.size() == 60);
  for (const auto& [number, meaning] : rows) {
    CAPTURE(number);
    const FotaCode code = explain(source_of(number), number);
    CHECK(code.number == number);
    CHECK(code.meaning == meaning);
  }
  for (int number = 601; number <= 630; ++number) CHECK(rows.count(number) == 1);
  for (int number = 701; number <= 730; ++number) CHECK(rows.count(number) == 1);
}

TEST_CASE("the tables end where the guide's end") {
  CHECK(explain(CodeSource::ftp, 600).name == "unknown");
  CHECK(explain(CodeSource::ftp, 631).name == "unknown");
  CHECK(explain(CodeSource::http, 700).name == "unknown");
  CHECK(explain(CodeSource::http, 731).name == "unknown");
}

TEST_CASE("within a source's own numbers a name is one number, and every code has a word and a sentence") {
  for (const CodeSource source : kSources) {
    std::set<std::string_view> names;
    for (int number = 0; number < 1000; ++number) {
      const FotaCode code = explain(source, number);
      CAPTURE(to_word(source));
      CAPTURE(number);
      CHECK(code.number == number);
      CHECK(is_snake_case(code.name));
      CHECK_FALSE(code.meaning.empty());
      CHECK(code.meaning.find_first_of("\r\n\t") == std::string_view::npos);
      CHECK(code.meaning.back() != ' ');
      CHECK(code.hint.ends_with('.'));
      const bool borrowed =
          (source == CodeSource::ftp && number / 100 == 7) || (source == CodeSource::http && number / 100 == 6);
      const bool a_family_s = source == CodeSource::update;  // END's ranges share a name
      if (code.name != "unknown" && !borrowed && !a_family_s) CHECK(names.insert(code.name).second);
    }
  }
}

TEST_CASE("what passes is retried, what stays is not") {
  const std::set<int> final_codes = {610, 619, 620, 621, 622, 623, 624, 625, 626, 627,
                                     628, 629, 630, 708, 711, 712, 713, 720, 730};
  for (const auto& [number, meaning] : guide()) {
    CAPTURE(number);
    CAPTURE(meaning);
    CHECK(explain(source_of(number), number).retryable == (final_codes.count(number) == 0));
  }
  CHECK(explain(CodeSource::file, 500).retryable);
}

TEST_CASE("0 is OK in every download and in END") {
  for (const CodeSource source : {CodeSource::ftp, CodeSource::http, CodeSource::file, CodeSource::update}) {
    CHECK(explain(source, 0).name == "ok");
    CHECK_FALSE(explain(source, 0).retryable);
  }
  CHECK(explain(CodeSource::http, 0).meaning == "Operation successful");
  CHECK(explain(CodeSource::ftp, 0).meaning == "OK");
  CHECK_MESSAGE(explain(CodeSource::command, 0).name == "phone_failure", "+CME ERROR: 0 is no success");
}

TEST_CASE("END is a table of each family's own: in its guide's words, and never retried") {
  struct Row {
    const char* family;
    int first, last;
    const char* meaning;
  };
  static constexpr Row kRows[] = {
      {"ep06", 502, 502, "Upgrade exited on an unpredictable error"},
      {"ep06", 504, 505, "Package file wrong"},
      {"ep06", 510, 510, "Patch does not match the source in the module"},
      {"ep06", 511, 511, "No space in the file system"},
      {"ep06", 520, 530, "Upgrade failed"},
      {"ep06", 540, 546, "Upgrade failed"},
      {"lte-standard-a", 504, 504, "Upgrade failed"},
      {"lte-standard-a", 505, 505, "Package check error"},
      {"lte-standard-a", 506, 506, "Firmware MD5 check error"},
      {"lte-standard-a", 507, 507, "Package version mismatch"},
      {"lte-standard-a", 552, 552, "Project name mismatch"},
      {"lte-standard-a", 553, 553, "Baseline name mismatch"},
  };
  for (const char* family : {"uc20", "ec2x", "ep06", "bg96", "lte-standard-a"}) {
    const auto* profile = builtin_profiles().by_name(family);
    REQUIRE(profile != nullptr);
    for (int number = 1; number < 1000; ++number) {
      CAPTURE(family);
      CAPTURE(number);
      std::string meaning = "ERROR (0 means OK, else ERROR)";
      for (const auto& row : kRows) {
        if (row.family == std::string_view(family) && row.first <= number && number <= row.last) meaning = row.meaning;
      }
      const FotaCode code = explain(CodeSource::update, number, profile);
      CHECK(code.meaning == meaning);
      CHECK_FALSE(code.retryable);
      CHECK_FALSE(code.hint.empty());
    }
    CHECK(explain(CodeSource::update, 0, profile).name == "ok");
  }
}

TEST_CASE("what no family lists is unknown; what another one lists has its word under the guide's meaning") {
  std::set<int> known = {502, 504, 505, 506, 507, 510, 511, 552, 553};
  for (int number = 520; number <= 530; ++number) known.insert(number);
  for (int number = 540; number <= 546; ++number) known.insert(number);
  for (int number = -1; number < 1000; ++number) {
    if (number == 0) continue;
    CAPTURE(number);
    const FotaCode code = explain(CodeSource::update, number);
    CHECK((code.name != "unknown") == (known.count(number) == 1));
    CHECK_FALSE(code.retryable);
  }
  CHECK(explain(CodeSource::update, 507).name == "package_version_mismatch");
  CHECK(explain(CodeSource::update, 1).meaning == "ERROR (0 means OK, else ERROR)");
}

TEST_CASE("a number of the other download's table keeps the guide's wording and is left to a person") {
  const FotaCode code = explain(CodeSource::http, 608);
  CHECK(code.number == 608);
  CHECK(code.name == "socket_closed_by_peer");
  CHECK(code.meaning == "Socket closed by peer");
  CHECK_FALSE(code.retryable);
  CHECK(code.hint.find("fota/path") != std::string_view::npos);
  CHECK(code_class(code.number) == "6xx");
  for (const auto& [number, meaning] : guide()) {
    CAPTURE(number);
    const FotaCode borrowed = explain(number < 700 ? CodeSource::http : CodeSource::ftp, number);
    CHECK(borrowed.meaning == meaning);
    CHECK_FALSE(borrowed.retryable);
    CHECK(borrowed.hint.find("-range code under") != std::string_view::npos);
    CHECK_MESSAGE(explain(CodeSource::update, number).name == "unknown", "END is a number space of its own");
    CHECK(explain(CodeSource::file, number).name == "unknown");
  }
}

TEST_CASE("any integer is explained, one that no table has is unknown and not retried") {
  for (const CodeSource source : kSources) {
    for (const int number : {INT_MIN, -1, 570, 999, 1000, INT_MAX}) {
      CAPTURE(to_word(source));
      CAPTURE(number);
      const FotaCode code = explain(source, number);
      CHECK(code.number == number);
      CHECK(code.name == "unknown");
      CHECK_FALSE(code.retryable);
      CHECK_FALSE(code.meaning.empty());
      CHECK_FALSE(code.hint.empty());
    }
  }
  for (const int number : {12, 420, 570}) CHECK(explain(CodeSource::http, number).hint.starts_with("Seen on "));
}

TEST_CASE("refusals of a command: only a SIM that starts and a missing network pass by themselves") {
  std::set<int> retried;
  for (int number = 0; number < 1000; ++number) {
    if (explain(CodeSource::command, number).retryable) retried.insert(number);
  }
  CHECK(retried == std::set<int>{14, 30});
  CHECK(explain(CodeSource::command, 10).name == "sim_not_inserted");
  CHECK(explain(CodeSource::command, 3).meaning == "Operation not allowed");
}

TEST_CASE("the class of a number is its hundreds") {
  CHECK(code_class(716) == "7xx");
  CHECK(code_class(608) == "6xx");
  CHECK(code_class(505) == "5xx");
  CHECK(code_class(12) == "0xx");
  CHECK(code_class(5) == "0xx");
  CHECK(code_class(0) == "0xx");
  CHECK(code_class(999) == "9xx");
  CHECK(code_class(1000) == "other");
  CHECK(code_class(-1) == "other");
  CHECK(code_class(INT_MIN) == "other");
  CHECK(code_class(INT_MAX) == "other");
}

TEST_CASE("each source has its word of the contract") {
  CHECK(to_word(CodeSource::ftp) == "ftp");
  CHECK(to_word(CodeSource::http) == "http");
  CHECK(to_word(CodeSource::file) == "file");
  CHECK(to_word(CodeSource::update) == "update");
  CHECK(to_word(CodeSource::command) == "command");
}
