// The module's own HTTP client: fetches one package with the habits of one kind of firmware and hands the bytes to a
// DeltaCheck. Every end is a number of the guide's HTTP table (0, 702, 714, 716-719, 721-723, 705). On the loop's
// thread; network time is real time, no speed factor applies.
#pragma once

#include <array>
#include <asio/ip/tcp.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "modem/simulator/delta.hpp"
#include "modem/simulator/download_hooks.hpp"
#include "modem/simulator/http_message.hpp"
#include "transport/base/awaitable.hpp"
#include "transport/base/clock.hpp"

namespace dfota::sim {

enum class Client { get, range0, chunks, chunks_keep, head, barelf, slow, http10, resume };

struct Habits {
  Client client = Client::get;
  int bytes = 0;   ///< a chunk, or a second of a slow reader
  int idle_s = 0;  ///< 0: the client's own
  int total_s = 3600;
};

/// "chunks:4096" and the like; false when it is none.
bool take_habit(std::string_view text, Habits& habits);

class HttpDownload : public std::enable_shared_from_this<HttpDownload> {
 public:
  /// The hooks must outlive run().
  HttpDownload(asio::io_context& loop, Url url, Habits habits, DownloadHooks& hooks);

  /// 0, or the code for HTTPEND; kDownloadStopped after Step::stop.
  Awaitable<int> run();
  /// Cuts it off from outside: run() ends soon, with whatever code.
  void stop() { close(); }
  [[nodiscard]] const DeltaCheck& package() const { return *package_; }

 private:
  Awaitable<int> fetch();
  Awaitable<int> fetch_whole();
  Awaitable<int> fetch_chunks();
  Awaitable<int> fetch_resumed();
  Awaitable<int> fetch_careless();
  Awaitable<int> connect();
  Awaitable<int> ask(std::string method, std::string range);
  Awaitable<int> send(std::string text);
  Awaitable<int> read_head();
  Awaitable<int> read_body(uint64_t until);
  Awaitable<int> fill(size_t at_most);
  Awaitable<int> pass_threshold();
  Awaitable<uint64_t> chunk_end();
  int accept_body(uint64_t& until);
  [[nodiscard]] std::string request_text(const std::string& method, const std::string& range) const;
  [[nodiscard]] bool at_threshold() const;
  [[nodiscard]] size_t wanted(uint64_t until) const;
  [[nodiscard]] int code_of(asio::error_code failure) const;
  void extend_deadline(int code_when_idle);
  void watch_deadline();
  void close();

  asio::io_context& loop_;
  Url url_;
  Habits habits_;
  DownloadHooks& hooks_;
  asio::ip::tcp::socket socket_;
  Timer timer_;
  Clock::time_point idle_deadline_;
  Clock::time_point total_deadline_;
  int idle_code_ = 0;
  int expired_code_ = 0;
  bool done_ = false;
  bool paused_ = false;
  bool threshold_passed_ = false;
  std::array<char, 16384> room_;
  std::string buffer_;  ///< read, not yet consumed
  ResponseHead head_;
  uint64_t total_ = 0;  ///< of the package, once known
  std::unique_ptr<DeltaCheck> package_;
};

}  // namespace dfota::sim
