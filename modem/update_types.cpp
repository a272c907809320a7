#include "modem/update_types.hpp"

#include <array>

namespace dfota {
namespace {
constexpr std::array<std::string_view, 8> kPhases = {"idle",        "queued",    "preparing", "uploading",
                                                     "downloading", "rebooting", "updating",  "verifying"};
constexpr std::array<std::string_view, 6> kOutcomes = {"succeeded", "skipped",  "rejected",
                                                       "failed",    "canceled", "lost"};
}  // namespace

std::string_view to_word(Phase phase) {
  return kPhases[static_cast<std::size_t>(phase)];
}

std::string_view to_word(Outcome outcome) {
  return kOutcomes[static_cast<std::size_t>(outcome)];
}

std::optional<Outcome> outcome_from_word(std::string_view word) {
  for (std::size_t i = 0; i < kOutcomes.size(); ++i) {
    if (kOutcomes[i] == word) return static_cast<Outcome>(i);
  }
  return std::nullopt;
}

UpdateError UpdateError::of(CodeSource source, int number, Phase phase) {
  const auto code = explain(source, number);
  UpdateError error;
  error.number = number;
  error.source = to_word(source);
  error.name = code.name;
  error.meaning = code.meaning;
  error.hint = code.hint;
  error.phase = phase;
  error.retryable = code.retryable;
  return error;
}

UpdateError UpdateError::of(Finding finding, Phase phase, std::string message) {
  const auto& text = explain(finding);
  UpdateError error;
  error.source = "gateway";
  error.name = text.word;
  error.meaning = text.meaning;
  error.hint = text.hint;
  error.message = std::move(message);
  error.phase = phase;
  error.retryable = text.retryable;
  return error;
}

}  // namespace dfota
