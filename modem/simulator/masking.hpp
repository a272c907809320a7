// What the rack's log never shows: the password of a URL, user and password of a PDP context. No I/O.
//   AT+QFOTADL="FTP://u:secret@h:21/d" -> AT+QFOTADL="FTP://u:***@h:21/d"
//   AT+QICSGP=1,1,"apn","user","secret",1 -> AT+QICSGP=1,1,"apn","***","***",1
#pragma once

#include <string>
#include <string_view>

namespace dfota::sim {

/// A command, an address, or any piece of them that was cut off somewhere.
std::string without_secrets(std::string_view text);

}  // namespace dfota::sim
