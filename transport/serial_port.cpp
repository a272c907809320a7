#include "transport/serial_port.hpp"

#include <libserialport.h>

#include <memory>

namespace dfota {
namespace {

struct PortFree {
  void operator()(sp_port* port) const {
    sp_close(port);
    sp_free_port(port);
  }
};
using Port = std::unique_ptr<sp_port, PortFree>;

Error serial_error(sp_return code, const std::string& what, const std::string& path) {
  if (code == SP_ERR_FAIL) {
    const Error error = open_error(sp_last_error_code(), path);
    return Error(error.code, error.message + " (" + what + ")");
  }
  if (code == SP_ERR_ARG) return Error(Errc::invalid, path + " is not a serial port that can be used: " + what);
  return Error(Errc::io, path + ": " + what + " failed, code " + std::to_string(code));
}

/// Every setting by name: what is not set stays as the last program left it.
Result<void> set_line(sp_port* port, const std::string& path, unsigned baud, bool rtscts) {
  const auto flow = rtscts ? SP_FLOWCONTROL_RTSCTS : SP_FLOWCONTROL_NONE;
  sp_return code = SP_OK;
  if ((code = sp_set_baudrate(port, static_cast<int>(baud))) != SP_OK) {
    return serial_error(code, "baud rate " + std::to_string(baud), path);
  }
  if ((code = sp_set_bits(port, 8)) != SP_OK) return serial_error(code, "8 data bits", path);
  if ((code = sp_set_parity(port, SP_PARITY_NONE)) != SP_OK) return serial_error(code, "no parity", path);
  if ((code = sp_set_stopbits(port, 1)) != SP_OK) return serial_error(code, "1 stop bit", path);
  if ((code = sp_set_flowcontrol(port, flow)) != SP_OK) return serial_error(code, "flow control", path);
  if ((code = sp_set_xon_xoff(port, SP_XONXOFF_DISABLED)) != SP_OK) return serial_error(code, "no XON/XOFF", path);
  if ((code = sp_set_dtr(port, SP_DTR_ON)) != SP_OK) return serial_error(code, "DTR on", path);
  if (!rtscts && (code = sp_set_rts(port, SP_RTS_ON)) != SP_OK) return serial_error(code, "RTS on", path);
  return {};
}

}  // namespace

Result<Descriptor> open_serial_port(const std::string& real_path, unsigned baud, bool rtscts) {
  // Our own descriptor comes first and stays: it has the lock before libserialport changes anything, and its being open
  // means that libserialport's close is not the last one and drops no DTR.
  auto tty = open_tty(real_path);
  if (!tty) return tty.error();

  sp_port* found = nullptr;
  const sp_return looked_up = sp_get_port_by_name(real_path.c_str(), &found);
  if (looked_up != SP_OK) return serial_error(looked_up, "look-up", real_path);
  const Port port(found);
  const sp_return opened = sp_open(port.get(), SP_MODE_READ_WRITE);
  if (opened != SP_OK) return serial_error(opened, "open", real_path);
  if (auto set = set_line(port.get(), real_path, baud, rtscts); !set) return set.error();
  if (auto claimed = claim_tty(*tty, real_path); !claimed) return claimed.error();
  return tty;
}

}  // namespace dfota
