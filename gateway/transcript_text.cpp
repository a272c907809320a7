#include "gateway/transcript_text.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "gateway/transcript_line.hpp"

namespace dfota {
namespace {

using nlohmann::json;
using Kind = TranscriptEvent::Kind;

constexpr int kVersion = 1;
constexpr std::array<const char*, 15> kKeys = {"open", "closed",  "cmd", "data", "line",  "final",   "urc",    "noise",
                                               "file", "attempt", "hop", "step", "error", "outcome", "dropped"};

json text_or_null(const std::string& text) {
  return text.empty() ? json(nullptr) : json(text);
}

std::string text_of(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::uint64_t number_of(const json& value) {
  return value.is_number_unsigned() ? value.get<std::uint64_t>() : 0;
}

std::uint64_t number_of(const json& object, const char* key) {
  const auto found = object.find(key);
  return found == object.end() ? 0 : number_of(*found);
}

json value_of(const TranscriptEvent& event) {
  switch (event.kind) {
    case Kind::data:
    case Kind::attempt:
    case Kind::hop:
    case Kind::dropped:
      return event.number;
    case Kind::file:
      return {{"size", event.file_size}, {"delivered", event.file_delivered}, {"released", event.file_released}};
    case Kind::error:
      return json::parse(event.text, nullptr, false);
    case Kind::open:
    case Kind::closed:
    case Kind::cmd:
    case Kind::line:
    case Kind::final:
    case Kind::urc:
    case Kind::noise:
    case Kind::step:
    case Kind::outcome:
      return event.text;
  }
  return nullptr;
}

/// False: it is none of its kind.
bool take_value(const json& value, TranscriptEvent& event) {
  switch (event.kind) {
    case Kind::data:
    case Kind::attempt:
    case Kind::hop:
    case Kind::dropped:
      event.number = number_of(value);
      return value.is_number_unsigned();
    case Kind::file:
      if (!value.is_object()) return false;
      event.file_size = number_of(value, "size");
      event.file_delivered = number_of(value, "delivered");
      event.file_released = value.contains("released") && value.at("released") == true;
      return true;
    case Kind::error:
      event.text = value.dump();
      return value.is_object();
    case Kind::open:
    case Kind::closed:
    case Kind::cmd:
    case Kind::line:
    case Kind::final:
    case Kind::urc:
    case Kind::noise:
    case Kind::step:
    case Kind::outcome:
      if (value.is_string()) event.text = value.get<std::string>();
      return value.is_string();
  }
  return false;
}

}  // namespace

json to_json(const TranscriptHead& head) {
  return {{"transcript", kVersion},
          {"gateway", head.gateway},
          {"module", head.module},
          {"imei", text_or_null(head.imei)},
          {"model", text_or_null(head.model)},
          {"profile", text_or_null(head.profile)},
          {"job", head.job},
          {"run", head.run},
          {"from", text_or_null(head.from)},
          {"to", text_or_null(head.to)},
          {"delivery", head.delivery},
          {"started_at", rfc3339(head.started_at)}};
}

json to_json(const TranscriptEvent& event) {
  constexpr double kMillisecondsPerSecond = 1000;
  json out;
  out["t"] = static_cast<double>(event.at.count()) / kMillisecondsPerSecond;
  out[kKeys[static_cast<std::size_t>(event.kind)]] = value_of(event);
  return out;
}

std::optional<TranscriptHead> head_from_json(const json& document) {
  if (!document.is_object() || !document.contains("transcript") || document.at("transcript") != kVersion) return {};
  TranscriptHead head;
  head.gateway = text_of(document, "gateway");
  head.module = text_of(document, "module");
  head.imei = text_of(document, "imei");
  head.model = text_of(document, "model");
  head.profile = text_of(document, "profile");
  head.job = text_of(document, "job");
  head.run = static_cast<unsigned>(number_of(document, "run"));
  head.from = text_of(document, "from");
  head.to = text_of(document, "to");
  head.delivery = text_of(document, "delivery");
  const auto started_at = parse_rfc3339(text_of(document, "started_at"));
  if (!started_at) return {};
  head.started_at = *started_at;
  return head;
}

std::optional<TranscriptEvent> event_from_json(const json& document) {
  if (!document.is_object() || !document.contains("t") || !document.at("t").is_number()) return {};
  const auto seconds = document.at("t").get<double>();
  constexpr double kMost = 1e9;
  if (!(seconds >= 0 && seconds < kMost)) return {};
  for (std::size_t kind = 0; kind < kKeys.size(); ++kind) {
    const auto found = document.find(kKeys[kind]);
    if (found == document.end()) continue;
    TranscriptEvent event{static_cast<Kind>(kind)};
    event.at = std::chrono::milliseconds(std::llround(seconds * 1000));
    if (take_value(*found, event)) return event;
  }
  return {};
}

std::optional<ReadTranscript> read_transcript(std::string_view text) {
  std::optional<ReadTranscript> out;
  for (std::size_t from = 0, to = 0; (to = text.find('\n', from)) != std::string_view::npos; from = to + 1) {
    const auto document = json::parse(text.substr(from, to - from), nullptr, false);
    if (!out) {
      const auto head = head_from_json(document);
      if (!head) return {};
      out.emplace().head = *head;
    } else if (auto event = event_from_json(document)) {
      out->events.push_back(std::move(*event));
    }
  }
  return out;
}

std::string lines_of(const std::vector<TranscriptEvent>& events) {
  std::string out;
  for (const auto& event : events) out += transcript_line(to_json(event)) + "\n";
  return out;
}

}  // namespace dfota
