#include "gateway/ctl/messages.hpp"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

namespace dfota::ctl {
namespace {
using Json = nlohmann::json;

constexpr std::size_t kMaxPayload = 1024 * 1024;
constexpr int kMaxDepth = 16;
constexpr std::size_t kMaxText = 4096;
constexpr std::size_t kMaxList = 1000;

/// Discarded where it is no JSON, too long or too deep: a copy of a deep document overflows the stack (nlohmann 3.11).
Json parse(const std::string& payload) {
  if (payload.size() > kMaxPayload) return Json(Json::value_t::discarded);
  bool too_deep = false;
  const auto shallow = [&](int depth, Json::parse_event_t, Json&) {
    if (depth > kMaxDepth) too_deep = true;
    return !too_deep;
  };
  Json document = Json::parse(payload, shallow, false);
  return too_deep ? Json(Json::value_t::discarded) : document;
}

std::string dumped(const Json& value) {
  return value.dump(-1, ' ', true, Json::error_handler_t::replace);
}

/// A string as it is, a number as its digits, all else as nothing.
std::string text(const Json& object, const char* key) {
  const auto it = object.find(key);
  if (it == object.end()) return {};
  if (it->is_string()) return it->get_ref<const std::string&>().substr(0, kMaxText);
  return it->is_number() ? dumped(*it) : "";
}

std::optional<double> number(const Json& object, const char* key) {
  const auto it = object.find(key);
  if (it == object.end() || !it->is_number()) return std::nullopt;
  const auto value = it->get<double>();
  return std::isfinite(value) && value >= 0 ? std::optional(value) : std::nullopt;
}

std::optional<std::int64_t> integer(const Json& object, const char* key) {
  const auto it = object.find(key);
  return it != object.end() && it->is_number_integer() ? std::optional(it->get<std::int64_t>()) : std::nullopt;
}

/// An error or a warning in the words of the gateway: a string, or an object with code and message.
std::string words(const Json& value) {
  if (value.is_string()) return value.get_ref<const std::string&>().substr(0, kMaxText);
  if (!value.is_object()) return {};
  std::string result = text(value, "code");
  for (const char* key : {"message", "meaning"}) {
    const std::string more = text(value, key);
    if (!more.empty()) result += (result.empty() ? "" : ": ") + more;
  }
  return result;
}

std::vector<std::string> list_of_words(const Json& object, const char* key) {
  std::vector<std::string> result;
  const auto it = object.find(key);
  if (it == object.end() || !it->is_array()) return result;
  for (const auto& one : *it) {
    if (result.size() == kMaxList) break;
    result.push_back(words(one));
  }
  return result;
}

Progress progress_of(const Json& from) {
  Progress to;
  to.job = text(from, "job");
  to.phase = text(from, "phase");
  to.run = integer(from, "run").value_or(1);
  to.attempt = integer(from, "attempt").value_or(1);
  to.hop = integer(from, "hop").value_or(1);
  to.hops = integer(from, "hops").value_or(1);
  to.percent = number(from, "percent");
  to.overall_percent = number(from, "overall_percent");
  to.bytes = number(from, "bytes");
  to.total_bytes = number(from, "total_bytes");
  to.bytes_per_second = number(from, "bytes_per_second");
  to.eta_s = number(from, "eta_s");
  return to;
}

ModuleResult result_of(const Json& from) {
  ModuleResult to;
  to.job = text(from, "job");
  to.outcome = text(from, "outcome");
  to.from = text(from, "from");
  to.to = text(from, "to");
  to.version = text(from, "version");
  to.run = integer(from, "run").value_or(1);
  to.attempts = integer(from, "attempts").value_or(0);
  to.duration_s = number(from, "duration_s");
  to.seq = integer(from, "seq");
  to.warnings = list_of_words(from, "warnings");
  const auto error = from.find("error");
  if (error != from.end()) to.error = words(*error);
  return to;
}

ModuleError error_of(const Json& from) {
  ModuleError to;
  to.job = text(from, "job");
  to.code = text(from, "code");
  to.error_class = text(from, "class");
  to.source = text(from, "source");
  to.name = text(from, "name");
  to.meaning = text(from, "meaning");
  to.message = text(from, "message");
  to.phase = text(from, "phase");
  to.hint = text(from, "hint");
  to.next_attempt_at = text(from, "next_attempt_at");
  to.run = integer(from, "run").value_or(1);
  to.attempt = integer(from, "attempt").value_or(1);
  to.seq = integer(from, "seq");
  return to;
}

JobState job_state_of(const Json& from) {
  JobState to;
  to.state = text(from, "state");
  to.run = integer(from, "run").value_or(1);
  if (const auto counts = from.find("counts"); counts != from.end() && counts->is_object()) {
    for (const auto& [name, count] : counts->items()) {
      if (count.is_number_integer() && to.counts.size() < kMaxList) to.counts[name] = count.get<std::int64_t>();
    }
  }
  if (const auto modules = from.find("modules"); modules != from.end() && modules->is_object()) {
    for (const auto& [id, outcome] : modules->items()) {
      if (outcome.is_string() && to.modules.size() < kMaxList)
        to.modules[id] = outcome.get<std::string>().substr(0, kMaxText);
    }
  }
  return to;
}

/// The segments of a topic below `base`; empty when it is not below it.
std::vector<std::string> segments_below(const std::string& base, const std::string& topic) {
  std::vector<std::string> segments;
  if (!topic.starts_with(base + "/")) return segments;
  std::size_t from = base.size() + 1;
  for (;;) {
    const auto slash = topic.find('/', from);
    segments.push_back(topic.substr(from, slash == std::string::npos ? slash : slash - from));
    if (slash == std::string::npos) return segments;
    from = slash + 1;
  }
}

template <class T>
Message of_module(T message, const std::string& module) {
  message.module = module;
  return message;
}
}  // namespace

Message parse_message(const std::string& base, const std::string& topic, const std::string& payload) {
  const auto segments = segments_below(base, topic);
  if (segments.size() == 1 && segments[0] == "status") return GatewayStatus{payload == "online"};
  if (segments.size() < 3) return {};
  const bool of_job = segments[0] == "job" && segments.size() == 3 && segments[2] == "state";
  if (!of_job && segments[0] != "module") return {};
  const Json json = parse(payload);
  if (!json.is_object()) return {};
  if (of_job) {
    JobState state = job_state_of(json);
    state.job = segments[1];
    return state;
  }
  if (segments.size() == 3 && segments[2] == "progress") return of_module(progress_of(json), segments[1]);
  if (segments.size() == 3 && segments[2] == "result") return of_module(result_of(json), segments[1]);
  if (segments.size() == 5 && segments[2] == "error") return of_module(error_of(json), segments[1]);
  return {};
}

Result<Reply> parse_reply(const std::string& payload) {
  const Json json = parse(payload);
  if (!json.is_object()) return Error(Errc::invalid, "the gateway's answer is not a JSON object");
  const std::string status = text(json, "status");
  Reply reply;
  reply.ok = status == "ok";
  reply.warnings = list_of_words(json, "warnings");
  if (const auto data = json.find("data"); data != json.end() && data->is_object()) {
    reply.job = text(*data, "job");
    const auto modules = data->find("modules");
    if (modules != data->end() && modules->is_structured()) reply.modules = modules->size();
  }
  if (const auto error = json.find("error"); error != json.end() && error->is_object()) {
    reply.code = text(*error, "code");
    reply.message = text(*error, "message");
    reply.pointer = text(*error, "pointer");
  }
  if (reply.ok || status == "error") return reply;
  return Error(Errc::invalid, "the gateway's answer says neither ok nor error");
}

std::string json_line(const std::string& topic, const std::string& payload, bool retained) {
  Json line;
  line["topic"] = topic;
  line["retained"] = retained;
  Json parsed = parse(payload);
  if (parsed.is_discarded()) {
    line["payload"] = payload.substr(0, kMaxPayload);
  } else {
    line["payload"] = std::move(parsed);
  }
  return dumped(line);
}

std::string update_body(const UpdateRequest& request, const std::string& transaction) {
  Json body;
  if (request.modules == std::vector<std::string>{"all"}) {
    body["modules"] = "all";
  } else if (!request.modules.empty()) {
    body["modules"] = request.modules;
  } else {
    Json selector = Json::object();
    if (request.tag) selector["tag"] = *request.tag;
    if (request.model) selector["model"] = *request.model;
    if (request.version) selector["version"] = *request.version;
    body["modules"] = std::move(selector);
  }
  if (request.delivery != "http") body["delivery"] = request.delivery;
  if (request.delivery == "url") {
    body["url"] = request.url;
  } else if (request.delivery == "file") {
    body["file"] = request.file;
  } else {
    body["artifact"] = {{"url", request.url}, {"sha256", request.sha256}};
    if (request.size) body["artifact"]["size"] = *request.size;
  }
  body["from"] = request.from;
  body["to"] = request.to;
  body["transaction"] = transaction;
  if (request.job) body["job"] = *request.job;
  if (request.attempts) body["attempts"] = *request.attempts;
  return dumped(body);
}

}  // namespace dfota::ctl
