#include "modem/at_parser.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>

namespace dfota {
namespace {

using Kind = AtEvent::Kind;

enum class Where {
  anywhere,     ///< a prefix "+NAME:", also behind garbage
  whole_line,   ///< a word that is the line
  end_of_line,  ///< a word that is the line, or its end behind garbage
};

struct UrcRule {
  std::string_view text;
  Where where;
  bool also_answer;  ///< of the same name with ? or =? when that is in the command in flight
};

// Longer words come before those that they end with: APP RDY before RDY.
constexpr UrcRule kUrcs[] = {
    {"+QIND", Where::anywhere, false},
    {"+CPIN", Where::anywhere, true},
    {"+QUSIM", Where::anywhere, true},
    {"+CFUN", Where::anywhere, true},
    {"+CREG", Where::anywhere, true},
    {"+CGREG", Where::anywhere, true},
    {"+CEREG", Where::anywhere, true},
    {"+QSIMSTAT", Where::anywhere, true},
    {"+QIURC", Where::anywhere, false},
    {"+QIOTEVT", Where::anywhere, false},
    {"+QSSLURC", Where::anywhere, false},
    {"+QHTTPURC", Where::anywhere, false},
    {"+CTZV", Where::anywhere, false},
    {"+CTZE", Where::anywhere, false},
    {"+CGEV", Where::anywhere, false},
    {"+CUSD", Where::anywhere, true},
    {"+CMTI", Where::anywhere, false},
    {"+CMT", Where::anywhere, false},
    {"+CDSI", Where::anywhere, false},
    {"+CDS", Where::anywhere, false},
    {"+CRING", Where::anywhere, false},
    {"+CLIP", Where::anywhere, true},
    {"RING", Where::whole_line, false},
    {"POWERED DOWN", Where::end_of_line, false},
    {"NORMAL POWER DOWN", Where::end_of_line, false},
    {"UNDER_VOLTAGE POWER DOWN", Where::end_of_line, false},
    {"OVER_VOLTAGE POWER DOWN", Where::end_of_line, false},
    {"UNDER_VOLTAGE WARNNING", Where::end_of_line, false},  // spelt so by the modules
    {"UNDER_VOLTAGE WARNING", Where::end_of_line, false},
    {"APP RDY", Where::end_of_line, false},
    {"RDY", Where::end_of_line, false},
};

// Results of calls and of data mode: never the answer to what the gateway asks.
constexpr std::string_view kCallResults[] = {"NO CARRIER", "BUSY", "NO ANSWER", "NO DIALTONE", "NO DIAL TONE"};

char upper(char c) {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}

bool same_letter(char a, char b) {
  return upper(a) == upper(b);
}

/// Where `word` begins in `text` at or after `from`, in any case; npos when it does not.
std::size_t find_word(std::string_view text, std::string_view word, std::size_t from = 0) {
  if (from > text.size()) return std::string_view::npos;
  const auto found =
      std::search(text.begin() + static_cast<std::ptrdiff_t>(from), text.end(), word.begin(), word.end(), same_letter);
  return found == text.end() ? std::string_view::npos : static_cast<std::size_t>(found - text.begin());
}

std::string_view skip_spaces(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  return text;
}

std::string_view trim(std::string_view text) {
  text = skip_spaces(text);
  return text.substr(0, text.find_last_not_of(' ') + 1);
}

/// Where `name`, spaces and a colon stand at or after `from`.
std::size_t find_prefix(std::string_view line, std::string_view name, std::size_t from = 0) {
  for (std::size_t at = find_word(line, name, from); at != std::string_view::npos; at = find_word(line, name, at + 1)) {
    if (skip_spaces(line.substr(at + name.size())).starts_with(':')) return at;
  }
  return std::string_view::npos;
}

/// A false RDY would let the gateway speak to a module that flashes, a missed one costs a wait. So only garbage may
/// stand before it (^boot.rom'v'!RDY), nothing that could be a sentence, a name or a value (NOT RDY, STATE:RDY,
/// A12-RDY).
bool may_end_garbage(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) == 0 &&
         std::string_view(" \"',;:=-_./()").find(c) == std::string_view::npos;
}

bool asks_for(std::string_view command, std::string_view name) {
  for (std::size_t at = find_word(command, name); at != std::string_view::npos; at = find_word(command, name, at + 1)) {
    const std::string_view rest = command.substr(at + name.size());
    if (rest.starts_with('?') || rest.starts_with("=?")) return true;
  }
  return false;
}

/// What stands behind "+CME ERROR:", or nothing when the line is none.
std::optional<std::string_view> after_error_prefix(std::string_view line, std::string_view prefix) {
  if (!line.starts_with(prefix)) return std::nullopt;
  const std::string_view rest = skip_spaces(line.substr(prefix.size()));
  if (!rest.starts_with(':')) return std::nullopt;
  return trim(rest.substr(1));
}

/// The whole text as a number: "1 3", words and what no int holds are none.
std::optional<int> to_number(std::string_view text) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

void AtParser::begin_command(std::string_view command) {
  in_command_ = true;
  in_data_ = false;
  command_ = trim(command.substr(0, command.find_first_of("\r\n")));
}

void AtParser::end_command() {
  in_command_ = in_data_ = false;
  command_.clear();
}

void AtParser::reset() {
  line_.clear();
  overlong_ = after_ack_ = false;
}

std::vector<AtEvent> AtParser::feed(std::string_view bytes) {
  std::vector<AtEvent> events;
  for (const char c : bytes) {
    if (c == '\r' || c == '\n') {
      finish_line(events);
    } else if (c < 0x20 || c > 0x7e || overlong_) {
      continue;
    } else if (in_data_ && c == 'A' && line_.empty()) {
      after_ack_ = true;
      events.push_back({Kind::ack, "A", std::nullopt});
    } else if (line_.size() == kMaxLine) {
      // Told now, not at its end: that may never come.
      events.push_back({Kind::noise, std::move(line_), std::nullopt});
      line_.clear();
      overlong_ = true;
    } else {
      line_ += c;
    }
  }
  return events;
}

void AtParser::finish_line(std::vector<AtEvent>& events) {
  overlong_ = false;
  // The one URC that begins with an A: the module has restarted in the middle of the data.
  if (after_ack_ && line_ == "PP RDY") line_ = "APP RDY";
  after_ack_ = false;
  const std::string whole = std::move(line_);
  line_.clear();
  const std::string_view line = trim(whole);
  if (line.empty() || (in_command_ && line == command_)) return;

  // A module that resets in the middle of a word, or repeats half a message, sets the next +QIND on the same line.
  std::size_t begin = 0;
  while (begin < line.size()) {
    const std::size_t end = std::min(find_prefix(line, "+QIND", begin + 1), line.size());
    take_piece(trim(line.substr(begin, end - begin)), end < line.size(), events);
    begin = end;
  }
}

void AtParser::take_piece(std::string_view piece, bool before_qind, std::vector<AtEvent>& events) {
  if (auto final = as_final(piece)) {
    if (final->kind == Kind::connect) {
      in_data_ = true;
    } else {
      end_command();
    }
    events.push_back(std::move(*final));
  } else if (auto urc = as_urc(piece)) {
    events.push_back(std::move(*urc));
  } else if (before_qind ||  // without a meaning of its own: garbage
             (in_command_ && !command_.empty() && piece.ends_with(command_))) {
    return;
  } else {
    const bool call_result = std::ranges::find(kCallResults, piece) != std::end(kCallResults);
    const Kind kind = in_command_ && !call_result ? Kind::info : Kind::noise;
    events.push_back({kind, std::string(piece), std::nullopt});
  }
}

std::optional<AtEvent> AtParser::as_final(std::string_view line) const {
  if (!in_command_) return std::nullopt;
  if (line == "OK") return AtEvent{Kind::ok, std::string(line), std::nullopt};
  if (line == "CONNECT" && !in_data_) return AtEvent{Kind::connect, std::string(line), std::nullopt};
  if (line == "ERROR") return AtEvent{Kind::error, std::string(line), std::nullopt};
  if (const auto code = after_error_prefix(line, "+CME ERROR")) {
    return AtEvent{Kind::cme_error, std::string(line), to_number(*code)};
  }
  if (const auto code = after_error_prefix(line, "+CMS ERROR")) {
    return AtEvent{Kind::cms_error, std::string(line), to_number(*code)};
  }
  return std::nullopt;
}

std::optional<AtEvent> AtParser::as_urc(std::string_view line) const {
  for (const UrcRule& rule : kUrcs) {
    std::size_t at = std::string_view::npos;
    switch (rule.where) {
      case Where::anywhere:
        at = find_prefix(line, rule.text);
        break;
      case Where::whole_line:
        if (line == rule.text) at = 0;
        break;
      case Where::end_of_line:
        if (line.ends_with(rule.text)) at = line.size() - rule.text.size();
        if (at != std::string_view::npos && at > 0 && !may_end_garbage(line[at - 1])) at = std::string_view::npos;
        break;
    }
    if (at == std::string_view::npos) continue;
    if (rule.also_answer && in_command_ && asks_for(command_, rule.text)) return std::nullopt;
    return AtEvent{Kind::urc, std::string(line.substr(at)), std::nullopt};
  }
  return std::nullopt;
}

}  // namespace dfota
