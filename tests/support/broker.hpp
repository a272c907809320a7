// A private mosquitto on a loopback port, in a directory of its own. The port stays the same over stop() and start().
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "tests/support/process.hpp"
#include "tests/support/temp_dir.hpp"

namespace dfota::test {

class Broker {
 public:
  struct Options {
    bool persistence = false;
    std::string extra = {};  ///< lines for mosquitto.conf
    bool start = true;
    /// All of mosquitto.conf, instead of ours and `extra`; its "listener 8883" is moved to port() on loopback.
    std::string whole = {};
  };

  Broker() : Broker(Options{}) {}
  explicit Broker(Options options);

  void start();  ///< returns when it listens
  void stop();   ///< SIGTERM: sessions are written where there is persistence
  void kill();   ///< SIGKILL
  void restart();
  void freeze() const;  ///< SIGSTOP: connections stay open, nothing is answered
  void thaw() const;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] std::string uri() const { return "mqtt://127.0.0.1:" + std::to_string(port_); }
  [[nodiscard]] std::string log() const { return process_ ? process_->err() : ""; }
  /// Of the broker that runs now.
  bool wait_for_log(const std::string& text, std::chrono::milliseconds limit = kWatchdog) {
    return process_->wait_for_err(text, limit);
  }
  [[nodiscard]] const TempDir& dir() const { return dir_; }

 private:
  [[nodiscard]] std::string configuration() const;

  Options options_;
  TempDir dir_;
  std::uint16_t port_;
  std::unique_ptr<Process> process_;
};

}  // namespace dfota::test
