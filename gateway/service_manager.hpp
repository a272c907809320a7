// What systemd is told (sd_notify(3)): that the gateway is ready or stopping, a line on what it does, and, where a
// watchdog was set, that it gets on. Without systemd all of it is nothing. Loop's thread.
#pragma once

#include <asio/io_context.hpp>
#include <chrono>
#include <string>

#include "gateway/jobs.hpp"
#include "gateway/journal.hpp"

namespace dfota {

class ServiceManager {
 public:
  static constexpr auto kStatusEvery = std::chrono::seconds(5);  ///< at most, and when it is another one

  /// The references must outlive it, and the loop must not run any more when it goes.
  ServiceManager(asio::io_context& loop, Journal& journal, const Jobs::Modules& modules, const Jobs& jobs);

  /// Everything stands: READY=1, and from now on the status and the watchdog.
  void ready();
  void stopping();

 private:
  Awaitable<> tell_status();
  /// Fed by what proves that the gateway can work: a turn of the loop that was answered by the journal's thread. A loop
  /// that hangs, or a disk that does not answer, does not feed it.
  Awaitable<> feed_watchdog(std::chrono::microseconds every);
  [[nodiscard]] std::string status() const;

  asio::io_context& loop_;
  Journal& journal_;
  const Jobs::Modules& modules_;
  const Jobs& jobs_;
};

}  // namespace dfota
