#include "modem/update_types.hpp"

#include <algorithm>
#include <array>

namespace dfota {
namespace {
constexpr std::array<std::string_view, 8> kPhases = {"idle",        "queued",    "preparing", "uploading",
                                                     "downloading", "rebooting", "updating",  "verifying"};
constexpr std::array<std::string_view, 6> kOutcomes = {"succeeded", "skipped",  "rejected",
                                                       "failed",    "canceled", "lost"};

constexpr std::array<std::string_view, 5> kDeliveries = {"http", "ftp", "url", "upload", "file"};

template <class Enum, std::size_t count>
std::optional<Enum> from_word(const std::array<std::string_view, count>& words, std::string_view word) {
  const auto found = std::find(words.begin(), words.end(), word);
  if (found == words.end()) return std::nullopt;
  return static_cast<Enum>(found - words.begin());
}

}  // namespace

std::string_view to_word(Phase phase) {
  return kPhases[static_cast<std::size_t>(phase)];
}

std::string_view to_word(Delivery delivery) {
  return kDeliveries[static_cast<std::size_t>(delivery)];
}

std::optional<Delivery> delivery_from_word(std::string_view word) {
  return from_word<Delivery>(kDeliveries, word);
}

std::string_view to_word(Outcome outcome) {
  return kOutcomes[static_cast<std::size_t>(outcome)];
}

std::optional<Phase> phase_from_word(std::string_view word) {
  return from_word<Phase>(kPhases, word);
}

std::optional<Outcome> outcome_from_word(std::string_view word) {
  return from_word<Outcome>(kOutcomes, word);
}

UpdateError UpdateError::of(CodeSource source, int number, Phase phase, const Profile* profile) {
  const auto code = explain(source, number, profile);
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
