// A download as a recording saw it: the package is fetched over HTTP from the address that the gateway tells now, and
// only as far as the replay has come. Each piece is a request for exactly its bytes, so that the gateway's server has
// delivered what the recording says, and the last byte is asked for when the recorded one was. On the loop's thread.
#pragma once

#include <asio/io_context.hpp>
#include <functional>
#include <memory>

#include "modem/simulator/http_download.hpp"
#include "transport/base/signal.hpp"

namespace dfota::sim {

class ReplayDownload : public std::enable_shared_from_this<ReplayDownload> {
 public:
  using Log = std::function<void(std::string_view event, const Json& fields)>;

  /// `changed` is called when more is there, and at the end; neither it nor `log` after stop().
  ReplayDownload(asio::io_context& loop, Url url, Log log, std::function<void()> changed);

  void begin();
  /// So many bytes of the package may be there.
  void allow(std::uint64_t bytes);
  /// Nothing more is fetched, and nobody is told any more.
  void stop();

  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }
  /// 0 until the server has told it.
  [[nodiscard]] std::uint64_t total() const { return total_; }
  /// 0: the whole package is there; else the code for HTTPEND. Nothing while it goes on.
  [[nodiscard]] std::optional<int> ended() const { return ended_; }

 private:
  Awaitable<> run();
  Awaitable<std::uint64_t> wait_for_leave();
  void tell() const {
    if (changed_) changed_();
  }

  asio::io_context& loop_;
  Log log_;
  std::function<void()> changed_;
  DownloadHooks hooks_;
  std::shared_ptr<HttpDownload> client_;
  Signal allowed_;
  std::uint64_t allowance_ = 0, bytes_ = 0, total_ = 0;
  std::optional<int> ended_;
  bool stopped_ = false;
};

}  // namespace dfota::sim
