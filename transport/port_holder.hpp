// Who holds a serial port, as far as this process may know: its lock (/proc/locks), a UUCP lock file, or an open
// descriptor (/proc/<pid>/fd: those of our own user; all, for root). Under the messages of port_busy. Any thread. It
// reads /proc, which may take some milliseconds: for when a port is found held, not for each attempt to open it.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "transport/base/result.hpp"

namespace dfota {

struct PortHolder {
  enum class Evidence { lock, lock_file, open_descriptor };

  pid_t pid = 0;
  std::string name;  ///< of its program, 15 printable characters at most; empty where it is hidden from us
  Evidence evidence = Evidence::lock;

  /// "picocom (process 1234)".
  [[nodiscard]] std::string text() const;
};

/// Never this process. `real_path` is no symlink: "/dev/ttyUSB2". Nothing: nobody, or nobody whom we may see. It looks
/// at 4096 processes and takes 100 ms of processor time at most. `lock_files`: where the LCK..<name> of UUCP, minicom
/// and others lie.
std::optional<PortHolder> find_port_holder(const std::string& real_path, const std::string& lock_files = "/run/lock");

/// The same for a port as the configuration names it; tcp:// has none.
std::optional<PortHolder> find_holder_of(const std::string& port);

/// An Errc::busy of open_link with the holder in its message, where one is known; every other error as it is.
Error with_holder(const Error& error, const std::string& port);

}  // namespace dfota
