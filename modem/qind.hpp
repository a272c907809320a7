// The grammar of +QIND: "FOTA",... (guide, chapter 3), tolerant as modules need it: spaces, a percent sign, a comma
// inside the quotes, HTTPS spellings, unknown stages. Pure functions; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace dfota {

enum class FotaStage {
  ftp_start,
  ftp_end,  // FTPSTART, FTPEND,<ftp_err>
  http_start,
  http_end,  // HTTPSTART, HTTPEND,<http_err>; HTTPSSTART, HTTPSEND
  file_start,
  file_end,     // FILESTART, FILEEND,<err>
  downloading,  // DOWNLOADING,<n>
  start,        // START: the module has begun to write its flash
  updating,     // UPDATING,<n>
  restore,      // RESTORE,<n>
  end,          // END,<err>
  unknown,      // any other FOTA stage, "Last upgrade was not finished,continue upgrade" too
};

struct FotaUrc {
  FotaStage stage;
  std::string name;          ///< the stage as the module spelt it
  std::optional<int> value;  ///< code or number, when one was given
};

/// What a module says of its supply: POWERED DOWN, NORMAL POWER DOWN, UNDER_VOLTAGE POWER DOWN end its life until
/// somebody switches it on; UNDER_VOLTAGE WARNNING and +QIND: "vbatt",-1 do not yet.
enum class PowerUrc { none, low_voltage, down };
PowerUrc parse_power_urc(std::string_view line);

/// The URC in `line`, or nothing when it is not a +QIND of FOTA.
std::optional<FotaUrc> parse_qind(std::string_view line);

/// Whether this line says that the module has booted and can be addressed after a settle time: RDY, APP RDY, +CPIN: ...
/// (contract, law 3).
bool is_boot_urc(std::string_view line);

}  // namespace dfota
