#include "gateway/ctl/requests.hpp"

namespace dfota::ctl {
namespace {
template <class T>
void put(Json& body, const char* key, const std::optional<T>& value) {
  if (value) body[key] = *value;
}

Json selection_of(const UpdateRequest& request) {
  if (request.modules == std::vector<std::string>{"all"}) return "all";
  if (!request.modules.empty()) return request.modules;
  Json selector = Json::object();
  put(selector, "tag", request.tag);
  put(selector, "model", request.model);
  put(selector, "version", request.version);
  return selector;
}
}  // namespace

Json update_body(const UpdateRequest& request) {
  Json body;
  body["modules"] = selection_of(request);
  if (request.delivery != "http") body["delivery"] = request.delivery;
  if (!request.target.empty()) {
    body["target"] = request.target;
  } else if (request.rollback) {
    body["rollback"] = true;
  } else if (!request.artifact.empty()) {
    body["artifact"] = {{"name", request.artifact}};
  } else if (request.delivery == "url") {
    body["url"] = request.url;
  } else if (request.delivery == "file") {
    body["file"] = request.file;
  } else {
    body["artifact"] = {{"url", request.url}, {"sha256", request.sha256}};
    put(body["artifact"], "size", request.size);
  }
  if (!request.from.empty()) body["from"] = request.from;
  if (!request.to.empty()) body["to"] = request.to;
  if (request.allow_downgrade) body["allow_downgrade"] = true;
  if (request.dry_run) body["dry_run"] = true;
  put(body, "job", request.job);
  put(body, "attempts", request.attempts);
  put(body, "max_parallel", request.max_parallel);
  put(body, "canary", request.canary);
  put(body, "abort_after_failures", request.abort_after_failures);
  put(body, "absent", request.absent);
  put(body, "not_before", request.not_before);
  put(body, "expires", request.expires);
  if (request.window) body["window"] = {{"start", request.window->first}, {"end", request.window->second}};
  return body;
}

Json subject_body(const Subject& subject) {
  Json body = Json::object();
  put(body, "job", subject.job);
  put(body, "module", subject.module);
  return body;
}

Json install_body(const std::string& module, const std::optional<std::string>& target) {
  Json body = {{"module", module}};
  put(body, "target", target);
  return body;
}

Json scan_body(const std::optional<std::string>& module, bool force, bool accept) {
  Json body = Json::object();
  put(body, "module", module);
  if (force) body["force"] = true;
  if (accept) body["accept"] = true;
  return body;
}

Json rehearse_body(const std::string& module, std::optional<std::uint64_t> size) {
  Json body = {{"module", module}};
  put(body, "size", size);
  return body;
}

Json retry_body(const std::string& job, std::int64_t run) {
  return {{"job", job}, {"run", run}};
}

Json transcript_body(const std::string& module, const std::optional<std::string>& job) {
  Json body = {{"module", module}};
  put(body, "job", job);
  return body;
}

Json page_body(const Json& after, Json body) {
  if (!after.is_null()) body["after"] = after;
  return body;
}

}  // namespace dfota::ctl
