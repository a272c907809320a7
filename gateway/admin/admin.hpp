// The admin listener: the page, its API, metrics and health, on threads of its own, so that whoever looks at the
// gateway does not hold it up. Loop thread; what it tells the page is handed over to the web thread.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "gateway/admin/admin_api.hpp"

namespace dfota {

class Admin {
 public:
  /// What it shows and reaches, all on the loop; all must outlive it.
  struct Parts {
    asio::io_context& loop;
    const Config& config;
    MqttApi& mqtt;
    Jobs& jobs;
    const Jobs::Modules& modules;
    FileServer& files;
    Journal& journal;
    Transcripts& transcripts;
    Metrics& metrics;
  };
  explicit Admin(const Parts& parts);
  ~Admin();  ///< ends the streams and joins its threads
  Admin(const Admin&) = delete;
  Admin& operator=(const Admin&) = delete;

  /// Listens. Errors: invalid (the token file, the address), busy (the port is taken), io.
  Result<void> start(const AdminConfig& config);
  /// All that there is goes onto the page, and from now on what is told of it. From MqttApi::start() on.
  void show_all();
  [[nodiscard]] std::string url() const;
  /// Other artifacts are there.
  void catalog_changed();

 private:
  void show(const std::string& key, std::string document);
  void shown(const std::string& what, const std::string& payload);
  void show_job(const std::string& id);

  Parts parts_;
  std::uint64_t catalog_changes_ = 0;
  std::unique_ptr<Access> access_;
  std::unique_ptr<Board> board_;
  std::unique_ptr<AdminApi> api_;
  std::unique_ptr<WebServer> server_;  ///< the first to go: its threads ask the others until they are joined
};

}  // namespace dfota
