#include "modem/qind.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>

namespace dfota {
namespace {

struct StageName {
  std::string_view name;
  FotaStage stage;
};

// HTTPSSTART and HTTPSEND: modules that download over TLS (EG18). None of these is the beginning of another, so a
// message that was cut off never looks like a different one.
constexpr StageName kStages[] = {
    {"FTPSTART", FotaStage::ftp_start},
    {"FTPEND", FotaStage::ftp_end},
    {"HTTPSTART", FotaStage::http_start},
    {"HTTPEND", FotaStage::http_end},
    {"HTTPSSTART", FotaStage::http_start},
    {"HTTPSEND", FotaStage::http_end},
    {"FILESTART", FotaStage::file_start},
    {"FILEEND", FotaStage::file_end},
    {"DOWNLOADING", FotaStage::downloading},
    {"START", FotaStage::start},
    {"UPDATING", FotaStage::updating},
    {"RESTORE", FotaStage::restore},
    {"END", FotaStage::end},
};

char upper(char c) {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}

bool same_word(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return upper(x) == upper(y); });
}

std::string_view trim(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  return text.substr(0, text.find_last_not_of(' ') + 1);
}

struct Field {
  std::string_view text;
  bool whole = true;  ///< false: its quotes were opened and never closed
};

/// Takes the next field with its comma off `rest`. A comma inside quotes belongs to the field; quotes may be left out.
Field take_field(std::string_view& rest) {
  rest = trim(rest);
  Field field;
  if (rest.starts_with('"')) {
    const std::size_t close = rest.find('"', 1);
    field.whole = close != std::string_view::npos;
    field.text = trim(rest.substr(1, field.whole ? close - 1 : close));
    rest = field.whole ? trim(rest.substr(close + 1)) : std::string_view();
    if (!rest.empty() && rest.front() != ',') {
      field.whole = false;
      rest = {};
    }
  } else {
    field.text = trim(rest.substr(0, rest.find(',')));
    rest.remove_prefix(std::min(rest.find(','), rest.size()));
  }
  if (!rest.empty()) rest.remove_prefix(1);
  return field;
}

/// 37, -1, 37%, 37 %: the whole text or nothing, for half a number is a wrong number.
std::optional<int> to_number(std::string_view text) {
  if (text.ends_with('%')) text = trim(text.substr(0, text.size() - 1));
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

/// A percent sign may stand behind the closing quotes too.
std::optional<int> take_number(std::string_view rest) {
  rest = trim(rest);
  if (rest.starts_with('"') && rest.ends_with('%')) rest = trim(rest.substr(0, rest.size() - 1));
  const Field field = take_field(rest);
  return field.whole ? to_number(field.text) : std::nullopt;
}

}  // namespace

std::optional<FotaUrc> parse_qind(std::string_view line) {
  constexpr std::string_view kPrefix = "+QIND";
  std::string_view rest = trim(line);
  if (!same_word(rest.substr(0, kPrefix.size()), kPrefix)) return std::nullopt;
  rest = trim(rest.substr(kPrefix.size()));
  if (!rest.starts_with(':')) return std::nullopt;
  rest.remove_prefix(1);
  const Field kind = take_field(rest);
  if (!kind.whole || !same_word(kind.text, "FOTA")) return std::nullopt;

  const Field name = take_field(rest);
  FotaUrc urc{FotaStage::unknown, std::string(name.text), std::nullopt};
  if (!name.whole) return urc;
  for (const StageName& known : kStages) {
    if (same_word(known.name, name.text)) urc.stage = known.stage;
  }
  urc.value = take_number(rest);
  return urc;
}

bool is_boot_urc(std::string_view line) {
  line = trim(line);
  return line == "RDY" || line == "APP RDY" || line.starts_with("+CPIN:");
}

PowerUrc parse_power_urc(std::string_view line) {
  if (line.ends_with("POWERED DOWN") || line.ends_with("POWER DOWN")) return PowerUrc::down;
  const bool battery = line.starts_with("+QIND:") && line.find("\"vbatt\",-") != std::string_view::npos;
  const bool warning = line.find("_VOLTAGE WARN") != std::string_view::npos;
  return battery || warning ? PowerUrc::low_voltage : PowerUrc::none;
}

}  // namespace dfota
