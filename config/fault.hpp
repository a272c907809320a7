// A fault of a file that an operator wrote, and the list of them. Plain values; any thread.
#pragma once

#include <string>
#include <vector>

namespace dfota {

/// One fault, printed as `FILE:LINE:COL: message`.
struct ConfigFault {
  std::string file;
  unsigned line = 0, column = 0;
  std::string message;
  [[nodiscard]] std::string text() const;
};

using ConfigFaults = std::vector<ConfigFault>;

}  // namespace dfota
