#include "modem/simulator/replay_script.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "modem/simulator/family.hpp"
#include "modem/simulator/identity.hpp"

namespace dfota::sim {
namespace {

using Json = nlohmann::json;
using Kind = ReplayEvent::Kind;

constexpr int kVersion = 1;
constexpr std::uintmax_t kMaxBytes = 64ULL << 20;
constexpr std::size_t kShownBytes = 60;

struct TextEvent {
  std::string_view key;
  Kind kind;
};
constexpr TextEvent kTexts[] = {
    {"open", Kind::open},   {"closed", Kind::closed}, {"cmd", Kind::command}, {"line", Kind::line},
    {"final", Kind::final}, {"urc", Kind::urc},       {"noise", Kind::noise}, {"step", Kind::step},
};

std::string text_of(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

std::string shown(std::string_view line) {
  return std::string(line.substr(0, kShownBytes)) + (line.size() > kShownBytes ? "..." : "");
}

/// Empty: understood.
std::string take_head(const Json& head, ReplayScript& script) {
  const auto version = head.is_object() ? head.find("transcript") : head.end();
  if (!head.is_object() || version == head.end()) {
    return R"(no transcript: the first line must be {"transcript":1,...}; `dfota transcript -o FILE` writes one)";
  }
  if (!version->is_number_integer() || version->get<std::int64_t>() != kVersion) {
    return "a transcript of version " + version->dump() + ", and only version " + std::to_string(kVersion) +
           " is understood: use the dfota-rack of the gateway that wrote it";
  }
  script.module = text_of(head, "module");
  script.imei = text_of(head, "imei");
  script.model = text_of(head, "model");
  script.job = text_of(head, "job");
  script.delivery = text_of(head, "delivery");
  script.from = text_of(head, "from");
  script.to = text_of(head, "to");
  return "";
}

std::optional<std::uint64_t> number_of(const Json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_number_unsigned()) return std::nullopt;
  return found->get<std::uint64_t>();
}

std::optional<ReplayEvent> file_event(const Json& value) {
  if (!value.is_object()) return std::nullopt;
  const auto size = number_of(value, "size"), delivered = number_of(value, "delivered");
  if (!size || !delivered || *size == 0 || *delivered > *size) return std::nullopt;
  ReplayEvent event;
  event.kind = Kind::file;
  event.size = *size;
  event.bytes = *delivered;
  event.released = value.value("released", Json(false)) == Json(true);
  return event;
}

std::optional<ReplayEvent> event_of(const std::string& key, const Json& value) {
  ReplayEvent event;
  for (const auto& known : kTexts) {
    if (known.key != key) continue;
    if (!value.is_string()) return std::nullopt;
    event.kind = known.kind;
    event.text = value;
    return event;
  }
  if (key == "file") return file_event(value);
  if (key == "error") {
    if (!value.is_object()) return std::nullopt;
    event.kind = Kind::error;
    const auto code = value.find("code");
    if (code != value.end()) event.text = code->is_string() ? code->get<std::string>() : code->dump();
    return event;
  }
  if (!value.is_number_unsigned()) return std::nullopt;
  if (key == "attempt" || key == "hop") return event;
  if (key != "data" && key != "dropped") return std::nullopt;
  event.kind = key == "data" ? Kind::data : Kind::dropped;
  event.bytes = value;
  return event;
}

/// A port that the gateway closed did not go, and needs not come back.
void tell_apart(ReplayEvent& event, bool& gone) {
  if (event.kind == Kind::closed) {
    gone = event.text != "by the gateway" && event.text != "the gateway ended";
    if (!gone) event.kind = Kind::step;
  } else if (event.kind == Kind::open && !std::exchange(gone, false)) {
    event.kind = Kind::step;
  }
}

/// What stands in the first answer to this command, behind `behind` if there is one.
std::string told(const ReplayScript& script, std::string_view command, std::string_view behind) {
  bool asked = false, reached = behind.empty();
  for (const auto& event : script.events) {
    if (event.kind == Kind::command) asked = event.text == command;
    if (!asked || event.kind != Kind::line) continue;
    if (reached) return event.text;
    reached = event.text.starts_with(behind);
  }
  return "";
}

/// A module that nobody had met before it was updated has no name in the head.
void complete(ReplayScript& script) {
  if (script.imei.empty()) script.imei = told(script, "AT+GSN", "");
  if (script.imei.empty()) script.imei = imei_of(0);
  if (script.model.empty()) script.model = told(script, "ATI", "Quectel");
  if (script.model.empty()) script.model = "UC20";
  if (script.from.empty()) script.from = Family::of(builtin_profiles(), script.model).first_version(script.model);
}

bool is_known(std::string_view key) {
  static constexpr std::string_view kOthers[] = {"file", "error", "attempt", "hop", "data", "dropped", "outcome"};
  const auto is_key = [key](const TextEvent& known) { return known.key == key; };
  return std::any_of(std::begin(kTexts), std::end(kTexts), is_key) ||
         std::find(std::begin(kOthers), std::end(kOthers), key) != std::end(kOthers);
}

/// Empty: understood, and behind the others. What else stands beside an event is left out. `over`: it was the outcome.
std::string take_event(const Json& line, ReplayScript& script, bool& over) {
  if (line.is_object() && line.contains("transcript")) return "a second head: a file holds one transcript";
  const auto time = line.is_object() ? line.find("t") : line.end();
  if (!line.is_object() || time == line.end() || !time->is_number()) {
    return "no event: it must be {\"t\":<seconds>,\"<what>\":...}";
  }
  std::vector<std::string> keys;
  for (const auto& [key, value] : line.items()) {
    if (is_known(key)) keys.push_back(key);
  }
  if (keys.empty()) return "an event that is not understood: " + shown(line.dump());
  if (keys.size() > 1) return "no event: it is both \"" + keys[0] + "\" and \"" + keys[1] + "\"";
  const auto& value = line[keys[0]];
  over = keys[0] == "outcome" && value.is_string();
  if (over) {
    script.outcome = value;
    return "";
  }
  auto event = event_of(keys[0], value);
  if (!event) return "an event that is not understood: \"" + keys[0] + "\":" + shown(value.dump());
  event->t = *time;
  if (event->kind == Kind::dropped) {
    script.notes.push_back(std::to_string(event->bytes) + " events are missing: the recorder had dropped them");
  }
  script.events.push_back(std::move(*event));
  return "";
}

}  // namespace

Result<ReplayScript> parse_replay(std::string_view text, const std::string& name) {
  ReplayScript script;
  script.file = name;
  bool over = false, gone = false;
  std::size_t number = 0;
  while (!text.empty() && !over) {
    ++number;
    const auto where = name + ":" + std::to_string(number);
    const auto end = text.find('\n');
    const bool whole = end != std::string_view::npos;
    const auto line = text.substr(0, end);
    text.remove_prefix(whole ? end + 1 : text.size());
    const auto json = Json::parse(line.begin(), line.end(), nullptr, false);
    if (json.is_discarded() && !whole && number > 1) {
      script.notes.push_back(where + ": half a line at the end was left out: the recording was cut off");
      break;
    }
    if (json.is_discarded() && number > 1) return Error(Errc::invalid, where + ": no JSON: " + shown(line));
    const auto fault = number == 1 ? take_head(json, script) : take_event(json, script, over);
    if (!fault.empty()) return Error(Errc::invalid, where + ": " + fault);
  }
  for (auto& event : script.events) tell_apart(event, gone);
  if (number == 0) return Error(Errc::invalid, name + ":1: no transcript: the file is empty");
  complete(script);
  return script;
}

Result<ReplayScript> load_replay(const std::string& path) {
  std::error_code unknown;
  const auto size = std::filesystem::file_size(path, unknown);
  std::ifstream file(path, std::ios::binary);
  if (unknown || !file) return Error(Errc::absent, "cannot read the transcript " + path);
  if (size > kMaxBytes) {
    return Error(Errc::invalid,
                 path + ": no transcript: " + std::to_string(size) + " bytes, more than " + std::to_string(kMaxBytes));
  }
  const std::string text(std::istreambuf_iterator<char>(file), {});
  return parse_replay(text, path);
}

}  // namespace dfota::sim
