#include "gateway/ctl/option_broker.hpp"

#include <CLI/CLI.hpp>
#include <fstream>
#include <iostream>

#include "gateway/ctl/client_file.hpp"
#include "gateway/ctl/option_checks.hpp"

namespace dfota::ctl {
namespace {
constexpr const char* kUsualFile = "~/.config/dfota.toml";

/// What --config names, or what usually has it where that is there.
std::variant<ClientFile, ConfigFaults> read_file(const std::string& named) {
  if (!named.empty()) return load_client_file(named);
  const auto usual = usual_client_file();
  std::error_code unreadable;  // a file that cannot be looked at is told by the one that reads it
  if (!usual || (!std::filesystem::exists(*usual, unreadable) && !unreadable)) return ClientFile{};
  return load_client_file(*usual);
}

void take_what_is_open(const CLI::App& app, const ClientFile& file, BrokerLine& line, Options& options) {
  const auto take = [&app](const char* option, auto& field, const auto& value) {
    if (value && app.get_option(option)->count() == 0) field = *value;
  };
  take("--broker", options.broker, file.broker);
  take("--gateway", options.gateway, file.gateway);
  take("--root", options.root, file.topic_root);
  take("--username", options.username, file.username);
  take("--password-file", line.password_file, file.password_file);
  take("--ca-file", options.ca_file, file.ca_file);
  take("--mqtt-version", options.mqtt_version, file.mqtt_version);
  // A certificate and its key come from one place.
  const bool own = app.get_option("--cert-file")->count() + app.get_option("--key-file")->count() > 0;
  if (!own) {
    options.cert_file = file.cert_file.value_or("");
    options.key_file = file.key_file.value_or("");
  }
}

/// Throws CLI::ValidationError.
void check_together(const CLI::App& app, const BrokerLine& line, const Options& options) {
  if (options.gateway.empty()) {
    throw CLI::ValidationError(
        "--gateway", std::string("is needed; or set DFOTA_GATEWAY, or write gateway = \"ID\" into ") + kUsualFile);
  }
  if (options.cert_file.empty() != options.key_file.empty()) {
    const bool lacks_key = options.key_file.empty();
    throw CLI::ValidationError(lacks_key ? "--key-file" : "--cert-file",
                               std::string("is needed with ") + (lacks_key ? "--cert-file" : "--key-file"));
  }
  for (const auto* option : {"--ca-file", "--cert-file", "--key-file"}) {
    if (app.get_option(option)->count() > 0 && options.broker.starts_with("mqtt://")) {
      throw CLI::ValidationError(option, "has no effect without TLS: write mqtts:// in --broker");
    }
  }
  if (options.mqtt_version == 3 && !line.password_file.empty() && options.username.empty()) {
    throw CLI::ValidationError("--password-file", "needs --username: MQTT 3.1.1 has no password without a user");
  }
}

/// Throws CLI::ValidationError.
std::string password_in(const std::string& name) {
  std::ifstream file(name);
  std::string password;
  if (!std::getline(file, password)) {
    throw CLI::ValidationError("--password-file", "no password can be read from " + name);
  }
  if (password.ends_with('\r')) password.pop_back();
  return password;
}
}  // namespace

void add_broker(CLI::App& app, BrokerLine& line, Options& options) {
  app.add_option("--config", line.file,
                 "file that says, in TOML, what of these options is not given here or in the environment; left out: " +
                     std::string(kUsualFile))
      ->type_name("FILE");
  app.add_option("--broker", options.broker, "URI of the broker, mqtt:// or mqtts://")
      ->envname("DFOTA_BROKER")
      ->check(rule(check_broker, "URI"))
      ->capture_default_str();
  app.add_option("--username", options.username, "user name for the broker");
  app.add_option("--password-file", line.password_file, "file with the password for the broker, in its first line")
      ->check(CLI::ExistingFile);
  app.add_option("--ca-file", options.ca_file,
                 "certificate authority of the broker (mqtts://); left out: those that this machine knows")
      ->check(CLI::ExistingFile);
  app.add_option("--cert-file", options.cert_file, "client certificate for the broker (mqtts://)")
      ->check(CLI::ExistingFile);
  app.add_option("--key-file", options.key_file, "its key, without a passphrase")->check(CLI::ExistingFile);
  app.add_option("--mqtt-version", options.mqtt_version, "5, or 3 for MQTT 3.1.1")
      ->check(CLI::IsMember({3, 5}))
      ->capture_default_str();
}

bool find_broker(const CLI::App& app, BrokerLine& line, Options& options) {
  const auto read = read_file(line.file);
  if (const auto* faults = std::get_if<ConfigFaults>(&read)) {
    for (const auto& fault : *faults) std::cerr << "dfota: " << fault.text() << "\n";
    return false;
  }
  take_what_is_open(app, std::get<ClientFile>(read), line, options);
  check_together(app, line, options);
  if (!line.password_file.empty()) options.password = password_in(line.password_file);
  return true;
}

}  // namespace dfota::ctl
