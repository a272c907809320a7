// The words of the API that no module and no update brings: why a command is refused, and the faults of the gateway
// itself. The tables behind README.md and `dfota explain`; what happens to a module is in modem/finding.hpp. Constants;
// any thread.
#pragma once

#include <span>
#include <string_view>

namespace dfota {

struct ApiCode {
  std::string_view word, meaning, hint;
  bool again;  ///< the same command may be taken later; the fault may pass by itself
};

std::span<const ApiCode> refusal_codes();  ///< `code` of a reply that says error
std::span<const ApiCode> fault_codes();    ///< R/error/gateway/<code>, and `problems` of R/info

}  // namespace dfota
