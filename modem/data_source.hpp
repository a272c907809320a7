// What follows CONNECT: a command that takes data (AT+QFUPL in acknowledged mode) asks a DataSource for it, piece by
// piece. Between AtPort, which writes, and who knows the data (upload_source.hpp). Loop thread only.
#pragma once

#include <cstdint>
#include <string_view>

#include "transport/base/clock.hpp"
#include "transport/base/result.hpp"

namespace dfota {

class DataSource {
 public:
  virtual ~DataSource() = default;

  /// So many single A have come since CONNECT. Told before next() is asked, and once more when the transfer ends.
  virtual void acknowledged(std::uint64_t count) = 0;
  /// What to write now, valid until the next call. Empty: nothing before the next acknowledgement, or nothing any more.
  /// An error ends the transfer: nothing more is written.
  virtual Result<std::string_view> next() = 0;
};

struct DataLimits {
  Clock::duration connect;  ///< from the command to its CONNECT
  Clock::duration idle;  ///< for each piece to be taken, for each acknowledgement, and from the last to the final line
};

}  // namespace dfota
