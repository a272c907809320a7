// What modules download from: GET and HEAD of /a/<token>/<name>, one unguessable token for each module and attempt,
// bytes counted as TCP delivers them, and the last byte of the file held back until it is released. cpp-httplib makes
// the answers; heads are accepted and read on the loop (bounded, with a deadline) before httplib sees them, and only a
// whole head with a live token gets a thread.
//
//   GET /a/5f0c...e1/delta.bin HTTP/1.1      ->  HTTP/1.1 200 OK
//   Host: 192.168.1.10                           Content-Length: 1048576 ...
//
// All member functions: loop thread. The handlers are called on the loop, never from inside a member function.
#pragma once

#include <asio/io_context.hpp>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "transport/base/clock.hpp"
#include "transport/base/result.hpp"

namespace dfota {

struct FileServerOptions {
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;                ///< 0: any free one (tests)
  std::size_t max_pending_heads = 1024;  ///< beyond it the oldest connection without a whole head is cut
  /// Likewise, for one address; never counts a source that has shown a valid token.
  std::size_t max_pending_heads_per_source = 256;
  Clock::duration head_limit = std::chrono::seconds(10);  ///< from accept to the end of the head
  /// No byte taken by the peer for so long: cut. 12 times that while its window is closed but its TCP answers.
  Clock::duration stall_limit = std::chrono::seconds(60);
};

/// What has become of one token's file so far.
struct Transfer {
  std::uint64_t size = 0;
  /// Distinct bytes of the file that TCP has delivered: the union of what its requests got.
  std::uint64_t delivered_bytes = 0;
  std::uint64_t requests = 0;  ///< GETs that carried this token (HEAD is not counted)
  unsigned open_connections = 0;
  bool last_byte_wanted = false;  ///< a request has come to the last byte and waits for release()
  bool released = false;
  bool complete = false;  ///< every byte, the last one too, was acknowledged by the peer's TCP
  std::string peer;       ///< address of the last request
};

/// What it has done since it was made.
struct FileServerTotals {
  std::uint64_t delivered_bytes = 0;  ///< of files: the sum of what each token has got (Transfer::delivered_bytes)
  std::uint64_t served = 0;           ///< whole heads with a live token
  std::uint64_t refused = 0;          ///< and those without, which get an empty 404
  std::size_t open_connections = 0;   ///< now
};

class FileServer {
 public:
  FileServer(asio::io_context& loop, FileServerOptions options);
  ~FileServer();  ///< cuts every transfer and joins its threads
  FileServer(const FileServer&) = delete;
  FileServer& operator=(const FileServer&) = delete;

  /// Binds and listens, alone: no SO_REUSEPORT. Errors: busy (the port is taken), invalid (no such address), io.
  Result<void> start();
  [[nodiscard]] std::uint16_t port() const;
  /// False while modules cannot connect, which is tried again and was told to on_fault.
  [[nodiscard]] bool listening() const;

  /// 128 random bits in lower-case hex.
  static std::string make_token();

  /// Serves `file` (opened here, once; what replaces it later is not served) under /a/<token>/<name>. `on_change` is
  /// called on the loop after each request's start and end, and when the last byte is wanted, but not after revoke();
  /// bytes in between are read with look(). Errors: absent, io, invalid (empty, no regular file, or a token or name
  /// with other than A-Za-z0-9._-), refused (token in use).
  Result<void> offer(const std::string& token, const std::string& name, const std::filesystem::path& file,
                     std::function<void()> on_change);
  [[nodiscard]] Transfer look(const std::string& token) const;
  /// Never falls, but for open_connections. Asks the kernel once for each connection that is open.
  [[nodiscard]] FileServerTotals totals() const;

  /// Lets the last byte leave. Call it only when "may be flashing" is committed (contract, law 2).
  void release(const std::string& token);

  /// Voids the token: its connections are cut and no request of it is served again. True when the last byte had not
  /// been released before, so it has certainly not left: the attempt is over. False: the module may be flashing. A
  /// token that is not offered, one revoked before too, gives true: ask once for each offer.
  bool revoke(const std::string& token);

  /// Says what the operator should know (the listener went down and is retried, no descriptors left). One line; called
  /// on the loop.
  std::function<void(const std::string&)> on_fault;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace dfota
