#include "modem/simulator/at_commands.hpp"

#include <algorithm>
#include <cctype>

#include "modem/simulator/at_files.hpp"
#include "modem/simulator/at_http.hpp"
#include "modem/simulator/at_network.hpp"

namespace dfota::sim {
namespace {

bool starts_with(std::string_view text, std::string_view start) {
  return text.substr(0, start.size()) == start;
}

std::string_view cme_words(int code) {
  switch (code) {
    case 3:
      return "operation not allowed";
    case 4:
      return "operation not supported";
    case 10:
      return "SIM not inserted";
    case 13:
      return "SIM failure";
    case 14:
      return "SIM busy";
    case 30:
      return "no network service";
    case kCmeIncorrectParameters:
      return "incorrect parameters";
    case 100:
      return "unknown";
    case kCmeFileNotFound:
      return "file not found";
    default:
      return "";
  }
}

constexpr int kCmeNotSupported = 4;

AtAnswer start_fota(std::string_view arguments, const Behaviour& behaviour, const AtSettings& settings,
                    const AtSubject& subject) {
  if (behaviour.refuse == Refusal::error) return {framed("ERROR"), {}, {}};
  if (behaviour.refuse == Refusal::cme) return at_error(behaviour.refuse_cme, settings);
  if (subject.busy) return at_error(kCmeNotAllowed, settings);
  const auto taken = take_order(subject.family, subject.model, subject.version, arguments);
  if (const auto* refused = std::get_if<int>(&taken)) return at_error(*refused, settings);
  const auto& order = std::get<FotaOrder>(taken);
  const auto& target = order.target;
  const bool absent_file =
      target.delivery == Delivery::ufs && (subject.files == nullptr || !subject.files->has(target.file));
  if (absent_file || (target.delivery == Delivery::efs && !subject.has_efs_package)) {
    return at_error(kCmeFileNotFound, settings);
  }
  auto accepted = at_ok();
  accepted.update = order;
  return accepted;
}

std::optional<AtAnswer> set_mode(std::string_view command, const Behaviour& behaviour, AtSettings& settings) {
  if (command == "ATE1")
    settings.echo = true;
  else if (command == "ATE0" || command == "ATE")
    settings.echo = behaviour.echo_always;
  else if (command == "AT+CMEE=0" || command == "AT+CMEE=1" || command == "AT+CMEE=2")
    settings.cmee = command.back() - '0';
  else
    return std::nullopt;
  return at_ok();
}

std::optional<AtAnswer> set_cid(std::string_view command, AtSubject& subject) {
  constexpr std::string_view kCid = "AT+QCFG=\"FOTA/CID\"";
  if (!starts_with(command, kCid)) return std::nullopt;
  command.remove_prefix(kCid.size());
  if (command.empty()) return at_ok("+QCFG: \"fota/cid\"," + std::to_string(subject.fota_cid));
  if (command.size() < 2 || command.size() > 3 || command[0] != ',') return std::nullopt;
  int cid = 0;
  for (const char c : command.substr(1)) {
    if (c < '0' || c > '9') return std::nullopt;
    cid = cid * 10 + (c - '0');
  }
  if (cid < 1 || cid > 16) return std::nullopt;
  subject.fota_cid = cid;
  return at_ok();
}

std::string full_version(const Behaviour& behaviour, const AtSubject& subject) {
  const bool is_long = subject.version.find('_') != std::string::npos;
  return subject.version + (behaviour.qgmr_long && !is_long ? "_01.001.01.001" : "");
}

std::optional<AtAnswer> tell(std::string_view command, const Behaviour& behaviour, const AtSettings& settings,
                             const AtSubject& subject) {
  if (command == "ATI") {
    // One frame round three lines, as the manual prints it.
    return AtAnswer{
        "\r\nQuectel\r\n" + subject.model + "\r\nRevision: " + revision_of(subject.version) + "\r\n\r\nOK\r\n", {}, {}};
  }
  if (command == "AT+QFOTADL=?") return at_ok(order_help(subject.family));
  if (command == "AT+GSN" || command == "AT+CGSN") return at_ok(subject.imei);
  if (command == "AT+GMR" || command == "AT+CGMR") return at_ok(revision_of(subject.version));
  if (command == "AT+QGMR") return at_ok(full_version(behaviour, subject));
  if (command == "AT+CSQ?") return at_error(kCmeNotAllowed, settings);
  if (command == "AT+CMEE?") return at_ok("+CMEE: " + std::to_string(settings.cmee));
  if (command == "AT+CSQ") return at_ok("+CSQ: 21,99");
  if (command == "AT+QURCCFG=\"URCPORT\"") return at_ok("+QURCCFG: \"urcport\",\"usbat\"");
  return std::nullopt;
}

bool is_plainly_ok(std::string_view command) {
  static constexpr std::string_view kWhole[] = {"AT", "ATV1", "AT&D0", "AT&W", "AT+CFUN=1"};
  static constexpr std::string_view kStarts[] = {"AT+QURCCFG=\"URCPORT\","};
  return std::find(std::begin(kWhole), std::end(kWhole), command) != std::end(kWhole) ||
         std::any_of(std::begin(kStarts), std::end(kStarts), [=](auto start) { return starts_with(command, start); });
}

}  // namespace

std::vector<std::string> AtLines::feed(std::string_view bytes) {
  std::vector<std::string> lines;
  for (const char c : bytes) {
    if (c == '\r') {
      if (!overlong_ && !line_.empty()) lines.push_back(line_);
      line_.clear();
      overlong_ = false;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      continue;
    } else if (line_.size() == kMaxCommandBytes) {
      overlong_ = true;
    } else {
      line_ += c;
    }
  }
  return lines;
}

std::optional<std::string> command_in(std::string_view line) {
  const auto at = at_upper(line).find("AT");
  if (at == std::string::npos) return std::nullopt;
  line.remove_prefix(at);
  while (!line.empty() && line.back() == ' ') line.remove_suffix(1);
  return std::string(line);
}

std::optional<std::string> qfotadl_arguments(std::string_view command) {
  constexpr std::string_view kStart = "AT+QFOTADL=";
  if (!starts_with(at_upper(command), kStart)) return std::nullopt;
  command.remove_prefix(kStart.size());
  if (command == "?") return std::nullopt;
  return std::string(command);
}

AtAnswer at_ok(const std::string& text) {
  return {text.empty() ? framed("OK") : framed(text) + framed("OK"), {}, {}};
}

AtAnswer at_error(int code, const AtSettings& settings) {
  if (settings.cmee == 0) return {framed("ERROR"), {}, {}};
  const auto words = settings.cmee == 2 ? cme_words(code) : "";
  return {framed("+CME ERROR: " + (words.empty() ? std::to_string(code) : std::string(words))), {}, {}};
}

std::string at_upper(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](unsigned char c) { return std::toupper(c); });
  return out;
}

std::vector<std::string> at_values(std::string_view text) {
  std::vector<std::string> values;
  if (text.empty()) return values;
  values.emplace_back();
  bool quoted = false;
  for (const char c : text) {
    if (c == '"')
      quoted = !quoted;
    else if (c == ',' && !quoted)
      values.emplace_back();
    else
      values.back() += c;
  }
  return values;
}

std::string framed(std::string_view text) {
  return "\r\n" + std::string(text) + "\r\n";
}

AtAnswer answer(std::string_view command, const Behaviour& behaviour, AtSettings& settings, AtSubject& subject) {
  const auto arguments = qfotadl_arguments(command);
  if (arguments) return start_fota(*arguments, behaviour, settings, subject);
  const auto folded = at_upper(command);
  if (is_plainly_ok(folded)) return at_ok();
  if (auto done = set_mode(folded, behaviour, settings)) return *done;
  if (auto done = set_cid(folded, subject)) return *done;
  if (auto done = tell(folded, behaviour, settings, subject)) return *done;
  if (auto done = answer_network(command, behaviour, settings, subject)) return *done;
  if (auto done = answer_http(command, settings, subject)) return *done;
  if (auto done = answer_files(command, behaviour, settings, subject)) return *done;
  return at_error(kCmeNotSupported, settings);
}

}  // namespace dfota::sim
