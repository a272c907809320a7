// The HTTP server of the admin page, with a loop and a thread of its own: nothing that its peers do touches the
// gateway's loop. Heads are read and answers are written by the web thread, which waits for nobody; a few workers run
// the handler, and only a whole head gets one. A stream of events takes no worker at all. cpp-httplib makes the answers
// (web_render); bodies are read here, since 0.11.4 reads them before it asks anybody (web_body).
//
//   one request a connection; HTTP/1.0 and 1.1; GET, HEAD, POST, PUT, DELETE; bodies by Content-Length only
#pragma once

#include <asio/io_context.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "transport/base/clock.hpp"
#include "transport/base/result.hpp"
#include "transport/web_message.hpp"

namespace dfota {

struct WebServerOptions {
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;                ///< 0: any free one (tests)
  std::size_t workers = 4;               ///< requests answered at once
  std::size_t waiting = 64;              ///< whole heads that wait for one; beyond: 503
  std::size_t streams = 64;              ///< event streams at once; beyond: 503
  std::size_t max_pending_heads = 256;   ///< beyond it the oldest connection without a whole head is cut
  std::size_t max_body_bytes = 1 << 20;  ///< of a body that is read into memory
  /// Of all answers on their way; beyond it the oldest are cut.
  std::size_t max_answer_bytes = std::size_t{64} << 20;
  Clock::duration head_limit = std::chrono::seconds(10);       ///< from accept to the end of the head; then 408
  Clock::duration body_limit = std::chrono::seconds(60);       ///< for a body that is read into memory
  Clock::duration body_idle_limit = std::chrono::seconds(30);  ///< no byte of a body that is saved to a file
  Clock::duration stall_limit = std::chrono::seconds(30);      ///< the peer takes nothing of an answer or a stream
  WebHeaders headers;                                          ///< on every answer, the server's own refusals too
};

class WebServer {
 public:
  /// On a worker's thread. It may block, at the price of a worker; what it throws becomes a 500 without its text.
  using Handler = std::function<WebAnswer(const WebRequest&, WebBody&)>;

  WebServer(WebServerOptions options, Handler handler);
  /// Ends what is under way, the bodies that are being read and the streams too, and joins its threads: a handler that
  /// waits for something must come back by itself.
  ~WebServer();
  WebServer(const WebServer&) = delete;
  WebServer& operator=(const WebServer&) = delete;

  /// Once. Errors: busy (the port is taken), invalid (no such address), io.
  Result<void> start();
  [[nodiscard]] std::uint16_t port() const;

  /// Of the web thread: what is posted to it runs beside heads and streams, and must not block.
  [[nodiscard]] asio::io_context& loop();
  /// Web thread: every stream that had nothing to send is asked again.
  void wake();
  /// Web thread: streams that are open.
  [[nodiscard]] std::size_t streams() const;

  /// Says what the operator should know, in one line; on the web thread. Set before start().
  std::function<void(const std::string&)> on_fault;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace dfota
