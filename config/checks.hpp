// What a single value of the configuration must look like: pure functions, one for each kind of value. Each returns
// what is wrong, worded to follow the key's name, and never quotes a value that may hold a password. Only check_file
// looks at the disk.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "config/section.hpp"

namespace dfota {

/// Without control characters, cut to a bearable length: safe in a message.
std::string printable(const std::string& text);
/// The same in quotes.
std::string in_quotes(const std::string& text);

struct HostPort {
  std::string host;  ///< an IPv6 address without its brackets
  std::uint16_t port = 0;
};
/// "host:port" or "[v6]:port" with a port of 1 to 65535. The host is a name or an address.
std::optional<HostPort> split_host_port(std::string_view text);

bool is_ip_address(const std::string& host);
/// 0.0.0.0 or ::, however it is written.
bool is_wildcard(const std::string& host);
/// host:port as it stands in a URL.
std::string url_authority(const HostPort& address);

/// Bytes a public_url may have: the longest address of a file under it must fit into the 255 of AT+QFOTADL.
inline constexpr std::size_t kMaxPublicUrlBytes = 255 - sizeof("/a/") + 1 - 32 - sizeof("/") + 1 - 64;

Complaint check_segment(const std::string& text);
Complaint check_topic_root(const std::string& text);
Complaint check_topic_filter(const std::string& text);
Complaint check_mqtt_uri(const std::string& text);
Complaint check_listen(const std::string& text);
Complaint check_public_url(const std::string& text);
/// [ftp].public_url; never quotes it.
Complaint check_ftp_url(const std::string& text);
Complaint check_host(const std::string& text);
/// A name or address as it stands in a URL, with a port or without.
Complaint check_url_host(const std::string& text);
Complaint check_module_port(const std::string& text);
/// An absolute path with * ? or [] in it, or without.
Complaint check_port_glob(const std::string& text);
/// vid:pid.
Complaint check_usb_id(const std::string& text);
Complaint check_imei(const std::string& text);
Complaint check_tag(const std::string& text);
/// The base64 line of a public key of minisign: 42 bytes that begin with "Ed".
Complaint check_minisign_key(const std::string& text);
/// A path of a file or directory, there or not.
Complaint check_path(const std::string& text);
/// A readable file; `path` is already made absolute.
Complaint check_file(const std::string& path);
/// Text within the quotes of an AT command, or of MQTT's user name.
Complaint check_quotable(const std::string& text);
Complaint check_plain(const std::string& text);

}  // namespace dfota
