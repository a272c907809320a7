// The one file in which the configuration becomes the options of transport's parts, which have never heard of it.
#pragma once

#include "config/config.hpp"
#include "gateway/admin/access.hpp"
#include "transport/fetch.hpp"
#include "transport/file_server.hpp"
#include "transport/web_server.hpp"

namespace dfota {

inline FileServerOptions file_server_options(const Config& config) {
  FileServerOptions options;
  options.host = config.http.listen_host;
  options.port = config.http.listen_port;
  return options;
}

inline FetchOptions fetch_options(const Config& config) {
  FetchOptions options;
  options.directory = std::filesystem::path(config.gateway.state_dir) / "artifacts";
  options.max_bytes = config.artifacts.max_bytes;
  options.allow_hosts = config.artifacts.allow_hosts;
  options.ca_file = config.artifacts.ca_file;
  return options;
}

inline WebServerOptions web_server_options(const AdminConfig& admin) {
  WebServerOptions options;
  options.host = admin.listen_host;
  options.port = admin.listen_port;
  options.headers = admin_headers();
  return options;
}

}  // namespace dfota
