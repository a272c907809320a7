// What the module says about its SIM, its registration and its PDP contexts, the states that a host must see before it
// starts an update. No I/O.
//   host: AT+CPIN?\r   module: \r\n+CPIN: READY\r\n\r\nOK\r\n
#pragma once

#include <optional>
#include <string_view>

#include "modem/simulator/at_commands.hpp"

namespace dfota::sim {

/// Nothing when the command is another's.
std::optional<AtAnswer> answer_network(std::string_view command, const Behaviour& behaviour, const AtSettings& settings,
                                       AtSubject& subject);

}  // namespace dfota::sim
