// Who is at a port that belongs to no module yet? It is opened, listened to, asked AT, ATI and AT+GSN, and closed: what
// answers as a module does is one, and everything else is left alone. One coroutine on the loop for each port.
#pragma once

#include <functional>
#include <string>

#include "config/config.hpp"
#include "modem/identity.hpp"
#include "transport/base/awaitable.hpp"
#include "transport/base/result.hpp"

namespace dfota {

/// What may be said to it, asked for again before anything is.
enum class AskLeave {
  ask,
  listen,   ///< some module flashes whose port is gone, and this may be it under another name: it is spoken to only
            ///< after it has booted and a settle time, or after a silence of timeouts.progress_gap (laws 3 and 4)
  give_up,  ///< its device belongs to a module now
};

/// Errors: those of open_link; timeout: it does not answer AT; refused: it said that it flashes, or give_up; invalid:
/// what answers is no module; link_lost: the port went. `modem`, `timeouts` must outlive the call.
Awaitable<Result<Identity>> ask_port(asio::io_context& loop, std::string port, const ModemConfig& modem,
                                     const TimeoutsConfig& timeouts, std::function<AskLeave()> leave);

}  // namespace dfota
