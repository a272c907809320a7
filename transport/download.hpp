// One HTTP transfer: the one file pair that includes libcurl. Under Fetch, on its thread; stop() on any thread. It
// knows no files: the bytes go to a sink. All limits but the connect limit are counted on Clock.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "transport/base/result.hpp"
#include "transport/fetch.hpp"

namespace dfota {

/// `scheme://host:port/path` without user, password and query, for messages. Errors: invalid, refused (not http(s)).
Result<std::string> origin_of(const std::string& url);

class Download {
 public:
  /// Takes bytes; an Error ends the transfer and becomes its result.
  using Sink = std::function<std::optional<Error>(std::string_view)>;

  explicit Download(const FetchOptions& options);
  ~Download();
  Download(const Download&) = delete;
  Download& operator=(const Download&) = delete;

  /// Errors: as Fetch::fetch, without those of files.
  Result<void> get(const std::string& url, const Sink& sink);

  /// The transfer under way and all later ones end with Errc::canceled.
  void stop();
  [[nodiscard]] bool stopped() const { return stopped_; }

 private:
  struct Multi;
  const FetchOptions& options_;
  std::unique_ptr<Multi> multi_;
  std::atomic<bool> stopped_{false};
};

}  // namespace dfota
