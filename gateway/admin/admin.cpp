#include "gateway/admin/admin.hpp"

#include <asio/post.hpp>

#include "gateway/admin/admin_documents.hpp"
#include "gateway/json_guard.hpp"
#include "gateway/wiring.hpp"
#include "transport/base/log.hpp"

namespace dfota {
namespace {

constexpr std::string_view kModule = "module/", kJob = "job/", kState = "/state", kStatus = "/status";

/// "module/<id>/state": the id.
std::string id_of(const std::string& what, std::string_view kind) {
  const auto rest = what.substr(kind.size());
  return rest.substr(0, rest.find('/'));
}

}  // namespace

Admin::Admin(const Parts& parts) : parts_(parts) {}

Admin::~Admin() {
  parts_.mqtt.on_shown = nullptr;
  if (api_) api_->end();
}

Result<void> Admin::start(const AdminConfig& config) {
  auto token = admin_token(config.token_file);
  if (!token) return token.error();
  access_ = std::make_unique<Access>(token.value(), parts_.config.gateway.id, config);
  const auto handle = [this](const WebRequest& request, WebBody& body) { return api_->answer(request, body); };
  server_ = std::make_unique<WebServer>(web_server_options(config), handle);
  server_->on_fault = [](const std::string& what) { log::error("admin page: ", what); };
  // Not by our pointer: the web thread still turns while the server is being ended.
  board_ = std::make_unique<Board>(server_->loop(), [this, &server = *server_] {
    server.wake();
    parts_.metrics.set_admin_streams(server.streams());
  });
  api_ = std::make_unique<AdminApi>(
      AdminApi::World{parts_.loop, server_->loop(), parts_.config, *board_, parts_.mqtt, parts_.jobs, parts_.modules,
                      parts_.files, parts_.journal, parts_.transcripts, parts_.metrics},
      *access_);
  return server_->start();
}

void Admin::show_all() {
  parts_.mqtt.on_shown = [this](const std::string& what, const std::string& payload) { shown(what, payload); };
  show("info", dump(parts_.mqtt.info_document()));
  catalog_changed();
  for (const auto& [id, module] : parts_.modules) {
    show(std::string(kModule) + id + std::string(kState), dump(parts_.mqtt.module_document(*module)));
    show(std::string(kModule) + id + std::string(kStatus), module->state().online ? "\"online\"" : "\"offline\"");
  }
  for (const auto& [id, job] : parts_.jobs.all()) show_job(id);
}

std::string Admin::url() const {
  const auto& host = parts_.config.admin->listen_host;
  const bool is_v6 = host.find(':') != std::string::npos;
  return "http://" + (is_v6 ? "[" + host + "]" : host) + ":" + std::to_string(server_->port()) + "/";
}

void Admin::catalog_changed() {
  show("artifacts", "{\"changed\":" + std::to_string(++catalog_changes_) + "}");
}

void Admin::show(const std::string& key, std::string document) {
  asio::post(server_->loop(), [this, key, document = std::move(document)] { board_->put(key, document); });
}

/// As it is told over MQTT; but a job with all that the page shows of it.
void Admin::shown(const std::string& what, const std::string& payload) {
  if (what.starts_with(kJob) && payload.empty()) {
    show(std::string(kJob) + id_of(what, kJob), "");
  } else if (what.starts_with(kJob)) {
    show_job(id_of(what, kJob));
  } else if (what.ends_with(kStatus) && what.starts_with(kModule)) {
    show(what, payload.empty() ? payload : "\"" + payload + "\"");
  } else if (!what.empty()) {
    show(what, payload);
  }
  if (!what.starts_with(kModule) || !what.ends_with(kState)) return;
  // Its progress is that of a job, and ends with it.
  const auto id = id_of(what, kModule);
  if (parts_.jobs.job_of(id).empty()) show(std::string(kModule) + id + "/progress", "");
}

void Admin::show_job(const std::string& id) {
  const auto* job = parts_.jobs.find(id);
  show(std::string(kJob) + id, job == nullptr ? std::string() : dump(admin_job_row(parts_.jobs, *job)));
}

}  // namespace dfota
