// Who a simulated module is: its IMEI, and what it keeps over a restart of the rack (version, IMEI, number of boots) in
// a small JSON file that is replaced atomically. No thread of its own.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "transport/base/result.hpp"

namespace dfota::sim {

/// The check digit ('0'-'9') that ISO/IEC 7812 Luhn demands behind these digits.
char luhn_check_digit(std::string_view digits);
/// 15 digits, the last one the check digit; the same for the same index, another for each index below a million.
std::string imei_of(int index);

struct Memory {
  std::string version;
  std::string imei;
  uint64_t boots = 0;
};

/// Errc::absent when there is no file yet; Errc::invalid when it is not one of ours.
Result<Memory> load_memory(const std::string& path);
Result<void> save_memory(const std::string& path, const Memory& memory);

}  // namespace dfota::sim
