// An address as a module takes it in AT+QFOTADL, checked against what the guide allows and what modules are known to do
// with it: they pass it on to a shell, end their string at some characters, and decode nothing (a "%" is a "%"). Used
// for [ftp].public_url and for the url of a job. Pure values; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

namespace dfota {

/// Of the URL in AT+QFOTADL, with its explicit port; the guide.
inline constexpr std::size_t kMaxModuleUrlBytes = 255;
/// Of an FTP address: user, password, server and path each; the guide.
inline constexpr std::size_t kMaxFtpPartBytes = 50;
/// Of the names under [ftp].public_url: "dfota-", 24 digits of the hash, an extension.
inline constexpr std::size_t kFtpNameBytes = 6 + 24 + 4;

enum class UrlScheme { http, https, ftp };

struct ModuleUrl {
  UrlScheme scheme = UrlScheme::ftp;
  std::string user, password;  ///< ftp: both are there, "anonymous" where none was given
  std::string host;            ///< an IPv6 address without its brackets
  std::uint16_t port = 0;      ///< that of the scheme where none was given
  std::string path;            ///< without its first slash; http and https: with the query

  /// With an explicit port, behind `scheme` as the module wants it spelled: "HTTP://", "ftp://".
  [[nodiscard]] std::string spell(std::string_view scheme) const;
  /// For logs, topics and transcripts: without user, password and query.
  [[nodiscard]] std::string masked() const;
  /// The address of a file in this directory.
  [[nodiscard]] ModuleUrl file(std::string_view name) const;
  bool operator==(const ModuleUrl&) const = default;
};

/// Of a file, http://, https:// or ftp:// in any case. The string instead: what is wrong, worded to follow "url", and
/// never with a part of the URL that may be secret.
std::variant<ModuleUrl, std::string> parse_module_url(std::string_view text);

/// Of a directory, ftp:// only: `path` is empty or ends with a slash, and leaves room for a name of kFtpNameBytes.
std::variant<ModuleUrl, std::string> parse_ftp_directory(std::string_view text);

}  // namespace dfota
