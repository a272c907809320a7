// When may what be written to a module? The laws 1-4 of the contract as one table: how far the attempt has got
// (journalled before it is so) against what is known of the module since. The procedure asks it before every single
// write.
#pragma once

#include <array>
#include <optional>
#include <string_view>

namespace dfota {

/// How far an attempt has got. It is in the journal before it is true.
enum class Step {
  preparing,  ///< nothing was commanded
  commanded,  ///< AT+QFOTADL may have been written; the last byte of the delta has not left
  released,   ///< the last byte may have left, or, for all deliveries but http, AT+QFOTADL itself: the module may be
              ///< flashing, whatever happens to us
};

/// The newest thing that is known of the module since the command.
enum class Evidence {
  nothing,
  refused,          ///< ERROR or +CME ERROR to AT+QFOTADL
  transfer_failed,  ///< HTTPEND, FTPEND or FILEEND other than 0
  token_void,       ///< our token was voided before its last byte was released
  fota_urc,         ///< START, UPDATING or RESTORE
  booted,           ///< RDY, APP RDY or +CPIN, and a settle time of silence after it
  ended,            ///< END, and a settle time of silence after it
  silence,          ///< nothing at all was heard for timeouts.progress_gap
  answered,         ///< it answered the bare AT that ended such a silence
  file_wanted,      ///< FILESTART: it waits for the bytes that AT+QFOTADL="FILE:<length>" announced
};

/// `package`: the bytes of the delta, and nothing else.
enum class MaySend { nothing, bare_at, package, anything };

inline constexpr int kSteps = 3;
inline constexpr int kEvidences = 10;

// clang-format off
inline constexpr std::array<std::array<MaySend, kEvidences>, kSteps> kMaySend = [] {
  constexpr auto no = MaySend::nothing, at = MaySend::bare_at, pkg = MaySend::package, all = MaySend::anything;
  return std::array<std::array<MaySend, kEvidences>, kSteps>{{
      //            nothing refused transfer_failed token_void fota_urc booted ended silence answered file_wanted
      /*preparing*/ {all,   all,    all,            all,       no,      all,   all,  at,     all,     no},
      /*commanded*/ {no,    all,    all,            all,       no,      no,    all,  no,     no,      no},
      /*released*/  {no,    all,    all,            no,        no,      all,   all,  at,     all,     pkg},
  }};
}();
// clang-format on

constexpr MaySend may_send(Step step, Evidence evidence) {
  return kMaySend[static_cast<std::size_t>(step)][static_cast<std::size_t>(evidence)];
}

std::string_view to_word(Step step);
std::optional<Step> step_from_word(std::string_view word);

}  // namespace dfota
