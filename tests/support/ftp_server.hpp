// A private proftpd on a loopback port, in a directory of its own: no account but its own one, and no root needed. It
// shows directory(); as nobody is locked into it (chroot needs root), paths must not begin with a slash of their own.
// The port stays the same over stop() and start().
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/process.hpp"
#include "tests/support/temp_dir.hpp"

namespace dfota::test {

class FtpServer {
 public:
  struct Options {
    std::string user = "module", password = "word-of-the-module";
    std::string extra;  ///< lines for proftpd.conf: "TransferRate RETR 20", "MaxClients 0"
    bool start = true;
  };
  /// A line of its transfer log.
  struct Transfer {
    std::string name;  ///< without its directory
    std::uint64_t bytes = 0;
    bool complete = false;
  };

  FtpServer() : FtpServer(Options{}) {}
  explicit FtpServer(Options options);

  void start();  ///< returns when it listens
  void stop();   ///< SIGTERM: transfers under way are cut

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] const std::filesystem::path& directory() const { return directory_; }
  /// ftp://user:password@127.0.0.1:port/name
  [[nodiscard]] std::string url(const std::string& name = "") const;
  /// Downloads, in the order in which they ended.
  [[nodiscard]] std::vector<Transfer> transfers() const;
  /// Logins, refusals and transfers of the server that runs now; no passwords.
  [[nodiscard]] std::string log() const { return process_ ? process_->err() : ""; }
  bool wait_for_log(const std::string& text, std::chrono::milliseconds limit = kWatchdog) {
    return process_->wait_for_err(text, limit);
  }

 private:
  void write_configuration() const;

  Options options_;
  TempDir dir_;
  std::filesystem::path directory_;
  std::uint16_t port_;
  std::unique_ptr<Process> process_;
};

}  // namespace dfota::test
