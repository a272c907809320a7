// What stands between the quotes of AT+QFOTADL="...": an address to download from, a file of the module's own, or a
// promise of bytes on the port. No I/O.
//   HTTP://host:80/d.bin   FTP://user:password@host:21/d.bin   UFS:d.bin, /data/ufs/d.bin, /cache/ufs/d.bin FILE:20000
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "modem/simulator/http_message.hpp"
#include "transport/base/result.hpp"

namespace dfota::sim {

/// Each part as it was written: a module decodes no percent-encoding.
struct FtpUrl {
  std::string user;
  std::string password;
  std::string host;
  uint16_t port = 21;
  std::string path;         ///< without the slash that separates it from the host
  bool over_limit = false;  ///< the guide: URL 255 bytes; user, password, server and path 50 each
};

/// `efs`: the package that lies where the firmware looks for it (AT+QFOTADL=1 of a BG96).
enum class Delivery { http, ftp, ufs, efs, stream };

struct UpdateTarget {
  Delivery delivery = Delivery::http;
  Url url;
  FtpUrl ftp;
  std::string file;     ///< in the file system, without "UFS:"
  uint64_t length = 0;  ///< of the stream
};

/// Errc::invalid when it is none of the forms above.
Result<UpdateTarget> parse_target(std::string_view text);

}  // namespace dfota::sim
