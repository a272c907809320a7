// The AT side of the module's own HTTP client (AT+QHTTPCFG, QHTTPURL, QHTTPGET, QHTTPREAD), after Quectel's HTTP(S) AT
// command manuals; what it fetches: virtual_http.cpp. No I/O.
//   host: AT+QHTTPREAD=60\r   module: \r\nCONNECT\r\n<body>\r\nOK\r\n\r\n+QHTTPREAD: 0\r\n
#pragma once

#include <optional>
#include <string_view>

#include "modem/simulator/at_commands.hpp"

namespace dfota::sim {

/// Nothing when the command is another's.
std::optional<AtAnswer> answer_http(std::string_view command, const AtSettings& settings, const AtSubject& subject);

}  // namespace dfota::sim
