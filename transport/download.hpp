// HTTP transfers, one at a time, by libcurl, with the proxies and the netrc that curl itself would use. Under Fetch, on
// one of its threads; stop() on any thread. It knows no files: the bytes go to a sink. All limits but the connect limit
// are counted on Clock.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "transport/base/clock.hpp"
#include "transport/base/result.hpp"
#include "transport/fetch.hpp"

namespace dfota {

class Download {
 public:
  /// The head of an answer that brings the file, or the rest of it.
  struct Answer {
    std::uint64_t from = 0;               ///< which byte of the file comes first: the one asked for, or 0
    std::optional<std::uint64_t> length;  ///< of what comes, as the origin says
    bool html = false;                    ///< it says that it is a page
  };
  /// An Error ends the transfer and becomes its result.
  class Sink {
   public:
    virtual ~Sink() = default;
    virtual std::optional<Error> begin(const Answer& answer) = 0;
    virtual std::optional<Error> take(std::string_view bytes) = 0;
  };
  struct End {
    std::optional<Error> error;
    bool cut = false;         ///< bytes came, then the connection ended: what is missing may be asked for
    bool start_anew = false;  ///< the origin has no such part: ask for the whole
  };

  explicit Download(const FetchOptions& options);
  ~Download();
  Download(const Download&) = delete;
  Download& operator=(const Download&) = delete;

  /// From byte `from` on; at `deadline` it is given up. Errors: as Fetch::fetch, without those of files.
  End get(const std::string& url, std::uint64_t from, Clock::time_point deadline, Sink& sink);
  /// Ends early at stop().
  void pause(std::chrono::milliseconds time);

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
