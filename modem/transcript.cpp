#include "modem/transcript.hpp"

#include <algorithm>
#include <utility>

#include "transport/base/masked.hpp"

namespace dfota {
namespace {

using Kind = TranscriptEvent::Kind;

constexpr std::string_view kCut = "...";

/// Masked as a whole, then cut: half a secret is a secret.
std::string told(std::string_view text) {
  auto masked = masked_line(text);
  if (masked.size() > Transcript::kMostText) {
    masked.resize(Transcript::kMostText - kCut.size());
    masked += kCut;
  }
  return masked;
}

Kind kind_of(AtEvent::Kind kind) {
  switch (kind) {
    case AtEvent::Kind::ok:
    case AtEvent::Kind::error:
    case AtEvent::Kind::cme_error:
    case AtEvent::Kind::cms_error:
    case AtEvent::Kind::connect:
      return Kind::final;
    case AtEvent::Kind::info:
      return Kind::line;
    case AtEvent::Kind::urc:
      return Kind::urc;
    case AtEvent::Kind::ack:
    case AtEvent::Kind::noise:
      return Kind::noise;
  }
  return Kind::noise;
}

bool same(const Transfer& one, const Transfer& other) {
  return one.size == other.size && one.delivered_bytes == other.delivered_bytes && one.released == other.released;
}

}  // namespace

void Transcript::go_on_after(std::vector<TranscriptEvent> before, std::chrono::milliseconds later) {
  auto mine = events();
  first_.clear();
  last_.clear();
  dropped_ = 0;
  for (auto& event : before) {
    later = std::max(later, event.at);  // the wall clock may have been set back meanwhile
    add(std::move(event));
  }
  add({Kind::closed, later, "the gateway ended", 0});
  for (auto& event : mine) {
    event.at += later;
    add(std::move(event));
  }
  began_at_ -= later;
}

void Transcript::file_seen(const Transfer& transfer) {
  if (transfer.size == 0) return;
  const auto before = file_.value_or(Transfer());
  const bool first_byte = transfer.delivered_bytes > 0 && before.delivered_bytes == 0;
  const bool all = transfer.delivered_bytes == transfer.size && before.delivered_bytes < transfer.size;
  if (first_byte || all || transfer.released != before.released) note_file(transfer);
}

void Transcript::note_file(const Transfer& transfer) {
  file_ = transfer;
  TranscriptEvent event{Kind::file};
  event.file_size = transfer.size;
  event.file_delivered = transfer.delivered_bytes;
  event.file_released = transfer.released;
  note(std::move(event));
}

void Transcript::went_on_to(unsigned attempt, Phase phase) {
  if (attempt != attempt_) {
    note({Kind::attempt, {}, {}, attempt});
    phase_.reset();
  }
  attempt_ = attempt;
  if (phase != phase_) note({Kind::step, {}, std::string(to_word(phase))});
  phase_ = phase;
}

void Transcript::hop(unsigned number) {
  note({Kind::hop, {}, {}, number});
  attempt_ = 0;
}

void Transcript::error(const std::string& json) {
  if (json == error_) return;
  error_ = json;
  note({Kind::error, {}, json});
}

void Transcript::outcome(Outcome outcome) {
  note({Kind::outcome, {}, std::string(to_word(outcome))});
}

/// Thousands of pieces in a row are one event.
void Transcript::data_sent(std::size_t bytes) {
  auto* newest = !last_.empty() ? &last_.back() : !first_.empty() && dropped_ == 0 ? &first_.back() : nullptr;
  if (newest == nullptr || newest->kind != Kind::data || sealed_) return note({Kind::data, {}, {}, bytes});
  newest->number += bytes;
  newest->at = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - began_at_);
}

void Transcript::heard(const AtEvent& event) {
  const auto kind = kind_of(event.kind);
  if (kind == Kind::urc && look_) {
    const auto transfer = look_();
    if (transfer.size > 0 && !same(transfer, file_.value_or(Transfer()))) note_file(transfer);
  }
  note_text(kind, event.text);
}

void Transcript::note_text(Kind kind, std::string_view text) {
  note({kind, {}, told(text)});
}

void Transcript::note(TranscriptEvent event) {
  event.at = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - began_at_);
  if (event.kind == Kind::attempt) error_.clear();
  sealed_ = false;
  add(std::move(event));
}

void Transcript::add(TranscriptEvent event) {
  if (event.kind == Kind::dropped) {
    dropped_ += event.number + last_.size();
    dropped_at_ = event.at;
    last_.clear();
    return;
  }
  if (first_.size() < kFirst && dropped_ == 0) {
    first_.push_back(std::move(event));
    return;
  }
  if (last_.size() == kLast) {
    ++dropped_;
    dropped_at_ = last_.front().at;
    last_.pop_front();
  }
  last_.push_back(std::move(event));
}

std::vector<TranscriptEvent> Transcript::events(std::uint64_t from) {
  sealed_ = true;
  const std::uint64_t middle = first_.size(), tail = middle + dropped_;
  std::vector<TranscriptEvent> out;
  for (auto i = std::min(from, middle); i < middle; ++i) out.push_back(first_[i]);
  if (from < tail && dropped_ > 0) out.push_back({Kind::dropped, dropped_at_, {}, tail - std::max(from, middle)});
  for (auto i = std::max(from, tail) - tail; i < last_.size(); ++i) out.push_back(last_[i]);
  return out;
}

}  // namespace dfota
