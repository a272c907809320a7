// What serial ports and pseudo-terminals have in common: to be opened exclusively and set raw. Under the openers of
// transport/link.hpp. Any thread; no call waits for the other side.
#pragma once

#include <string>
#include <utility>

#include "transport/base/result.hpp"

namespace dfota {

/// Owns an open descriptor.
class Descriptor {
 public:
  explicit Descriptor(int number = -1) : number_(number) {}
  ~Descriptor();
  Descriptor(Descriptor&& other) noexcept : number_(other.release()) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }

  [[nodiscard]] int get() const { return number_; }
  [[nodiscard]] bool valid() const { return number_ >= 0; }
  int release() { return std::exchange(number_, -1); }

 private:
  int number_;
};

/// Opens a terminal device by its real path, close-on-exec, non-blocking and locked (flock), before anything on it was
/// changed: a port that another program holds is left as it was. Errors: absent, busy, refused, invalid (not a
/// terminal), io.
Result<Descriptor> open_tty(const std::string& real_path);

/// Raw, at least one byte a read, no carrier needed, DTR left alone at the last close; input that waits is kept. Then
/// TIOCEXCL: from here on nobody but root opens it. Errors: absent (it went away meanwhile), io.
Result<void> claim_tty(const Descriptor& tty, const std::string& real_path);

/// The Error for an errno met on the way to an open port.
Error open_error(int code, const std::string& port);

}  // namespace dfota
