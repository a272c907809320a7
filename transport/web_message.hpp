// What a handler of WebServer gets and gives: a request of which only the head has been read, its body for whoever asks
// for it, and the answer, or a stream of events. Plain values, but for WebBody and EventSource. Part of
// transport/web_server.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "transport/base/result.hpp"

namespace dfota {

using WebHeaders = std::vector<std::pair<std::string, std::string>>;

struct WebRequest {
  std::string method;                        ///< GET, POST, PUT or DELETE; a HEAD is a GET here
  std::string path;                          ///< decoded, without the query: "/api/v1/modules/uc20-1"
  std::map<std::string, std::string> query;  ///< decoded
  std::string source;                        ///< the peer's address, never that of a header
  bool from_loopback = false;                ///< by that address
  WebHeaders fields;                         ///< names in lower case

  /// Of the first field with this name, in any case; empty when there is none.
  [[nodiscard]] std::string header(std::string_view name) const;
};

/// Nothing of it is read before it is asked for, so that who may not write is refused first. Each of the two at most
/// once. On the thread of the handler, which waits.
class WebBody {
 public:
  virtual ~WebBody() = default;
  /// All of it; empty when none was announced. Errors: refused (larger than max_body_bytes), timeout, link_lost.
  virtual Result<std::string> read() = 0;
  /// To a new file with mode 0600, which is there only when all of it is; not synced. Its size. Errors: invalid (no
  /// Content-Length), refused (larger than max_bytes), busy (too many at once), timeout, link_lost, no_space, io.
  virtual Result<std::uint64_t> save(const std::filesystem::path& file, std::uint64_t max_bytes) = 0;
};

/// The status for an error of WebBody: 411, 413, 503, 408, 507, 500; for link_lost 400, which nobody gets.
int status_of(const Error& body_error);

/// What one stream of events sends.
class EventSource {
 public:
  virtual ~EventSource() = default;
  /// The next bytes. Asked on the web thread whenever the peer has taken what was sent before; so what comes in between
  /// is the source's to merge, and a slow peer costs no more than one buffer. Empty: nothing now, ask again at wake().
  virtual std::string next() = 0;
};

struct WebAnswer {
  int status = 200;
  std::string type = "application/json";
  std::string body;
  WebHeaders headers;  ///< in place of those of WebServerOptions with the same name
  /// When there are some: 200, text/event-stream, and it does not end by itself. Destroyed on the web thread, or by
  /// ~WebServer.
  std::unique_ptr<EventSource> events;
};

}  // namespace dfota
