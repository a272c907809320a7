#include "transport/tty.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace dfota {

Descriptor::~Descriptor() {
  if (valid()) ::close(number_);
}

Error open_error(int code, const std::string& port) {
  const std::string why = port + ": " + std::generic_category().message(code);
  switch (code) {
    case ENOENT:
    case ENODEV:
    case ENXIO:
    case ENOTDIR:
    case EIO:  // the other side of a pseudo-terminal, or the device, is going away
      return Error(Errc::absent, why);
    case EBUSY:
    case EWOULDBLOCK:
      return Error(Errc::busy, port + " is held by another program (ModemManager? another gateway?)");
    case EACCES:
    case EPERM:
      return Error(Errc::refused, why + ": let the user of this program into the group of the device (often dialout)");
    case ENOTTY:
      return Error(Errc::invalid, port + " is not a serial port");
    default:
      return Error(Errc::io, why);
  }
}

Result<Descriptor> open_tty(const std::string& real_path) {
  struct stat status {};
  if (::stat(real_path.c_str(), &status) != 0) return open_error(errno, real_path);
  if (!S_ISCHR(status.st_mode)) return open_error(ENOTTY, real_path);
  Descriptor tty(::open(real_path.c_str(), O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC));
  if (!tty.valid()) return open_error(errno, real_path);
  if (::isatty(tty.get()) != 1) return open_error(errno, real_path);
  // TIOCEXCL does not keep root out, flock keeps out all who ask for it.
  if (::flock(tty.get(), LOCK_EX | LOCK_NB) != 0) return open_error(errno, real_path);
  return tty;
}

Result<void> claim_tty(const Descriptor& tty, const std::string& real_path) {
  termios settings{};
  if (::tcgetattr(tty.get(), &settings) != 0) return open_error(errno, real_path);
  // Also VMIN 1: with the 0 that libserialport leaves, a read of nothing is a 0, and looks like a hang-up.
  ::cfmakeraw(&settings);
  settings.c_cflag |= CLOCAL | CREAD;
  settings.c_cflag &= ~static_cast<tcflag_t>(HUPCL);
  if (::tcsetattr(tty.get(), TCSANOW, &settings) != 0) return open_error(errno, real_path);
  if (::ioctl(tty.get(), TIOCEXCL) != 0) return open_error(errno, real_path);
  return {};
}

}  // namespace dfota
