// A transcript as JSON lines (docs/transcript.md), and back: its head, which says of whom and of what it is, and its
// events. Pure functions; any thread.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/text.hpp"
#include "modem/transcript.hpp"

namespace dfota {

struct TranscriptHead {
  std::string gateway, module;
  std::string imei, model, profile;  ///< empty: not known
  std::string job;
  unsigned run = 1;
  std::string from, to;  ///< likewise
  std::string delivery;
  WallTime started_at{};
};

nlohmann::json to_json(const TranscriptHead& head);
nlohmann::json to_json(const TranscriptEvent& event);

/// One of these lines; nothing when it is none of a version that is known here.
std::optional<TranscriptHead> head_from_json(const nlohmann::json& document);
std::optional<TranscriptEvent> event_from_json(const nlohmann::json& document);

/// So much as can be read: a half last line, and whatever else is no event, is left out. Nothing without a head.
struct ReadTranscript {
  TranscriptHead head;
  std::vector<TranscriptEvent> events;
  [[nodiscard]] bool ended() const { return !events.empty() && events.back().kind == TranscriptEvent::Kind::outcome; }
};
std::optional<ReadTranscript> read_transcript(std::string_view text);

/// The events, a line each.
std::string lines_of(const std::vector<TranscriptEvent>& events);

}  // namespace dfota
