// The flight recorder of one update: what was said on the module's port, what the module took from our file server, and
// what the procedure went on to, each with its time. Bounded: the beginning and the end are kept; secrets are masked
// before they get here. docs/transcript.md has the format in which gateway/ writes it down. Loop thread; no I/O.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "modem/port_observer.hpp"
#include "modem/update_types.hpp"
#include "transport/base/clock.hpp"
#include "transport/file_server.hpp"

namespace dfota {

struct TranscriptEvent {
  /// In the order of the document, which calls them so.
  enum class Kind {
    open,
    closed,
    cmd,
    data,
    line,
    final,
    urc,
    noise,
    file,
    attempt,
    hop,
    step,
    error,
    outcome,
    dropped
  };
  Kind kind;
  std::chrono::milliseconds at{};                   ///< since the update began
  std::string text = {};                            ///< of error: the object of the error topics, as JSON
  std::uint64_t number = 0;                         ///< of data, attempt, hop and dropped
  std::uint64_t file_size = 0, file_delivered = 0;  ///< of file
  bool file_released = false;                       ///< of file
};

class Transcript : public PortObserver {
 public:
  static constexpr std::size_t kFirst = 500, kLast = 1500;  ///< events that are kept of the beginning and of the end
  static constexpr std::size_t kMostText = 512;             ///< bytes of a line; what is longer ends in "..."

  Transcript() : began_at_(Clock::now()) {}

  /// These were recorded by an earlier process, which ended; what was recorded here follows them. `later`: how long
  /// after their beginning this one began.
  void go_on_after(std::vector<TranscriptEvent> before, std::chrono::milliseconds later);

  /// What the module has got of the file by now; asked before a URC is noted. Null: there is none.
  void watch_file(std::function<Transfer()> look) { look_ = std::move(look); }
  /// Noted where it changed noticeably: the first byte, the release of the last one, all of it.
  void file_seen(const Transfer& transfer);
  /// A new attempt has a file of its own.
  void new_file() { file_.reset(); }

  /// Each noted when it is another than before.
  void went_on_to(unsigned attempt, Phase phase);
  void hop(unsigned number);
  /// `json`: as on the error topics. The same one twice in a row is noted once.
  void error(const std::string& json);
  void outcome(Outcome outcome);

  // PortObserver
  void port_opened(std::string_view name) override { note_text(TranscriptEvent::Kind::open, name); }
  void port_closed(std::string_view why) override { note_text(TranscriptEvent::Kind::closed, why); }
  void command_sent(std::string_view text) override { note_text(TranscriptEvent::Kind::cmd, text); }
  void data_sent(std::size_t bytes) override;
  void heard(const AtEvent& event) override;

  /// How many there were, the dropped ones too: the position of the next one.
  [[nodiscard]] std::uint64_t end() const { return first_.size() + dropped_ + last_.size(); }
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }
  /// From this position on, with one event for those that were dropped. What they tell is final: what comes is another
  /// event.
  std::vector<TranscriptEvent> events(std::uint64_t from = 0);

 private:
  void note(TranscriptEvent event);
  void note_text(TranscriptEvent::Kind kind, std::string_view text);
  void note_file(const Transfer& transfer);
  void add(TranscriptEvent event);

  Clock::time_point began_at_;
  std::function<Transfer()> look_;
  std::optional<Transfer> file_;  ///< as it was noted last
  unsigned attempt_ = 0;
  std::optional<Phase> phase_;
  std::string error_;
  bool sealed_ = false;  ///< the newest event was told, and stays as it is
  std::vector<TranscriptEvent> first_;
  std::deque<TranscriptEvent> last_;
  std::uint64_t dropped_ = 0;
  std::chrono::milliseconds dropped_at_{};  ///< the newest of them
};

}  // namespace dfota
