#include "config/load.hpp"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <map>
#include <utility>

#include "config/checks.hpp"
#include "config/load_modules.hpp"
#include "config/section.hpp"
#include "config/text_file.hpp"
#include "config/toml_tree.hpp"

namespace dfota {
namespace {

constexpr double kLeastSeconds = 0.001;
constexpr double kMostSeconds = 30.0 * 24 * 3600;
constexpr unsigned kMostLimit = 100000;
constexpr unsigned kMostAttempts = 10;
constexpr unsigned kMostJobs = 100000;
constexpr unsigned kMostDays = 36500;
constexpr unsigned kMostContexts = 16;  // <contextID> of AT+QICSGP
constexpr std::int64_t kMostBytes = std::int64_t{1} << 50;
constexpr unsigned kBauds[] = {4800, 9600, 19200, 38400, 57600, 115200, 230400, 460800, 921600};

void read_gateway(Section section, GatewayConfig& gateway, const std::filesystem::path& base) {
  section.take_string("id", gateway.id, check_segment);
  section.require("id", "give this gateway a name of its own, as id = \"rack-1\" under [gateway]");
  if (section.take_string("state_dir", gateway.state_dir, check_path)) {
    gateway.state_dir = resolved(gateway.state_dir, base);
  }
  section.finish();
}

// What is said of TLS and cannot be kept.
void check_tls(Section& section, const MqttConfig& mqtt) {
  const std::pair<const char*, const std::string*> files[] = {
      {"ca_file", &mqtt.ca_file}, {"cert_file", &mqtt.cert_file}, {"key_file", &mqtt.key_file}};
  for (const auto& [key, file] : files) {
    if (file->empty() || !mqtt.uri.starts_with("mqtt://")) continue;
    section.fault(key, "has no effect without TLS: write mqtts:// in mqtt.uri, or remove it");
  }
  if (!mqtt.cert_file.empty() && !section.has("key_file")) {
    section.fault("cert_file", "needs mqtt.key_file beside it, the key of this certificate");
  }
  if (!mqtt.key_file.empty() && !section.has("cert_file")) {
    section.fault("key_file", "needs mqtt.cert_file beside it, the certificate of this key");
  }
}

void read_mqtt(Section section, MqttConfig& mqtt, const std::filesystem::path& base) {
  section.take_string("uri", mqtt.uri, check_mqtt_uri);
  section.take_string("username", mqtt.username, check_plain);
  section.take_file("password_file", mqtt.password_file, base);
  section.take_file("ca_file", mqtt.ca_file, base);
  section.take_file("cert_file", mqtt.cert_file, base);
  section.take_file("key_file", mqtt.key_file, base);
  std::int64_t version = mqtt.version;
  if (section.take_integer("version", version, INT64_MIN, INT64_MAX, "")) {
    if (version == 3 || version == 5) {
      mqtt.version = static_cast<int>(version);
    } else {
      section.fault("version", "must be 5, or 3 for MQTT 3.1.1, not " + std::to_string(version));
    }
  }
  section.take_string("topic_root", mqtt.topic_root, check_topic_root);
  section.take_strings("response_topics", mqtt.response_topics, check_topic_filter);
  check_tls(section, mqtt);
  if (mqtt.version == 3 && !mqtt.password_file.empty() && mqtt.username.empty()) {
    section.fault("password_file", "needs mqtt.username: MQTT 3.1.1 has no password without a user");
  }
  section.finish();
}

void read_http(Section section, HttpConfig& http) {
  std::string listen = "0.0.0.0:8480", url;
  const bool listen_right = section.take_string("listen", listen, check_listen) || !section.has("listen");
  const Check empty_or_url = [](const std::string& text) {
    return text.empty() ? Complaint() : check_public_url(text);
  };
  const bool url_right = section.take_string("public_url", url, empty_or_url) || !section.has("public_url");
  section.finish();
  if (!listen_right || !url_right) return;
  const HostPort address = split_host_port(listen).value();
  if (url.empty() && is_wildcard(address.host)) {
    section.fault("listen", "is " + in_quotes(listen) +
                                ", which modules cannot write, and http.public_url is missing: write what they can "
                                "reach, as public_url = \"http://192.168.1.10:" +
                                std::to_string(address.port) + "\" under [http]");
  }
  http = {address.host, address.port, url.empty() ? "http://" + url_authority(address) : url};
}

void read_admin(Section section, Config& config, const std::filesystem::path& base) {
  AdminConfig admin;
  std::string listen = "127.0.0.1:8481", token_file;
  const Check empty_or_listen = [](const std::string& text) { return text.empty() ? Complaint() : check_listen(text); };
  const bool listen_right = section.take_string("listen", listen, empty_or_listen) || !section.has("listen");
  section.take_file("token_file", token_file, base);
  section.take_strings("hosts", admin.hosts, check_url_host);
  section.finish();
  if (!listen_right) return;
  if (listen.empty()) {
    config.admin.reset();
    return;
  }
  const HostPort address = split_host_port(listen).value();
  admin.listen_host = address.host;
  admin.listen_port = address.port;
  const auto ours = std::filesystem::path(config.gateway.state_dir) / "admin_token";
  admin.token_file = token_file.empty() ? ours.string() : token_file;
  config.admin = std::move(admin);
}

void read_artifacts(Section section, Config& config, const std::filesystem::path& base) {
  auto& artifacts = config.artifacts;
  std::int64_t max_bytes = 0;
  if (section.take_integer("max_bytes", max_bytes, 1, kMostBytes, "bytes")) {
    artifacts.max_bytes = static_cast<std::uint64_t>(max_bytes);
  }
  section.take_strings("allow_hosts", artifacts.allow_hosts, check_host);
  section.take_file("ca_file", artifacts.ca_file, base);
  std::string incoming;
  const Check empty_or_path = [](const std::string& text) { return text.empty() ? Complaint() : check_path(text); };
  section.take_string("incoming", incoming, empty_or_path);
  const auto ours = std::filesystem::path(config.gateway.state_dir) / "incoming";
  artifacts.incoming = incoming.empty() ? ours.string() : resolved(incoming, base);
  section.take_boolean("require_signature", artifacts.require_signature);
  const bool keys_right =
      section.take_strings("trusted_keys", artifacts.trusted_keys, check_minisign_key) || !section.has("trusted_keys");
  if (artifacts.require_signature && artifacts.trusted_keys.empty() && keys_right) {
    section.fault("require_signature", "needs a key in artifacts.trusted_keys: without one every artifact is refused");
  }
  section.finish();
}

void read_ftp(Section section, std::optional<FtpConfig>& field, const std::filesystem::path& base) {
  if (!section.present()) return;
  FtpConfig ftp;
  std::string url;
  section.require("public_url",
                  "write what the modules reach, as public_url = \"ftp://user:password@192.168.1.10:21/\"");
  if (section.take_string("public_url", url, check_ftp_url)) {
    ftp.public_url = std::get<ModuleUrl>(parse_ftp_directory(url));
  }
  section.require("dir", "name the directory that the FTP server shows there, as dir = \"/srv/ftp\"");
  if (section.take_string("dir", ftp.dir, check_path)) ftp.dir = resolved(ftp.dir, base);
  section.finish();
  field = std::move(ftp);
}

void read_limits(Section section, LimitsConfig& limits) {
  section.take_unsigned("downloads", limits.downloads, 1, kMostLimit, "modules");
  section.take_unsigned("updates", limits.updates, 1, kMostLimit, "modules");
  section.finish();
}

void read_tag_limits(std::vector<Section> sections, std::vector<TagLimitConfig>& tag_limits) {
  std::map<std::string, unsigned> lines;
  for (Section& section : sections) {
    TagLimitConfig limit;
    section.require("tag", "name the tag of the modules it is for, as tag = \"hub-1\"");
    if (section.take_string("tag", limit.tag, check_tag)) {
      const auto [first, fresh] = lines.try_emplace(limit.tag, section.place_of("tag").line);
      if (!fresh) {
        section.fault("tag", in_quotes(limit.tag) + " has a [[limit]] already, at line " +
                                 std::to_string(first->second) + ": make one of the two");
      }
    }
    unsigned number = 0;
    if (section.take_unsigned("downloads", number, 1, kMostLimit, "modules")) limit.downloads = number;
    if (section.take_unsigned("updates", number, 1, kMostLimit, "modules")) limit.updates = number;
    if (section.take_unsigned("reboots", number, 1, kMostLimit, "modules")) limit.reboots = number;
    if (!section.has("downloads") && !section.has("updates") && !section.has("reboots")) {
      section.require("updates",
                      "a [[limit]] limits something: write updates = 4, downloads = 2, reboots = 1, or some");
    }
    section.finish();
    tag_limits.push_back(std::move(limit));
  }
}

void read_jobs(Section section, JobsConfig& jobs) {
  section.take_unsigned("queued", jobs.queued, 1, kMostJobs, "jobs");
  section.take_unsigned("keep", jobs.keep, 1, kMostJobs, "jobs");
  section.take_unsigned("keep_days", jobs.keep_days, 1, kMostDays, "days");
  section.take_unsigned("remember_days", jobs.remember_days, 1, kMostDays, "days");
  section.finish();
}

void read_retry(Section section, RetryConfig& retry) {
  section.take_unsigned("attempts", retry.attempts, 1, kMostAttempts, "attempts");
  section.take_number("backoff_s", retry.backoff_s, kLeastSeconds, kMostSeconds, "seconds");
  section.finish();
}

void read_timeouts(Section section, TimeoutsConfig& timeouts) {
  const std::pair<const char*, double*> fields[] = {{"listen", &timeouts.listen},
                                                    {"start", &timeouts.start},
                                                    {"download", &timeouts.download},
                                                    {"reboot", &timeouts.reboot},
                                                    {"progress_gap", &timeouts.progress_gap},
                                                    {"update", &timeouts.update},
                                                    {"absent", &timeouts.absent}};
  for (const auto& [key, field] : fields) {
    if (section.take_number(key, *field, kLeastSeconds, kMostSeconds, "seconds")) timeouts.given.insert(key);
  }
  section.finish();
}

void read_pdp(Section section, std::optional<PdpConfig>& field) {
  if (!section.present()) return;
  PdpConfig pdp;
  section.take_unsigned("cid", pdp.cid, 1, kMostContexts, "");
  section.require("apn", "name the access point of the SIM's operator, as apn = \"internet\"");
  section.take_string("apn", pdp.apn, check_quotable);
  section.take_string("user", pdp.user, check_quotable);
  section.take_string("password", pdp.password, check_quotable);
  section.take_unsigned("auth", pdp.auth, 0, 2, "(0: none, 1: PAP, 2: CHAP)");
  section.finish();
  field = std::move(pdp);
}

// The families first: modem.profile names one of them. While some of them are wrong, nobody knows which names there
// are.
void take_profiles(Section& section, ModemConfig& modem, const std::filesystem::path& base, FaultList& faults) {
  std::string folder;
  bool known = true;
  const Check empty_or_path = [](const std::string& text) { return text.empty() ? Complaint() : check_path(text); };
  if (section.take_string("profiles_dir", folder, empty_or_path) && !folder.empty()) {
    auto loaded = load_profiles(resolved(folder, base));
    if (const auto* wrong = std::get_if<ConfigFaults>(&loaded)) {
      faults.add(*wrong);
      known = false;
    } else {
      modem.profiles = std::move(std::get<Profiles>(loaded));
    }
  }
  section.take_string("profile", modem.profile, [&](const std::string& name) -> Complaint {
    if (!known || name == "auto" || modem.profiles.by_name(name) != nullptr) return std::nullopt;
    return in_quotes(name) + " is no family of modules: write \"auto\", or one of " + modem.profiles.names();
  });
}

void read_modem(Section section, ModemConfig& modem, const std::filesystem::path& base, FaultList& faults) {
  take_profiles(section, modem, base, faults);
  std::int64_t baud = 0;
  if (section.take_integer("baud", baud, INT64_MIN, INT64_MAX, "bits a second")) {
    if (std::ranges::find(kBauds, baud) != std::end(kBauds)) {
      modem.baud = static_cast<unsigned>(baud);
    } else {
      std::string list;
      for (const unsigned usual : kBauds) list += (list.empty() ? "" : ", ") + std::to_string(usual);
      section.fault("baud", "must be one of " + list + ", not " + std::to_string(baud));
    }
  }
  section.take_number("poll_s", modem.poll_s, kLeastSeconds, kMostSeconds, "seconds");
  read_pdp(section.child("pdp"), modem.pdp);
  section.unsupported("set_urcport", "the gateway does not set AT+QURCCFG; remove it and set the port of URCs by hand");
  section.finish();
}

// Above the topics of the gateways it would take their replies for discovery.
void read_home_assistant(Section section, HomeAssistantConfig& home_assistant, const std::string& topic_root) {
  section.take_boolean("enabled", home_assistant.enabled);
  section.take_string("prefix", home_assistant.prefix, [&](const std::string& text) -> Complaint {
    if (const Complaint complaint = check_topic_root(text)) return complaint;
    if (!(topic_root + "/").starts_with(text + "/")) return std::nullopt;
    return "must not be mqtt.topic_root or a level above it: write the discovery prefix of Home Assistant, "
           "usually homeassistant";
  });
  section.finish();
}

Config read_root(Section root, const std::filesystem::path& base, FaultList& faults) {
  Config config;
  read_gateway(root.child("gateway"), config.gateway, base);
  read_mqtt(root.child("mqtt"), config.mqtt, base);
  read_http(root.child("http"), config.http);
  read_admin(root.child("admin"), config, base);
  read_artifacts(root.child("artifacts"), config, base);
  read_ftp(root.child("ftp"), config.ftp, base);
  read_limits(root.child("limits"), config.limits);
  read_tag_limits(root.children("limit"), config.tag_limits);
  read_jobs(root.child("jobs"), config.jobs);
  read_retry(root.child("retry"), config.retry);
  read_timeouts(root.child("timeouts"), config.timeouts);
  read_modem(root.child("modem"), config.modem, base, faults);
  read_modules(root.children("module"), config.modules);
  read_discovery(root.child("discovery"), config.discovery);
  read_home_assistant(root.child("home_assistant"), config.home_assistant, config.mqtt.topic_root);
  root.finish();
  return config;
}

}  // namespace

std::variant<Config, ConfigFaults> parse_config(const std::string& text, const std::string& name) {
  const auto parsed = parse_toml(text);
  if (const auto* error = std::get_if<TomlSyntaxError>(&parsed)) {
    return ConfigFaults{{name, error->place.line, error->place.column, error->message}};
  }
  FaultList faults(name);
  std::error_code ignored;  // the name stays relative then
  const std::filesystem::path base = std::filesystem::absolute(name, ignored).parent_path();
  Config config = read_root(Section(std::get<TomlValue>(parsed), faults), base, faults);
  if (!faults.empty()) return faults.sorted();
  return config;
}

std::variant<Config, ConfigFaults> load_config(const std::filesystem::path& file) {
  const auto text = read_text(file, "the configuration");
  if (const auto* fault = std::get_if<ConfigFault>(&text)) return ConfigFaults{*fault};
  return parse_config(std::get<std::string>(text), file.string());
}

}  // namespace dfota
