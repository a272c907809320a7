// Comparison of secrets in a time that does not depend on where they differ. Any thread.
#pragma once

#include <string_view>

namespace dfota {

inline bool even_time_equal(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  unsigned char difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i) difference |= static_cast<unsigned char>(a[i] ^ b[i]);
  return difference == 0;
}

}  // namespace dfota
