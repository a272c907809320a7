// What a command is answered with, whichever verb it was. Loop thread.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>

#include "gateway/command_fields.hpp"
#include "transport/base/awaitable.hpp"

namespace dfota {

/// {"status":"error","error":{"code","message","pointer"}}
nlohmann::json error_reply(const CommandFault& fault);
/// {"status":"ok","data":{...},"warnings":[]}
nlohmann::json ok_reply(nlohmann::json data);

struct Answer {
  nlohmann::json reply;
  bool silent = false;  ///< a command to all gateways that is none of ours
  /// Of a command that may take minutes: its message is acknowledged before, and what this gives is the reply. A
  /// gateway that is stopped meanwhile does not answer.
  std::function<Awaitable<nlohmann::json>()> later = nullptr;
};

}  // namespace dfota
