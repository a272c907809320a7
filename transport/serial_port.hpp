// Sets the line of a serial port: the one file pair that includes libserialport. Under open_link. Loop thread; it talks
// to the driver and does not wait for the other side.
#pragma once

#include <string>

#include "transport/base/result.hpp"
#include "transport/tty.hpp"

namespace dfota {

/// 8N1 at `baud`, XON/XOFF off, DTR and RTS on, or RTS/CTS flow control; raw and exclusive (claim_tty). `real_path` is
/// no symlink: libserialport looks its last part up in /sys/class/tty. Errors: as open_tty.
Result<Descriptor> open_serial_port(const std::string& real_path, unsigned baud, bool rtscts);

}  // namespace dfota
