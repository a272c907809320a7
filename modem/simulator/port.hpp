// The module's end of its serial port, of whichever kind: a pseudo-terminal (pty_port.hpp), a TCP port as ser2net
// offers one (tcp_port.hpp), the far end of a USB serial port in a QEMU guest (chardev_port.hpp). All behave as USB
// does: what is written while nobody listens is gone, and a closed port is a hang-up for the host. On the loop's
// thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "transport/base/result.hpp"

namespace dfota::sim {

class Port {
 public:
  /// Both run on the loop.
  struct Events {
    std::function<void(std::string_view)> received;
    std::function<void(bool)> listener;  ///< the host opened (true) or closed (false) the port
  };

  Port() = default;
  virtual ~Port() = default;
  Port(const Port&) = delete;
  Port& operator=(const Port&) = delete;

  /// Whom it tells. Once, before open(); a port that goes tells nobody any more.
  void tell(Events events) { *events_ = std::move(events); }

  /// The module is plugged in. An error when there can be no such port.
  virtual Result<void> open() = 0;
  /// The module is gone, and the host sees a hang-up.
  virtual void close() = 0;
  /// True when a listener was there and everything fitted; else the bytes are gone.
  virtual bool write(std::string_view bytes) = 0;
  /// Something written has not reached the host yet, and would be lost by close().
  [[nodiscard]] virtual bool has_unread() const = 0;
  [[nodiscard]] virtual bool is_open() const = 0;
  /// What the host opens.
  [[nodiscard]] virtual std::string name() const = 0;
  /// The pseudo-terminal behind the name; empty when it is none.
  [[nodiscard]] virtual std::string pts() const { return {}; }

 protected:
  /// For destructors: coroutines may outlive the port by a turn of the loop.
  void tell_nobody() { tell(silence()); }
  [[nodiscard]] const std::shared_ptr<Events>& events() const { return events_; }

 private:
  static Events silence() {
    return {[](std::string_view) {}, [](bool) {}};
  }
  std::shared_ptr<Events> events_ = std::make_shared<Events>(silence());
};

}  // namespace dfota::sim
