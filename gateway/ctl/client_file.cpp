#include "gateway/ctl/client_file.hpp"

#include <cstdlib>
#include <limits>

#include "config/checks.hpp"
#include "config/section.hpp"
#include "config/text_file.hpp"
#include "config/toml_tree.hpp"
#include "gateway/ctl/option_checks.hpp"

namespace dfota::ctl {
namespace {
void take(Section& section, const char* key, std::optional<std::string>& field, const Check& check) {
  std::string text;
  if (section.take_string(key, text, check)) field = text;
}

Complaint complaint_of(const std::string& fault) {
  return fault.empty() ? Complaint() : Complaint("is wrong: " + fault);
}

void take_files(Section& section, ClientFile& file, const std::filesystem::path& base) {
  const std::pair<const char*, std::optional<std::string>*> fields[] = {{"password_file", &file.password_file},
                                                                        {"ca_file", &file.ca_file},
                                                                        {"cert_file", &file.cert_file},
                                                                        {"key_file", &file.key_file}};
  for (const auto& [key, field] : fields) {
    std::string path;
    if (section.take_file(key, path, base) && !path.empty()) *field = path;
  }
}

void take_version(Section& section, ClientFile& file) {
  std::int64_t version = 0;
  using Limits = std::numeric_limits<std::int64_t>;
  if (!section.take_integer("mqtt_version", version, Limits::min(), Limits::max(), "")) return;
  if (version == 3 || version == 5) {
    file.mqtt_version = static_cast<int>(version);
  } else {
    section.fault("mqtt_version", "must be 5, or 3 for MQTT 3.1.1, not " + std::to_string(version));
  }
}

/// What does not fit together. What the command line adds is not known here.
void check_together(Section& section, const ClientFile& file) {
  if (file.cert_file && !section.has("key_file")) {
    section.fault("cert_file", "needs key_file beside it, the key of this certificate");
  }
  if (file.key_file && !section.has("cert_file")) {
    section.fault("key_file", "needs cert_file beside it, the certificate of this key");
  }
  if (!file.broker || !file.broker->starts_with("mqtt://")) return;
  for (const auto* key : {"ca_file", "cert_file", "key_file"}) {
    if (section.has(key)) section.fault(key, "has no effect without TLS: write mqtts:// in broker, or remove it");
  }
}

std::optional<std::filesystem::path> directory(const char* variable) {
  const char* const value = std::getenv(variable);
  // The XDG specification: one that is not absolute is to be ignored.
  if (value == nullptr || !std::filesystem::path(value).is_absolute()) return std::nullopt;
  return value;
}
}  // namespace

std::optional<std::filesystem::path> usual_client_file() {
  if (const auto config = directory("XDG_CONFIG_HOME")) return *config / "dfota.toml";
  if (const auto home = directory("HOME")) return *home / ".config" / "dfota.toml";
  return std::nullopt;
}

std::variant<ClientFile, ConfigFaults> parse_client_file(const std::string& text, const std::string& name) {
  const auto parsed = parse_toml(text);
  if (const auto* error = std::get_if<TomlSyntaxError>(&parsed)) {
    return ConfigFaults{{name, error->place.line, error->place.column, error->message}};
  }
  FaultList faults(name);
  std::error_code ignored;  // the name stays relative then
  const std::filesystem::path base = std::filesystem::absolute(name, ignored).parent_path();
  Section section(std::get<TomlValue>(parsed), faults);
  ClientFile file;
  take(section, "broker", file.broker, [](const std::string& uri) { return complaint_of(check_broker(uri)); });
  take(section, "gateway", file.gateway, [](const std::string& id) { return complaint_of(check_gateway(id)); });
  take(section, "topic_root", file.topic_root, check_topic_root);
  take(section, "username", file.username, check_plain);
  take_files(section, file, base);
  take_version(section, file);
  check_together(section, file);
  section.finish();
  if (!faults.empty()) return faults.sorted();
  return file;
}

std::variant<ClientFile, ConfigFaults> load_client_file(const std::filesystem::path& file) {
  const auto text = read_text(file, "the configuration of dfota");
  if (const auto* fault = std::get_if<ConfigFault>(&text)) return ConfigFaults{*fault};
  return parse_client_file(std::get<std::string>(text), file.string());
}

}  // namespace dfota::ctl
