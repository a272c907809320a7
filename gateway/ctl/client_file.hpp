// dfota.toml: how dfota finds its broker where neither its command line nor the environment says so. Read as strictly
// as the gateway's configuration.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <variant>

#include "config/fault.hpp"

namespace dfota::ctl {

/// What the file does not say is nullopt. Files are absolute, and there.
struct ClientFile {
  std::optional<std::string> broker, gateway, topic_root, username, password_file, ca_file, cert_file, key_file;
  std::optional<int> mqtt_version;
};

/// $XDG_CONFIG_HOME/dfota.toml, or ~/.config/dfota.toml, there or not; nothing without a home.
std::optional<std::filesystem::path> usual_client_file();

/// What it says, or every fault found, in the order of their places.
std::variant<ClientFile, ConfigFaults> load_client_file(const std::filesystem::path& file);

/// The same for text; `name` stands where the file's name would.
std::variant<ClientFile, ConfigFaults> parse_client_file(const std::string& text, const std::string& name);

}  // namespace dfota::ctl
