// Who may see and do what at the admin page: the token, the cookie that stands for it, the names that the page goes by,
// and what comes from foreign sites. Asked by the handlers of transport/web_server before they do anything; any thread.
//
//   curl -H "Authorization: Bearer $(cat /var/lib/dfota-gateway/admin_token)" ...
#pragma once

#include <asio/ip/address.hpp>
#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "config/checks.hpp"
#include "config/config.hpp"
#include "transport/base/clock.hpp"
#include "transport/base/result.hpp"
#include "transport/web_message.hpp"

namespace dfota {

/// The token in this file; a file that is not there is made, with a random one, for its owner only. At the start of the
/// gateway. Errors: invalid (empty, too short, not one line), io; both say what to do.
Result<std::string> admin_token(const std::filesystem::path& file);

/// On every answer of the page's server.
WebHeaders admin_headers();

/// {"error":{"code":...,"message":...}}
WebAnswer admin_error(int status, const std::string& code, const std::string& message);

class Access {
 public:
  enum class Kind {
    open,   ///< the page without data: wants no token, anywhere
    read,   ///< wants the token from elsewhere than this machine
    write,  ///< wants it always
  };

  Access(std::string token, std::string gateway, const AdminConfig& config);

  /// Nothing: it may. Else the refusal: 421, 403, 401 or 415.
  [[nodiscard]] std::optional<WebAnswer> why_not(const WebRequest& request, Kind kind) const;
  /// GET, POST and DELETE of /api/v1/session: what one may, the cookie for the token, the end of the cookie.
  [[nodiscard]] WebAnswer handle_session(const WebRequest& request) const;

  /// One line for the log, at most once a minute; any thread.
  std::function<void(const std::string&)> on_wrong_token;

 private:
  [[nodiscard]] bool is_our_name(const std::string& host) const;
  [[nodiscard]] bool may(const WebRequest& request, Kind kind) const;
  [[nodiscard]] bool has_token(const WebRequest& request) const;
  [[nodiscard]] bool has_cookie(const WebRequest& request) const;
  [[nodiscard]] WebAnswer want_token() const;
  [[nodiscard]] std::string cookie(const WebRequest& request, const std::string& value, long seconds) const;
  void tell_wrong_token(const std::string& source) const;

  const std::string token_, gateway_, cookie_name_, cookie_value_;
  const asio::ip::address listens_at_;
  const std::uint16_t port_;
  std::vector<HostPort> hosts_;  // port 0: any

  mutable std::mutex mutex_;
  mutable std::optional<Clock::time_point> told_at_;
  mutable unsigned untold_ = 0;
};

}  // namespace dfota
