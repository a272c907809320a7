// What an operator may say, as structs with the contract's defaults. load_config (config/load.hpp) fills them from
// TOML. Plain values: no I/O, any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "config/module_url.hpp"
#include "config/profile.hpp"
#include "config/usb_ids.hpp"

namespace dfota {

struct GatewayConfig {
  std::string id;  ///< topic segment: [A-Za-z0-9_-]{1,64}; "all" and "client" are reserved
  std::string state_dir = "/var/lib/dfota-gateway";  ///< made by the gateway when missing
  bool operator==(const GatewayConfig&) const = default;
};

struct MqttConfig {
  std::string uri = "mqtt://127.0.0.1:1883";
  std::string username;
  std::string password_file, ca_file, cert_file, key_file;  ///< readable files when loaded; empty: none
  int version = 5;                                          ///< or 3 for 3.1.1
  std::string topic_root = "dfota/v1";
  std::vector<std::string> response_topics;  ///< filters, beside <root>/<id>/rsp/# and <root>/client/#
  bool operator==(const MqttConfig&) const = default;
};

struct HttpConfig {
  std::string listen_host = "0.0.0.0";  ///< an IPv4 or IPv6 address, without brackets
  std::uint16_t listen_port = 8480;
  std::string public_url;  ///< as the module must write it, without a slash at its end, with an explicit port
  bool operator==(const HttpConfig&) const = default;
};

/// The page, the metrics and the health of the gateway. Who may see and do what there: gateway/admin/access.hpp.
struct AdminConfig {
  std::string listen_host = "127.0.0.1";  ///< an IPv4 or IPv6 address, without brackets
  std::uint16_t listen_port = 8481;
  /// One line; every write wants it. Readable when loaded, unless it is the one in the state directory, which the
  /// gateway makes when it is missing.
  std::string token_file = "/var/lib/dfota-gateway/admin_token";
  std::vector<std::string> hosts;  ///< a name or address, with or without a port, as in a URL
  bool operator==(const AdminConfig&) const = default;
};

struct ArtifactsConfig {
  std::uint64_t max_bytes = 2147483648;  ///< of the whole cache, what is coming included
  std::vector<std::string> allow_hosts;
  std::string ca_file;
  std::string incoming = "/var/lib/dfota-gateway/incoming";  ///< in the state directory; made when missing
  bool require_signature = false;                            ///< only what a trusted key has signed is used
  std::vector<std::string> trusted_keys;                     ///< minisign's public keys, the base64 line of each
  bool operator==(const ArtifactsConfig&) const = default;
};

/// For the delivery "ftp": an FTP server that somebody else runs, and where its files are on this machine.
struct FtpConfig {
  ModuleUrl public_url;  ///< a directory, as parse_ftp_directory gives it; it holds a password
  std::string dir;       ///< that directory; the gateway looks at it when it starts
  bool operator==(const FtpConfig&) const = default;
};

/// A module takes one of each before its command; the first is given back at ...END.
struct LimitsConfig {
  unsigned downloads = 8;  ///< modules downloading at once
  unsigned updates = 64;   ///< modules between command and verdict at once
  bool operator==(const LimitsConfig&) const = default;
};

/// [[limit]]: for the modules with one tag.
struct TagLimitConfig {
  std::string tag;
  std::optional<unsigned> downloads, updates;
  std::optional<unsigned> reboots = {};  ///< modules between their last byte and the verdict at once
  bool operator==(const TagLimitConfig&) const = default;
};

struct JobsConfig {
  unsigned queued = 10000;       ///< not ended; more are refused
  unsigned keep = 1000;          ///< ended ones, the oldest go
  unsigned keep_days = 90;       ///< ended ones, at most so long
  unsigned remember_days = 400;  ///< the ids of those that went
  bool operator==(const JobsConfig&) const = default;
};

struct RetryConfig {
  unsigned attempts = 3;
  double backoff_s = 10;  ///< doubles, with jitter
  bool operator==(const RetryConfig&) const = default;
};

/// Seconds, fractions allowed.
struct TimeoutsConfig {
  double listen = 3;
  double start = 90;  ///< to HTTPSTART or FTPSTART
  double download = 1800;
  double reboot = 180;  ///< told as a warning; decides nothing in danger, but how long 05c6:9008 may be passing by
  double progress_gap = 300;
  double update = 3600;
  double absent = 60;                ///< how long a job waits for a module that is not there
  std::set<std::string> given = {};  ///< those that the operator wrote: a profile's own give way to them
  [[nodiscard]] TimeoutsConfig with(const ProfileDeadlines& deadlines) const;
  bool operator==(const TimeoutsConfig&) const = default;
};

struct PdpConfig {
  unsigned cid = 1;
  std::string apn, user, password;
  unsigned auth = 0;  ///< 0 none, 1 PAP, 2 CHAP
  bool operator==(const PdpConfig&) const = default;
};

struct ModemConfig {
  Profiles profiles = builtin_profiles();
  std::string profile = "auto";  ///< by ATI; or the name of one
  unsigned baud = 115200;
  double poll_s = 60;            ///< an idle module is asked for its state so often
  std::optional<PdpConfig> pdp;  ///< without it no context is written
  bool operator==(const ModemConfig&) const = default;
};

struct ModuleConfig {
  std::string id;    ///< topic segment, as gateway.id
  std::string port;  ///< a stable name, a pseudo-terminal, or tcp://host:port; empty: found by its IMEI
  std::string imei;  ///< it decides, and the port may move; empty: the first one seen at the port
  std::vector<std::string> tags;
  bool discovered = false;  ///< not written by the operator, but found by [discovery]
  bool operator==(const ModuleConfig&) const = default;
};

/// [discovery]: modules that nobody has written down.
struct DiscoveryConfig {
  enum class Identify { imei, port };
  std::vector<std::string> ports;      ///< globs; empty: nothing becomes a module by itself
  std::vector<UsbId> usb_ids;          ///< asked beside known_usb_ids()
  Identify identify = Identify::imei;  ///< what a found module is called by
  bool operator==(const DiscoveryConfig&) const = default;
};

struct HomeAssistantConfig {
  bool enabled = false;
  std::string prefix = "homeassistant";  ///< of its discovery topics
  bool operator==(const HomeAssistantConfig&) const = default;
};

struct Config {
  GatewayConfig gateway;
  MqttConfig mqtt;
  HttpConfig http;
  std::optional<AdminConfig> admin = AdminConfig{};  ///< nothing: switched off by an empty admin.listen
  ArtifactsConfig artifacts;
  std::optional<FtpConfig> ftp;  ///< without it the delivery "ftp" is refused
  LimitsConfig limits;
  std::vector<TagLimitConfig> tag_limits;
  JobsConfig jobs;
  RetryConfig retry;
  TimeoutsConfig timeouts;
  ModemConfig modem;
  std::vector<ModuleConfig> modules;
  DiscoveryConfig discovery;
  HomeAssistantConfig home_assistant;
  bool operator==(const Config&) const = default;
};

}  // namespace dfota
