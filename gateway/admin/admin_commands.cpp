// What changes something over admin HTTP: commands, as over MQTT, and artifacts that are brought (the rest of
// AdminApi).
#include <filesystem>

#include "gateway/admin/admin_api.hpp"
#include "gateway/json_guard.hpp"
#include "transport/base/log.hpp"
#include "transport/file_reader.hpp"
#include "transport/sha256.hpp"

namespace dfota {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::string_view kCommands = "/api/v1/commands/", kArtifacts = "/api/v1/artifacts/";

/// What a refusal is in HTTP; its code says it exactly.
int status_of_reply(const json& reply) {
  if (reply.value("status", "") == "ok") return 200;
  const auto code = reply.at("error").value("code", "");
  for (const auto* unknown : {"unknown_verb", "unknown_job", "unknown_module", "unknown_artifact", "no_module"}) {
    if (code == unknown) return 404;
  }
  for (const auto* state : {"job_conflict", "artifact_conflict", "artifact_in_use", "job_ended", "job_not_ended",
                            "module_present", "module_configured", "updating", "not_newest_run", "up_to_date"}) {
    if (code == state) return 409;
  }
  for (const auto* full : {"busy", "queue_full", "outbox_full"}) {
    if (code == full) return 503;
  }
  return code == "too_large" ? 413 : 400;
}

WebAnswer reply_answer(const json& reply) {
  WebAnswer answer;
  answer.status = status_of_reply(reply);
  answer.body = dump(reply);
  return answer;
}

WebAnswer body_error(const Error& error) {
  const int status = status_of(error);
  return admin_error(status, status == 413 ? "too_large" : status == 507 ? "no_space" : "invalid", error.message);
}

/// As far as the query says it: flat, where a manifest nests the days of both versions.
json manifest_of(const std::string& name, const std::map<std::string, std::string>& query) {
  json manifest = {{"name", name}};
  for (const auto& [key, value] : query) manifest[key] = value;
  const auto from = query.find("from_released");
  if (from == query.end()) return manifest;
  manifest.erase("from_released");
  json released = {{"from", from->second}};
  if (manifest.contains("released")) released["to"] = manifest["released"];
  manifest["released"] = std::move(released);
  return manifest;
}

/// A file that is being brought: gone again unless it is kept.
class Upload {
 public:
  explicit Upload(fs::path file) : file_(std::move(file)) {}
  ~Upload() { remove(); }
  Upload(const Upload&) = delete;
  Upload& operator=(const Upload&) = delete;
  [[nodiscard]] const fs::path& file() const { return file_; }
  void remove() {
    std::error_code ignored;
    if (!file_.empty()) fs::remove(file_, ignored);
  }
  std::error_code move_to(const fs::path& name) {
    std::error_code error;
    fs::rename(file_, name, error);
    if (!error) file_ = name;
    return error;
  }
  void keep() { file_.clear(); }

 private:
  fs::path file_;
};

}  // namespace

WebAnswer AdminApi::write(const WebRequest& request, WebBody& body) {
  if (request.method == "PUT" && request.path.starts_with(kArtifacts)) {
    return put_artifact(request.path.substr(kArtifacts.size()), request, body);
  }
  if (request.method != "POST" || !request.path.starts_with(kCommands)) {
    auto answer = admin_error(405, "method_not_allowed", "see gateway/README.md, Admin HTTP");
    answer.headers.emplace_back("Allow", "GET, HEAD");
    return answer;
  }
  const auto text = body.read();
  if (!text) return body_error(text.error());
  auto parsed = parse_untrusted(text.value(), kMaxCommandBytes);
  if (const auto* fault = std::get_if<JsonFault>(&parsed)) {
    return reply_answer(error_reply({fault->code, fault->message, fault->pointer}));
  }
  return run(request.path.substr(kCommands.size()), std::get<json>(std::move(parsed)));
}

/// As over MQTT, but that the answer comes here.
WebAnswer AdminApi::run(const std::string& verb, json document) {
  struct Ran {
    json reply;  ///< null: not in the journal
    std::function<Awaitable<json>()> later;
  };
  const auto transaction = transaction_of(document);
  auto ran = loop_.ask<Ran>(
      [this, verb, document]() -> Awaitable<Ran> {
        auto answered = co_await world_.mqtt.commands().run(verb, document, false);
        if (!answered) co_return Ran();
        Ran out{std::move(answered->reply), std::move(answered->later)};
        co_return out;
      },
      kAnswer);
  if (!ran || (ran->reply.is_null() && !ran->later)) {
    return admin_error(503, "journal_unavailable", "the journal does not have it; send the same command again");
  }
  if (ran->later) {
    // It has begun, and ends as over MQTT, whoever waits here for its end.
    const bool waits = ++waiting_later_ <= kMostLater;
    auto reply = loop_.ask<json>(std::move(ran->later), waits ? Clock::duration(kLater) : Clock::duration::zero());
    --waiting_later_;
    if (!reply) return admin_error(202, "going_on", "it goes on; look at its outcome in the lists");
    if (ran->reply.is_null()) ran->reply = json::object();
    ran->reply.update(*reply);
  }
  if (!transaction.empty()) ran->reply["transaction"] = transaction;
  if (ran->reply.value("status", "") == "error") {
    const auto& error = ran->reply["error"];
    log::notice("admin page: ", verb, " refused: ", error.value("code", ""), ": ", error.value("message", ""));
  }
  return reply_answer(ran->reply);
}

WebAnswer AdminApi::put_artifact(const std::string& name, const WebRequest& request, WebBody& body) {
  if (!is_artifact_name(name)) {
    return reply_answer(error_reply(invalid("/name", "an artifact's name is 1 to 64 of A-Z a-z 0-9 . _ -")));
  }
  {
    const std::lock_guard lock(putting_mutex_);
    if (!putting_.insert(name).second) {
      return reply_answer(error_reply({"busy", "somebody else is bringing an artifact of this name", "/name"}));
    }
  }
  auto answer = bring_artifact(name, request, body);
  const std::lock_guard lock(putting_mutex_);
  putting_.erase(name);
  return answer;
}

/// The delta lies in artifacts.incoming under its name, and artifact_add takes it from there, as `dfota artifact add`
/// has it done. What is refused does not stay.
WebAnswer AdminApi::bring_artifact(const std::string& name, const WebRequest& request, WebBody& body) {
  auto manifest = manifest_of(name, request.query);
  const fs::path incoming = world_.config.artifacts.incoming;
  // The gateway does not look at what begins with a dot, and nobody else brings this name now.
  Upload upload(incoming / ("." + name + ".put"));
  upload.remove();  // of a gateway that was killed
  const auto saved = body.save(upload.file(), world_.config.artifacts.max_bytes);
  if (!saved) return body_error(saved.error());
  Sha256 hash;
  const auto failed = read_file(upload.file(), [&](std::string_view bytes) -> std::optional<Error> {
    hash.update(bytes);
    return std::nullopt;
  });
  if (failed) return body_error(*failed);
  const auto sha256 = hash.hex();
  if (manifest.contains("sha256") && manifest["sha256"] != sha256) {
    return reply_answer(error_reply({"artifact_hash_mismatch", "what came has the sha256 " + sha256, "/sha256"}));
  }
  manifest["sha256"] = sha256;
  manifest["size"] = saved.value();
  if (const auto error = upload.move_to(incoming / name)) {
    return admin_error(507, "io", (incoming / name).string() + ": " + error.message());
  }
  auto answer = run("artifact_add", std::move(manifest));
  if (answer.status < 300) upload.keep();
  return answer;
}

}  // namespace dfota
