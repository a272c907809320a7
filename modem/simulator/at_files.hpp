// The AT commands of the module's file system: AT+QFLDS, AT+QFLST, AT+QFDEL, AT+QFUPL. Errors are those of Quectel's
// FILE manuals: 400 invalid value, 405 not found, 406 invalid name, 407 exists, 420 no space. No I/O but the files'.
//   host: AT+QFLST="UFS:d.bin"\r   module: \r\n+QFLST: "UFS:d.bin",1208\r\n\r\nOK\r\n
#pragma once

#include <optional>
#include <string_view>

#include "modem/simulator/at_commands.hpp"

namespace dfota::sim {

inline constexpr int kCmeFileNotFound = 405;
inline constexpr int kCmeNoSpace = 420;

/// Nothing when the command is another's. An accepted AT+QFUPL has `upload` set and CONNECT as its text.
std::optional<AtAnswer> answer_files(std::string_view command, const Behaviour& behaviour, const AtSettings& settings,
                                     AtSubject& subject);

}  // namespace dfota::sim
