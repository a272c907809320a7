// The rows behind explain(), but for END's, which are in config/profiles: one table for each number space, sorted by
// number. Wording of 601-630 and 701-730: the guide, chapters 4 and 5; +CME ERROR: 3GPP TS 27.007. Constants; any
// thread.
#pragma once

#include <span>

#include "modem/fota_codes.hpp"

namespace dfota {

std::span<const FotaCode> ftp_codes();      ///< FTPEND, 601-630
std::span<const FotaCode> http_codes();     ///< HTTPEND, 701-730
std::span<const FotaCode> file_codes();     ///< FILEEND
std::span<const FotaCode> command_codes();  ///< +CME ERROR

}  // namespace dfota
