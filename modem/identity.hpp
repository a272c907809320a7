// Who a module says it is. All of it is untrusted: what does not fit names nothing. Pure functions and values; any
// thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "transport/base/result.hpp"

namespace dfota {

struct Identity {
  std::string model;    ///< second line of ATI, 1-64 printable ASCII characters
  std::string version;  ///< exactly what the profile's version command answers: the Revision of ATI, or a line
  std::string imei;     ///< AT+GSN: 15 digits with a right check digit
  bool operator==(const Identity&) const = default;
};

/// 15 digits of which the last is the Luhn check digit (3GPP TS 23.003, annex B).
bool is_imei(std::string_view text);

/// Model and version out of the lines of ATI: `Quectel` / `UC20` / `Revision: UC20GQBR03A12E1G`. Error: invalid.
Result<Identity> parse_ati(const std::vector<std::string>& lines);

/// The one line that a version command such as AT+QGMR answers. Error: invalid.
Result<std::string> parse_version(const std::vector<std::string>& lines);

/// The IMEI out of the lines of AT+GSN. Error: invalid.
Result<std::string> parse_gsn(const std::vector<std::string>& lines);

/// -113..-51 dBm out of `+CSQ: 16,99` (3GPP TS 27.007, 8.5), or nothing.
std::optional<int> parse_csq(const std::vector<std::string>& lines);

/// Registered, home or roaming, out of `+CREG: 0,1`, `+CGREG:` or `+CEREG:`; nothing when no such line is there.
std::optional<bool> parse_creg(const std::vector<std::string>& lines);

/// What stands behind `+CPIN:`: READY, SIM PIN, ...; nothing when no such line is there.
std::optional<std::string> parse_cpin(const std::vector<std::string>& lines);

}  // namespace dfota
