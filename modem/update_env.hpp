// What an update needs of the world around the module. modem/ declares it, gateway/ implements it; a test scripts it.
// Loop thread only.
#pragma once

#include <string>

#include "modem/port_observer.hpp"
#include "modem/update_types.hpp"
#include "transport/base/awaitable.hpp"
#include "transport/base/clock.hpp"
#include "transport/base/result.hpp"
#include "transport/file_server.hpp"

namespace dfota {

class UpdateEnv {
 public:
  virtual ~UpdateEnv() = default;

  /// Whether the module may be commanded at this moment. What is commanded already may still be stopped before its last
  /// byte. A change of it wakes whoever waits for the module.
  enum class Permission {
    go,
    wait,  ///< held, paused, or outside of its window
    stop,  ///< canceled, or given up by its job
  };
  [[nodiscard]] virtual Permission permission() const = 0;

  /// Waits for permission, and for a place among those that download and those that update; `to_reboot`: and among
  /// those that reboot. Held until the attempt is over, but for the first. False: the permission is stop, and no place
  /// was taken.
  virtual Awaitable<bool> take_slot(bool to_reboot) = 0;
  /// Asks for a place among those that reboot, where it has none and does not ask already. True: it has one. When it
  /// gets one later, whoever waits for the module is woken.
  virtual bool take_reboot_slot() = 0;
  /// After a restart: this module downloads already, whatever the limits say; `reboots`: or flashes. Does not wait.
  virtual void adopt_slot(bool reboots) = 0;
  /// ...END came, or the module rebooted: its place among those that download is free. May be said more than once.
  virtual void download_over() = 0;
  /// The attempt is over: all places are free. May be said more than once.
  virtual void slot_over() = 0;

  /// For as long as this update lasts nobody else may work on the module with this IMEI. False: somebody does, or
  /// another port leads to it.
  virtual bool claim_imei(const std::string& imei) = 0;

  /// A new token for this attempt, or the one of the checkpoint after a restart, made known to the file server; the
  /// address for AT+QFOTADL comes back. Error: artifact gone (absent), io.
  virtual Result<std::string> offer(const std::string& token) = 0;
  [[nodiscard]] virtual Transfer transfer() const = 0;
  virtual void release_last_byte() = 0;
  /// True: the last byte had not been released and never will be; this attempt is over.
  virtual bool void_token() = 0;

  /// Goes on when the checkpoint is on the disk; its `pause` counts from now. Error: it is not, and what it stands
  /// before must not be done.
  virtual Awaitable<Result<void>> commit(Checkpoint checkpoint) = 0;

  virtual void progress(const UpdateProgress& progress) = 0;
  /// An attempt failed; `next_attempt_in` is set when another one follows.
  virtual void attempt_failed(const UpdateError& error, unsigned attempt,
                              std::optional<Clock::duration> next_attempt_in) = 0;
  /// Who is told what is said on the port for as long as this update lasts; null: nobody.
  virtual PortObserver* observer() { return nullptr; }
  /// The pause before attempt number `next`: doubles, with jitter.
  virtual Clock::duration backoff(unsigned next) = 0;
};

}  // namespace dfota
