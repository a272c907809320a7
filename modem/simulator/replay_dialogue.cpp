#include "modem/simulator/replay_dialogue.hpp"

#include <algorithm>
#include <charconv>

#include "modem/simulator/at_commands.hpp"

namespace dfota::sim {
namespace {

using Kind = ReplayEvent::Kind;

constexpr std::string_view kAnything = "***";
constexpr std::string_view kRevision = "Revision:";
constexpr std::string_view kVersionCommands[] = {"ATI", "AT+GMR", "AT+CGMR", "AT+QGMR"};

bool fits(std::string_view pattern, std::string_view text) {
  const auto star = pattern.find(kAnything);
  if (star == std::string_view::npos) return pattern == text;
  if (!text.starts_with(pattern.substr(0, star))) return false;
  pattern.remove_prefix(star + kAnything.size());
  text.remove_prefix(star);
  for (;; text.remove_prefix(1)) {
    if (fits(pattern, text)) return true;
    if (text.empty()) return false;
  }
}

/// Which way a package comes by this AT+QFOTADL: "http", "ftp", "file:" or "".
std::string_view way_of(std::string_view command) {
  const auto arguments = qfotadl_arguments(command).value_or("");
  const auto address = at_upper(split_arguments(arguments).address);
  if (address.starts_with("HTTP://") || address.starts_with("HTTPS://")) return "http";
  if (address.starts_with("FTP://")) return "ftp";
  return address.starts_with("FILE:") ? "file:" : "";
}

bool tells_version(std::string_view command) {
  const auto folded = at_upper(command);
  return std::find(std::begin(kVersionCommands), std::end(kVersionCommands), folded) != std::end(kVersionCommands);
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

}  // namespace

ReplayStage replay_stage(std::string_view urc) {
  const auto folded = at_upper(urc);
  if (folded == "RDY" || folded == "APP RDY") return ReplayStage::booted;
  if (folded.ends_with("POWERED DOWN") || folded.ends_with("POWER DOWN")) return ReplayStage::other;
  const auto colon = folded.find(':');
  if (!folded.starts_with("+QIND") || colon == std::string::npos) return ReplayStage::none;
  const auto values = at_values(trimmed(std::string_view(folded).substr(colon + 1)));
  if (values.size() < 2 || values[0] != "FOTA") return ReplayStage::none;
  const auto& stage = values[1];
  if (stage == "END") return ReplayStage::ended;
  if (stage == "START" || stage == "UPDATING" || stage == "RESTORE") return ReplayStage::flashing;
  if (stage.ends_with("START")) return ReplayStage::start_of_transfer;
  if (!stage.ends_with("END")) return ReplayStage::other;
  return values.size() > 2 && values[2] == "0" ? ReplayStage::transferred : ReplayStage::transfer_failed;
}

bool is_qfotadl(std::string_view command) {
  return qfotadl_arguments(command).has_value();
}

bool is_upload(std::string_view command) {
  return at_upper(command).starts_with("AT+QFUPL=");
}

bool is_stream(std::string_view command) {
  return is_qfotadl(command) && way_of(command) == "file:";
}

std::uint64_t declared_size(std::string_view command) {
  auto from = command.rfind(':');
  if (is_upload(command)) from = command.find(',');
  std::uint64_t size = 0;
  if (from == std::string_view::npos) return 0;
  std::from_chars(command.data() + from + 1, command.data() + command.size(), size);
  return size;
}

bool same_command(std::string_view recorded, std::string_view sent) {
  if (is_qfotadl(recorded)) return is_qfotadl(sent) && way_of(recorded) == way_of(sent);
  if (is_upload(recorded)) {
    return is_upload(sent) && recorded.substr(0, recorded.find(',')) == sent.substr(0, sent.find(','));
  }
  return fits(recorded, sent);
}

ReplayDialogue::ReplayDialogue(const ReplayScript& script) : script_(script), silent_(script.events.size() + 1) {
  bool silent = false;
  bool from_file = false;  // AT+QFOTADL of a file in the module: it reboots right behind its OK
  for (std::size_t i = 0; i < end(); ++i) {
    const auto& event = script_.events[i];
    silent_[i] = silent;
    if (event.kind == Kind::command) {
      if (answered(i)) silent = false;
      from_file = is_qfotadl(event.text) && way_of(event.text).empty();
    } else if (event.kind == Kind::final && from_file) {
      silent = event.text == "OK";
      from_file = false;
    } else if (event.kind == Kind::urc) {
      const auto stage = replay_stage(event.text);
      if (stage == ReplayStage::transferred || stage == ReplayStage::flashing) silent = true;
    }
  }
  silent_[end()] = silent;
}

bool ReplayDialogue::is_act(std::size_t at) const {
  const auto& event = script_.events[at];
  switch (event.kind) {
    case Kind::open:
    case Kind::closed:
    case Kind::data:
    case Kind::file:
      return true;
    case Kind::urc:
      return replay_stage(event.text) != ReplayStage::none;
    case Kind::command:
    case Kind::line:
    case Kind::final:
    case Kind::noise:
    case Kind::step:
    case Kind::error:
    case Kind::dropped:
      break;
  }
  return false;
}

std::optional<std::size_t> ReplayDialogue::find(std::size_t at, std::string_view sent) const {
  const bool leaps = is_qfotadl(sent) && !silent(at);
  for (std::size_t i = at; i < end(); ++i) {
    const auto& event = script_.events[i];
    if (event.kind == Kind::command && same_command(event.text, sent)) return i;
    if (leaps) continue;
    if (is_act(i) || (event.kind == Kind::command && is_qfotadl(event.text))) break;
  }
  return std::nullopt;
}

std::optional<std::size_t> ReplayDialogue::find_beginning(std::size_t at, std::string_view sent) const {
  if (sent != "AT" || at > next_update(0)) return std::nullopt;
  for (std::size_t i = 0; i < at; ++i) {
    if (script_.events[i].kind == Kind::command && script_.events[i].text == sent) return i;
  }
  return std::nullopt;
}

std::optional<std::size_t> ReplayDialogue::find_nearest(std::size_t at, std::string_view sent) const {
  std::optional<std::size_t> before, behind, unanswered;
  for (std::size_t i = 0; i < end(); ++i) {
    const auto& event = script_.events[i];
    if (event.kind != Kind::command || !same_command(event.text, sent)) continue;
    if (!answered(i)) {
      unanswered = i;
    } else if (i < at) {
      before = i;
    } else if (!behind) {
      behind = i;
    }
  }
  if (before) return before;
  // What it runs later it does not run yet.
  if (behind && !tells_version(sent)) return behind;
  return unanswered;
}

std::vector<std::size_t> ReplayDialogue::answer(std::size_t command) const {
  std::vector<std::size_t> places;
  for (std::size_t i = command + 1; i < end(); ++i) {
    const auto kind = script_.events[i].kind;
    if (kind == Kind::command || kind == Kind::closed) break;
    if (kind == Kind::line || kind == Kind::final) places.push_back(i);
    if (kind == Kind::final && script_.events[i].text != "CONNECT") break;
  }
  return places;
}

bool ReplayDialogue::answered(std::size_t command) const {
  const auto places = answer(command);
  return !places.empty() && script_.events[places.back()].kind == Kind::final;
}

std::optional<std::size_t> ReplayDialogue::next_act(std::size_t at) const {
  for (auto i = at; i < next_update(at); ++i) {
    if (is_act(i)) return i;
  }
  return std::nullopt;
}

std::size_t ReplayDialogue::next_update(std::size_t at) const {
  while (at < end() && !(script_.events[at].kind == Kind::command && is_qfotadl(script_.events[at].text))) ++at;
  return at;
}

ReplayStage ReplayDialogue::transfer_end(std::size_t at) const {
  for (auto i = at; i < next_update(at); ++i) {
    const auto stage = script_.events[i].kind == Kind::urc ? replay_stage(script_.events[i].text) : ReplayStage::none;
    if (stage == ReplayStage::transferred || stage == ReplayStage::transfer_failed) return stage;
  }
  return ReplayStage::none;
}

std::string ReplayDialogue::version(std::size_t at) const {
  if (at == end() && script_.outcome == "succeeded" && !script_.to.empty()) return script_.to;
  std::string told = script_.from;
  for (std::size_t i = 0; i < at; ++i) {
    if (script_.events[i].kind != Kind::command || !tells_version(script_.events[i].text)) continue;
    const bool is_ati = at_upper(script_.events[i].text) == "ATI";
    for (const auto place : answer(i)) {
      const std::string_view line = script_.events[place].text;
      if (place >= at || script_.events[place].kind != Kind::line) break;
      if (!is_ati) {
        told = trimmed(line);
        break;
      }
      if (line.starts_with(kRevision)) told = trimmed(line.substr(kRevision.size()));
    }
  }
  return told;
}

}  // namespace dfota::sim
