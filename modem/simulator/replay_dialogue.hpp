// What a recorded dialogue says about a command that comes now: which recorded one it is, what was answered to it, and
// whether the module may be spoken to at all at this point. Places are indexes of the script's events; `at` is the next
// event that has not been played. Plain values, no I/O.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "modem/simulator/replay_script.hpp"

namespace dfota::sim {

/// What a URC means for the course of an update, whatever family says it.
enum class ReplayStage {
  none,
  start_of_transfer,  ///< HTTPSTART, FTPSTART, FILESTART
  transferred,        ///< HTTPEND,0 and the like
  transfer_failed,    ///< HTTPEND,716
  flashing,           ///< START, UPDATING, RESTORE
  ended,              ///< END
  booted,             ///< RDY, APP RDY
  other               ///< DOWNLOADING; it powers down
};
ReplayStage replay_stage(std::string_view urc);

/// The same command: "***" of the recorded one stands for anything, AT+QFOTADL only has to name the same kind of
/// address (http, ftp, FILE:, a file), AT+QFUPL the same name.
bool same_command(std::string_view recorded, std::string_view sent);
bool is_qfotadl(std::string_view command);
bool is_upload(std::string_view command);
/// AT+QFOTADL="FILE:<size>".
bool is_stream(std::string_view command);
/// The declared size in AT+QFUPL="name",<size> and in AT+QFOTADL="FILE:<size>"; 0: none.
std::uint64_t declared_size(std::string_view command);

class ReplayDialogue {
 public:
  /// The script must outlive it.
  explicit ReplayDialogue(const ReplayScript& script);

  /// The recorded command that this one is: the next one, or a later one with nothing but commands and idle talk before
  /// it. AT+QFOTADL is found behind anything that the module has not said yet, unless it is silent.
  [[nodiscard]] std::optional<std::size_t> find(std::size_t at, std::string_view sent) const;
  /// Before the first AT+QFOTADL a bare AT begins the dialogue anew: gateways greet, scan and restart.
  [[nodiscard]] std::optional<std::size_t> find_beginning(std::size_t at, std::string_view sent) const;
  /// A recorded command like this one whose answer fits best: the last one before, else the first one later.
  [[nodiscard]] std::optional<std::size_t> find_nearest(std::size_t at, std::string_view sent) const;

  /// Lines and final line behind a command, up to the next one.
  [[nodiscard]] std::vector<std::size_t> answer(std::size_t command) const;
  [[nodiscard]] bool answered(std::size_t command) const;
  /// It flashes or boots, and was not heard to answer yet: what was not recorded here is not answered.
  [[nodiscard]] bool silent(std::size_t at) const { return silent_[at]; }
  /// The next thing that the module does by itself and that a host must not miss, before the next AT+QFOTADL.
  [[nodiscard]] std::optional<std::size_t> next_act(std::size_t at) const;
  /// The next AT+QFOTADL at or behind this place; the end when there is none.
  [[nodiscard]] std::size_t next_update(std::size_t at) const;
  /// How the transfer that is under way ends: transferred, transfer_failed, or none when that was not heard.
  [[nodiscard]] ReplayStage transfer_end(std::size_t at) const;
  /// As told last before this place; the base before it was told at all.
  [[nodiscard]] std::string version(std::size_t at) const;

 private:
  [[nodiscard]] bool is_act(std::size_t at) const;
  [[nodiscard]] std::size_t end() const { return script_.events.size(); }

  const ReplayScript& script_;
  std::vector<bool> silent_;
};

}  // namespace dfota::sim
