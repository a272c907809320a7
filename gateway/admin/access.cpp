#include "gateway/admin/access.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "transport/base/log.hpp"
#include "transport/even_time.hpp"
#include "transport/http_head.hpp"
#include "transport/sha256.hpp"

namespace dfota {
namespace {
using namespace std::chrono_literals;

constexpr auto kTellAgain = 1min;
constexpr long kCookieSeconds = 30L * 24 * 3600;
constexpr std::uint16_t kHttp = 80, kHttps = 443;

std::string lowered(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return text;
}

/// Of a Host field, or of admin.hosts. Port 0: none is given.
std::optional<HostPort> host_of(const std::string& text) {
  const auto name = lowered(text);
  if (auto with_port = split_host_port(name)) return with_port;
  auto without = split_host_port(name + ":1");
  if (without) without->port = 0;
  return without;
}

asio::ip::address address_of(const std::string& text) {
  asio::error_code error;
  const auto address = asio::ip::make_address(text, error);
  return error ? asio::ip::address() : address;
}

/// It survives a restart, is not the token, and differs between gateways that share one.
std::string cookie_value_of(const std::string& gateway, const std::string& token) {
  Sha256 hash;
  hash.update("dfota-gateway admin cookie\n" + gateway + "\n" + token);
  return hash.hex();
}

/// The peer is this machine, and speaks for itself: a proxy here makes everybody look local, and says so.
bool is_local(const WebRequest& request) {
  constexpr std::array kOfProxies{"forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via"};
  return request.from_loopback && std::none_of(kOfProxies.begin(), kOfProxies.end(),
                                               [&](const char* name) { return !request.header(name).empty(); });
}

/// Another site's page in somebody's browser has sent it. Browsers alone send these two fields; scripts of pages cannot
/// change them.
bool is_foreign(const WebRequest& request) {
  const auto site = lowered(request.header("sec-fetch-site"));
  if (!site.empty() && site != "same-origin" && site != "none") return true;
  const auto origin = lowered(request.header("origin"));
  const auto host = lowered(request.header("host"));
  return !origin.empty() && origin != "http://" + host && origin != "https://" + host;
}

/// Somebody has followed a link; what comes is shown, and no page of another site gets to see it.
bool is_followed_link(const WebRequest& request) {
  return request.method == "GET" && lowered(request.header("sec-fetch-mode")) == "navigate" &&
         request.header("origin").empty();
}

/// A form of another site can send anything but this type.
bool is_other_than_json(const WebRequest& request) {
  const auto length = request.header("content-length");
  if (request.method != "POST" || length.find_first_not_of('0') == std::string::npos) return false;
  const auto type = request.header("content-type");
  std::string_view rest = type;
  return !same_word(trimmed(split_off(rest, ';')), "application/json");
}

std::vector<HostPort> hosts_of(const std::vector<std::string>& texts) {
  std::vector<HostPort> hosts;
  for (const auto& text : texts) {
    if (auto host = host_of(text)) hosts.push_back(std::move(*host));
  }
  return hosts;
}

}  // namespace

WebHeaders admin_headers() {
  return {
      {"Content-Security-Policy",
       "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
       "frame-ancestors 'none'; base-uri 'none'; form-action 'self'"},
      {"X-Frame-Options", "DENY"},
      {"X-Content-Type-Options", "nosniff"},
      {"Referrer-Policy", "no-referrer"},
      {"Cross-Origin-Resource-Policy", "same-origin"},
      {"Cross-Origin-Opener-Policy", "same-origin"},
      {"Cache-Control", "no-store"},
  };
}

WebAnswer admin_error(int status, const std::string& code, const std::string& message) {
  using nlohmann::json;
  WebAnswer answer;
  answer.status = status;
  const json document = {{"error", {{"code", code}, {"message", message}}}};
  answer.body = document.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
  return answer;
}

Access::Access(std::string token, std::string gateway, const AdminConfig& config)
    : on_wrong_token([](const std::string& line) { log::warning(line); }),
      token_(std::move(token)),
      gateway_(std::move(gateway)),
      cookie_name_("dfota_" + gateway_),
      cookie_value_(cookie_value_of(gateway_, token_)),
      listens_at_(address_of(config.listen_host)),
      port_(config.listen_port),
      hosts_(hosts_of(config.hosts)) {}

std::optional<WebAnswer> Access::why_not(const WebRequest& request, Kind kind) const {
  if (!is_our_name(request.header("host"))) {
    return admin_error(421, "unknown_host",
                       "the page does not go by this name: ask for it by the address of admin.listen, or add the name "
                       "to admin.hosts");
  }
  if (kind == Kind::open) return std::nullopt;
  if (is_foreign(request) && (kind == Kind::write || !is_followed_link(request))) {
    return admin_error(403, "foreign_site", "a page of another site may not ask for this");
  }
  if (!may(request, kind)) return want_token();
  if (kind == Kind::write && is_other_than_json(request)) {
    return admin_error(415, "unsupported_type", "the body must come as Content-Type: application/json");
  }
  return std::nullopt;
}

WebAnswer Access::handle_session(const WebRequest& request) const {
  const bool asks = request.method == "GET";
  if (auto refusal = why_not(request, Kind::open)) return std::move(*refusal);
  if (!asks && is_foreign(request)) return admin_error(403, "foreign_site", "a page of another site may not do this");
  WebAnswer answer;
  if (asks) {
    const nlohmann::json document = {{"gateway", gateway_},
                                     {"version", DFOTA_VERSION},
                                     {"may_read", may(request, Kind::read)},
                                     {"may_write", may(request, Kind::write)}};
    answer.body = document.dump() + "\n";
  } else if (request.method == "POST") {
    if (!has_token(request)) return want_token();
    answer.status = 204;
    answer.headers.emplace_back("Set-Cookie", cookie(request, cookie_value_, kCookieSeconds));
  } else if (request.method == "DELETE") {
    answer.status = 204;
    answer.headers.emplace_back("Set-Cookie", cookie(request, "", 0));
  } else {
    answer = admin_error(405, "invalid", "a session is asked for (GET), begun (POST) and ended (DELETE)");
    answer.headers.emplace_back("Allow", "GET, HEAD, POST, DELETE");
  }
  return answer;
}

/// A page of another site can be made to come from this address by a name of its own (DNS rebinding): then the browser
/// takes it for one origin with us, but still writes that name into Host. A name of ours has been said, or needs no
/// DNS: an address, or localhost, under whatever port a tunnel or a container gives it.
bool Access::is_our_name(const std::string& field) const {
  const auto asked = host_of(field);
  if (!asked) return false;
  const bool known = std::any_of(hosts_.begin(), hosts_.end(), [&](const HostPort& own) {
    const bool usual = asked->port == 0 && (own.port == kHttp || own.port == kHttps);
    return own.host == asked->host && (own.port == 0 || own.port == asked->port || usual);
  });
  if (known) return true;
  const bool localhost = asked->host == "localhost";
  const bool is_address = is_ip_address(asked->host);
  const auto address = address_of(asked->host);
  if (listens_at_.is_unspecified()) return localhost || is_address;
  if (listens_at_.is_loopback() && (localhost || (is_address && address.is_loopback()))) return true;
  return is_address && address == listens_at_ && (asked->port == 0 ? kHttp : asked->port) == port_;
}

bool Access::may(const WebRequest& request, Kind kind) const {
  if (kind == Kind::open || (kind == Kind::read && is_local(request))) return true;
  return has_token(request) || has_cookie(request);
}

bool Access::has_token(const WebRequest& request) const {
  const auto field = request.header("authorization");
  std::string_view rest = field;
  if (!same_word(split_off(rest, ' '), "bearer")) return false;
  if (even_time_equal(trimmed(rest), token_)) return true;
  tell_wrong_token(request.source);
  return false;
}

bool Access::has_cookie(const WebRequest& request) const {
  const auto field = request.header("cookie");
  std::string_view rest = field;
  while (!rest.empty()) {
    auto value = trimmed(split_off(rest, ';'));
    if (split_off(value, '=') == cookie_name_ && even_time_equal(value, cookie_value_)) return true;
  }
  return false;
}

WebAnswer Access::want_token() const {
  auto answer = admin_error(401, "unauthorized",
                            "this wants the token of admin.token_file (without that key: admin_token in the state "
                            "directory), as Authorization: Bearer");
  answer.headers.emplace_back("WWW-Authenticate", "Bearer realm=\"dfota-gateway " + gateway_ + "\"");
  return answer;
}

/// Secure only where a proxy says that the browser spoke https to it: over plain http, which is all that this server
/// speaks, browsers throw such a cookie away.
std::string Access::cookie(const WebRequest& request, const std::string& value, long seconds) const {
  const bool https = lowered(request.header("x-forwarded-proto")) == "https";
  return cookie_name_ + "=" + value + "; Path=/; Max-Age=" + std::to_string(seconds) + "; HttpOnly; SameSite=Strict" +
         (https ? "; Secure" : "");
}

void Access::tell_wrong_token(const std::string& source) const {
  std::string line = "admin page: a wrong token from " + source;
  {
    const std::lock_guard lock(mutex_);
    const auto now = Clock::now();
    if (told_at_ && now - *told_at_ < kTellAgain) {
      ++untold_;
      return;
    }
    if (untold_ > 0) line += ", and " + std::to_string(untold_) + " more before it";
    told_at_ = now;
    untold_ = 0;
  }
  if (on_wrong_token) on_wrong_token(line);
}

}  // namespace dfota
