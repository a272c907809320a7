#include "gateway/admin/admin_api.hpp"

#include "gateway/admin/admin_documents.hpp"
#include "gateway/admin/page_files.hpp"
#include "gateway/json_guard.hpp"

namespace dfota {
namespace {

using nlohmann::json;

constexpr auto kApi = "/api/v1/";

WebAnswer as_json(std::string text, int status = 200) {
  WebAnswer answer;
  answer.status = status;
  answer.body = std::move(text);
  return answer;
}

WebAnswer no_answer() {
  auto answer = admin_error(503, "busy", "the gateway does not answer in time, or is ending; ask again");
  answer.headers.emplace_back("Retry-After", "5");
  return answer;
}

WebAnswer or_no_answer(std::optional<WebAnswer> answer) {
  return answer ? std::move(*answer) : no_answer();
}

WebAnswer not_found(const std::string& what) {
  return admin_error(404, "not_found", "there is no " + what);
}

/// The state of a module as the board has it, with what is published of it on other topics.
std::string module_row(const Board& board, const std::string& id, const std::string& state) {
  const auto* status = board.find("module/" + id + "/status");
  const auto* progress = board.find("module/" + id + "/progress");
  return state.substr(0, state.size() - 1) + ",\"status\":" + (status != nullptr ? *status : "\"offline\"") +
         ",\"progress\":" + (progress != nullptr ? *progress : "null") + "}";
}

void add_row(std::string& rows, const std::string& row) {
  if (!rows.empty()) rows += ',';
  rows += row;
}

json check(bool ok, const std::string& message) {
  return {{"ok", ok}, {"message", message}};
}

WebAnswer health_answer(const json& checks) {
  bool ok = true;
  for (const auto& one : checks) ok = ok && one.at("ok").get<bool>();
  return as_json(dump({{"status", ok ? "ok" : "failing"}, {"checks", checks}}), ok ? 200 : 503);
}

json check_loop(bool turns) {
  return check(turns, turns ? "the loop turns" : "the loop has not turned for 2 s");
}

}  // namespace

AdminApi::AdminApi(const World& world, const Access& access)
    : world_(world), access_(access), loop_(world.loop), web_(world.web) {}

void AdminApi::end() {
  loop_.end();
  web_.end();
}

WebAnswer AdminApi::answer(const WebRequest& request, WebBody& body) {
  if (request.path == "/api/v1/session") return access_.handle_session(request);
  const bool reads = request.method == "GET";
  const bool of_page = reads && (request.path == "/" || request.path.starts_with("/page/"));
  const auto kind = of_page ? Access::Kind::open : reads ? Access::Kind::read : Access::Kind::write;
  if (auto refused = access_.why_not(request, kind)) return std::move(*refused);
  if (of_page) return page_file(request);
  return reads ? read(request) : write(request, body);
}

WebAnswer AdminApi::page_file(const WebRequest& request) {
  const auto name = request.path == "/" ? std::string("index.html") : request.path.substr(6);
  for (const auto& file : page_files()) {
    if (file.name != name) continue;
    WebAnswer answer;
    answer.type = file.type;
    answer.headers.emplace_back("ETag", std::string(file.etag));
    answer.headers.emplace_back("Cache-Control", "no-cache");
    if (request.header("If-None-Match") == file.etag) {
      answer.status = 304;
    } else {
      answer.body = file.bytes;
    }
    return answer;
  }
  return not_found("such file of the page");
}

WebAnswer AdminApi::read(const WebRequest& request) {
  if (request.path == "/healthz") return health();
  if (request.path == "/readyz") return readiness();
  if (request.path == "/metrics") {
    WebAnswer answer;
    answer.type = Metrics::kContentType;
    answer.body = world_.metrics.text();
    return answer;
  }
  if (request.path.starts_with(kApi)) return read_of(request, request.path.substr(std::string_view(kApi).size()));
  return not_found(request.path);
}

WebAnswer AdminApi::read_of(const WebRequest& request, const std::string& what) {
  if (what == "modules") return modules();
  if (what == "jobs") return jobs();
  if (what == "artifacts") return artifacts();
  if (what == "info") {
    return or_no_answer(loop_.ask<WebAnswer>(
        [this]() -> Awaitable<WebAnswer> { co_return as_json(dump(world_.mqtt.info_document())); }, kAnswer));
  }
  if (what == "events") {
    WebAnswer answer;
    answer.events = world_.board.stream();
    return answer;
  }
  if (what.starts_with("jobs/")) return job(what.substr(5));
  if (!what.starts_with("modules/")) return not_found(request.path);
  const auto rest = what.substr(8);
  const auto slash = rest.find('/');
  if (slash == std::string::npos) return module(rest);
  if (rest.substr(slash) != "/transcript") return not_found(request.path);
  const auto job = request.query.find("job");
  return transcript(rest.substr(0, slash), job == request.query.end() ? std::string() : job->second);
}

WebAnswer AdminApi::modules() {
  return or_no_answer(web_.ask<WebAnswer>(
      [this]() -> Awaitable<WebAnswer> {
        constexpr std::string_view kModule = "module/", kState = "/state";
        std::string rows;
        world_.board.each(std::string(kModule), [&](const std::string& key, const std::string& state) {
          if (!key.ends_with(kState)) return;
          const auto id = key.substr(kModule.size(), key.size() - kModule.size() - kState.size());
          add_row(rows, module_row(world_.board, id, state));
        });
        co_return as_json("{\"modules\":[" + rows + "]}");
      },
      kAnswer));
}

WebAnswer AdminApi::jobs() {
  return or_no_answer(web_.ask<WebAnswer>(
      [this]() -> Awaitable<WebAnswer> {
        std::string rows;
        world_.board.each("job/", [&](const std::string&, const std::string& row) { add_row(rows, row); });
        co_return as_json("{\"jobs\":[" + rows + "]}");
      },
      kAnswer));
}

WebAnswer AdminApi::module(const std::string& id) {
  const auto row = web_.ask<std::string>(
      [this, id]() -> Awaitable<std::string> {
        const auto* state = world_.board.find("module/" + id + "/state");
        co_return state == nullptr ? std::string() : module_row(world_.board, id, *state);
      },
      kAnswer);
  if (!row) return no_answer();
  if (row->empty()) return not_found("module of that id");
  return or_no_answer(loop_.ask<WebAnswer>(
      [this, id, row = *row]() -> Awaitable<WebAnswer> {
        auto transcripts = json::array();
        const auto kept = co_await world_.transcripts.list(id);
        for (const auto& one : kept) {
          transcripts.push_back({{"job", one.job}, {"run", one.run}, {"started_at", one.started_at}});
        }
        const auto history = admin_history(world_.config.gateway.id, world_.jobs, id);
        co_return as_json(row.substr(0, row.size() - 1) + ",\"history\":" + dump(history) +
                          ",\"transcripts\":" + dump(transcripts) + "}");
      },
      kAnswer));
}

WebAnswer AdminApi::job(const std::string& id) {
  return or_no_answer(loop_.ask<WebAnswer>(
      [this, id]() -> Awaitable<WebAnswer> {
        const auto* job = world_.jobs.find(id);
        if (job == nullptr) co_return not_found("job of that id");
        co_return as_json(dump(admin_job(world_.jobs, *job)));
      },
      kAnswer));
}

WebAnswer AdminApi::transcript(const std::string& module, const std::string& job) {
  return or_no_answer(loop_.ask<WebAnswer>(
      [this, module, job]() -> Awaitable<WebAnswer> {
        auto lines = co_await world_.transcripts.read(module, job);
        if (!lines) co_return not_found("transcript: " + lines.error().message);
        WebAnswer answer;
        answer.type = "application/x-ndjson";
        answer.body = std::move(lines.value());
        co_return answer;
      },
      kAnswer));
}

/// Page by page, as over MQTT, and all in one.
WebAnswer AdminApi::artifacts() {
  json all;
  for (json after;;) {
    json page = {{"limit", 1000}};
    if (after.is_string()) page["after"] = after;
    const auto reply = loop_.ask<json>(
        [this, page]() -> Awaitable<json> {
          const auto answered = co_await world_.mqtt.commands().run("artifact_list", page, false);
          co_return answered ? answered->reply : json();
        },
        kAnswer);
    if (!reply || !reply->is_object() || reply->at("status") != "ok") return no_answer();
    const auto& data = reply->at("data");
    after = data.at("next");
    if (all.is_null()) {
      all = data;
    } else {
      for (const auto& row : data.at("artifacts")) all["artifacts"].push_back(row);
    }
    if (after.is_null()) break;
  }
  all["next"] = nullptr;
  return as_json(dump(all));
}

WebAnswer AdminApi::health() {
  const auto turned = loop_.ask<bool>([]() -> Awaitable<bool> { co_return true; }, kAlive);
  return health_answer({{"loop", check_loop(turned.has_value())}});
}

WebAnswer AdminApi::readiness() {
  const auto checks = loop_.ask<json>(
      [this]() -> Awaitable<json> {
        const bool broker = world_.mqtt.connected(), files = world_.files.listening();
        co_return json{
            {"broker", check(broker, broker ? "connected to " + world_.config.mqtt.uri
                                            : "not connected to " + world_.config.mqtt.uri + "; it tries again")},
            {"http", check(files, files ? "modules are served on " + world_.config.http.public_url
                                        : "the file server does not listen; it tries again")}};
      },
      kAlive);
  if (!checks) return health_answer({{"loop", check_loop(false)}});
  auto all = *checks;
  all["loop"] = check_loop(true);
  const auto journal = loop_.ask<std::string>(
      [this]() -> Awaitable<std::string> {
        if (world_.mqtt.problems().contains(MqttApi::kJournalUnavailable)) co_return "the journal cannot be written";
        const auto turned = co_await world_.journal.turned();
        co_return turned ? std::string() : turned.error().message;
      },
      kAlive);
  const auto failure = journal.value_or("the disk under the journal has not answered for 2 s");
  all["journal"] = check(failure.empty(), failure.empty() ? "the journal is written" : failure);
  return health_answer(all);
}

}  // namespace dfota
