#include "config/module_url.hpp"

#include <strings.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "config/checks.hpp"

namespace dfota {
namespace {

struct Scheme {
  UrlScheme scheme;
  std::string_view text;
  std::uint16_t port;
};
constexpr std::array<Scheme, 3> kSchemes{
    {{UrlScheme::http, "http://", 80}, {UrlScheme::https, "https://", 443}, {UrlScheme::ftp, "ftp://", 21}}};
// End a module's string, start something in a shell, or belong into no URL (RFC 3986).
constexpr std::string_view kRefused = "'\"`$;&|#\\<>(){}^";
constexpr std::string_view kAnonymous = "anonymous";

using Fault = std::optional<std::string>;

const Scheme& scheme_of(UrlScheme scheme) {
  return *std::ranges::find(kSchemes, scheme, &Scheme::scheme);
}

bool accepted(char c) {
  return c > 0x20 && c < 0x7f && kRefused.find(c) == std::string_view::npos;
}

// `rest`: what stands behind the scheme. A character of what may be a password is not named.
Fault check_characters(std::string_view rest) {
  const auto wrong = std::ranges::find_if_not(rest, accepted);
  if (wrong == rest.end()) return std::nullopt;
  const auto at = static_cast<std::size_t>(wrong - rest.begin());
  const bool secret = at < rest.find('/') || at > rest.find('?') || rest.find('@') != std::string_view::npos;
  const std::string named = secret || !(*wrong > 0x20 && *wrong < 0x7f) ? "a character" : std::string("a ") + *wrong;
  return "holds " + named +
         " that modules pass on to a shell or end their string at: printable ASCII without space and " +
         std::string(kRefused) + " is allowed, and modules decode no %xx";
}

Fault check_length(const char* part, const std::string& text, std::size_t most) {
  if (text.size() <= most) return std::nullopt;
  return "has a " + std::string(part) + " of " + std::to_string(text.size()) + " bytes: modules take at most " +
         std::to_string(most);
}

// `info`: what stands before the @, where there is one.
Fault take_user(std::optional<std::string_view> info, ModuleUrl& url) {
  if (!info) {
    if (url.scheme == UrlScheme::ftp) url.user = url.password = kAnonymous;
    return std::nullopt;
  }
  const std::size_t colon = info->find(':');
  url.user = info->substr(0, colon);
  if (colon != std::string_view::npos) url.password = info->substr(colon + 1);
  if (url.user.empty() || url.password.empty()) {
    return "must name the user and the password as user:password@, both of them, or neither";
  }
  if (url.user.find('@') != std::string::npos || url.password.find_first_of(":@") != std::string::npos) {
    return "has a user or password with : or @ in it, which modules take for its end: choose another one";
  }
  return std::nullopt;
}

Fault take_host(std::string_view text, ModuleUrl& url) {
  const bool bare = text.ends_with(']') || text.find(':') == std::string_view::npos;
  const std::string full = bare ? std::string(text) + ":" + std::to_string(url.port) : std::string(text);
  const auto address = split_host_port(full);
  if (!address) {
    return "must name a host, or host:port with a port of 1 to 65535, behind " +
           std::string(scheme_of(url.scheme).text) + " (and user:password@, without : / @ in either)";
  }
  if (is_wildcard(address->host)) return "must name an address that modules can reach, not one for listening";
  url.host = address->host;
  url.port = address->port;
  return std::nullopt;
}

Fault check_ftp_parts(const ModuleUrl& url, const char* path_name, std::size_t path_bytes) {
  // What looks like one may be the end of a password with a slash in it, and would be told.
  if (url.path.find('@') != std::string::npos) return "must not hold an @ behind its host, or a / in its password";
  if (auto fault = check_length("user", url.user, kMaxFtpPartBytes)) return fault;
  if (auto fault = check_length("password", url.password, kMaxFtpPartBytes)) return fault;
  if (auto fault = check_length("host", url.host, kMaxFtpPartBytes)) return fault;
  return check_length(path_name, url.path, path_bytes);
}

std::variant<ModuleUrl, std::string> take_apart(std::string_view text) {
  const auto* scheme = std::ranges::find_if(kSchemes, [&](const Scheme& known) {
    return text.size() > known.text.size() && strncasecmp(text.data(), known.text.data(), known.text.size()) == 0;
  });
  if (scheme == kSchemes.end()) return "must begin with http://, https:// or ftp://";
  const std::string_view rest = text.substr(scheme->text.size());
  if (auto fault = check_characters(rest)) return *fault;

  ModuleUrl url;
  url.scheme = scheme->scheme;
  url.port = scheme->port;
  const std::size_t end = std::min(rest.find_first_of("/?"), rest.size());
  std::string_view authority = rest.substr(0, end);
  std::optional<std::string_view> info;
  if (const std::size_t at = authority.rfind('@'); at != std::string_view::npos) {
    info = authority.substr(0, at);
    authority.remove_prefix(at + 1);
  }
  if (auto fault = take_user(info, url)) return *fault;
  if (auto fault = take_host(authority, url)) return *fault;
  if (end < rest.size() && rest[end] == '?') return "must have a / between its host and what follows";
  url.path = rest.substr(std::min(end + 1, rest.size()));
  return url;
}

}  // namespace

std::string ModuleUrl::spell(std::string_view scheme_text) const {
  std::string text(scheme_text);
  if (!user.empty()) text += user + ":" + password + "@";
  return text + url_authority({host, port}) + "/" + path;
}

std::string ModuleUrl::masked() const {
  return std::string(scheme_of(scheme).text) + url_authority({host, port}) + "/" + path.substr(0, path.find('?'));
}

ModuleUrl ModuleUrl::file(std::string_view name) const {
  ModuleUrl url = *this;
  url.path += name;
  return url;
}

std::variant<ModuleUrl, std::string> parse_module_url(std::string_view text) {
  auto parsed = take_apart(text);
  const auto* url = std::get_if<ModuleUrl>(&parsed);
  if (url == nullptr) return parsed;
  const bool query = url->path.find('?') != std::string::npos;
  if (url->path.empty() || (url->path.ends_with('/') && !query))
    return "must name a file behind its host, as ftp://host/delta.bin";
  if (url->scheme == UrlScheme::ftp) {
    if (auto fault = check_ftp_parts(*url, "path", kMaxFtpPartBytes)) return *fault;
  }
  const std::size_t bytes = url->spell(scheme_of(url->scheme).text).size();
  if (bytes > kMaxModuleUrlBytes) {
    return "is " + std::to_string(bytes) + " bytes long with its port: AT+QFOTADL takes at most " +
           std::to_string(kMaxModuleUrlBytes);
  }
  return parsed;
}

std::variant<ModuleUrl, std::string> parse_ftp_directory(std::string_view text) {
  auto parsed = take_apart(text);
  auto* url = std::get_if<ModuleUrl>(&parsed);
  if (url == nullptr) return parsed;
  if (url->scheme != UrlScheme::ftp) return "must be an ftp:// address: over HTTP modules download from [http]";
  if (url->path.find('?') != std::string::npos) return "must not hold a ?: FTP has no query";
  if (!url->path.empty() && !url->path.ends_with('/')) url->path += '/';
  constexpr std::size_t kMostBytes = kMaxFtpPartBytes - kFtpNameBytes;
  if (auto fault = check_ftp_parts(*url, "path before the name of a file", kMostBytes)) return *fault;
  return parsed;
}

}  // namespace dfota
