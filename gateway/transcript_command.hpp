// cmd/transcript: what was recorded of a module's update, page by page. Read from the disk, so it is answered later.
// Loop thread only.
#pragma once

#include <optional>
#include <string>
#include <variant>

#include "gateway/answer.hpp"
#include "gateway/jobs.hpp"
#include "gateway/transcripts.hpp"

namespace dfota {

/// Where a page ends: "<job>/<run>/<events said>". It names the run, so that another update in between is noticed.
struct TranscriptCursor {
  std::string job;
  unsigned run = 0;
  std::uint64_t events = 0;

  [[nodiscard]] std::string text() const;
  static std::optional<TranscriptCursor> read(const std::string& text);
};

class TranscriptCommand {
 public:
  static constexpr std::size_t kPageBytes = 48 << 10;  ///< of events; MQTT services take 128 KiB
  static constexpr std::size_t kPageEvents = 500;
  static constexpr unsigned kMostAtOnce = 16;  ///< more are answered `busy`

  /// All must outlive it.
  TranscriptCommand(const Jobs& jobs, const Jobs::Modules& modules, Transcripts& transcripts)
      : jobs_(jobs), modules_(modules), transcripts_(transcripts) {}

  /// {"module": id, "job": id, "after": cursor}, the last two optional. Answered later: {"module", "job", "run",
  /// "started_at", "head", "lines": [...], "next": cursor or null}.
  std::variant<Answer, CommandFault> run(const nlohmann::json& document);

 private:
  struct Order {
    std::string module, job;
    std::optional<TranscriptCursor> after;
  };

  std::variant<Order, CommandFault> read(const nlohmann::json& document) const;
  Awaitable<nlohmann::json> answer(Order order);

  const Jobs& jobs_;
  const Jobs::Modules& modules_;
  Transcripts& transcripts_;
  unsigned running_ = 0;
};

/// The page behind `after` of what was read; the fault `invalid` when that is of another run.
std::variant<nlohmann::json, CommandFault> transcript_page(const ReadTranscript& transcript,
                                                           const std::optional<TranscriptCursor>& after);

}  // namespace dfota
