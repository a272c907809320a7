// The module's FTP client: fetches one package with libcurl in a thread of its own, and hands the bytes to a
// DeltaCheck. Every end is a number of the guide's FTP table. run() belongs to the loop's thread; network time is real
// time. The thread ends with this object at the latest.
#pragma once

#include <asio/io_context.hpp>
#include <memory>
#include <thread>

#include "modem/simulator/delta.hpp"
#include "modem/simulator/download_hooks.hpp"
#include "modem/simulator/update_target.hpp"

namespace dfota::sim {

struct FtpLimits {
  int idle_s = 60;     ///< without a byte, or without an answer
  int total_s = 3600;  ///< for the whole download
};

class FtpDownload {
 public:
  /// Loop and hooks must outlive it.
  FtpDownload(asio::io_context& loop, FtpUrl url, FtpLimits limits, DownloadHooks& hooks);
  ~FtpDownload();
  FtpDownload(const FtpDownload&) = delete;
  FtpDownload& operator=(const FtpDownload&) = delete;

  /// 0, or the code for FTPEND; kDownloadStopped after Step::stop. Once.
  Awaitable<int> run();
  /// After run().
  [[nodiscard]] const DeltaCheck& package() const;

 private:
  struct Transfer;

  asio::io_context& loop_;
  FtpUrl url_;
  FtpLimits limits_;
  DownloadHooks& hooks_;
  std::shared_ptr<Transfer> transfer_;
  std::thread worker_;
};

/// The guide's code for an end: curl's own code, the server's last reply (0: none), whether it was ever connected.
int ftp_code(int curl_code, long reply, bool connected);

}  // namespace dfota::sim
