#include "gateway/ctl/messages.hpp"

#include "gateway/ctl/json_fields.hpp"

namespace dfota::ctl {
namespace {
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
  to.counts = counts_of(from, "counts");
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
  const Json json = parse_json(payload);
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

std::string json_line(const std::string& topic, const std::string& payload, bool retained) {
  Json line;
  line["topic"] = topic;
  line["retained"] = retained;
  Json parsed = parse_json(payload);
  if (parsed.is_discarded()) {
    line["payload"] = payload.substr(0, kMaxPayload);
  } else {
    line["payload"] = std::move(parsed);
  }
  return dumped(line);
}

}  // namespace dfota::ctl
