#include "gateway/commands.hpp"

#include <limits>

#include "gateway/json_guard.hpp"
#include "gateway/payloads.hpp"
#include "gateway/tombstone.hpp"
#include "transport/base/log.hpp"

namespace dfota {
namespace {

using nlohmann::json;
using Fault = std::optional<CommandFault>;

constexpr std::uint64_t kMostSeq = std::numeric_limits<std::int64_t>::max();
constexpr std::size_t kListRows = 200, kReplayRows = 1000, kMostRows = 1000;

Fault take_id(const json& document, const char* key, bool (*is_id)(std::string_view), std::string& into) {
  if (!document.contains(key)) return {};
  const auto& value = document.at(key);
  if (value.is_string()) into = value.get<std::string>();
  if (!is_id(into)) return invalid(std::string("/") + key, std::string("must be a ") + key + "'s id");
  return {};
}

/// Of `job` and `module` exactly one.
Fault take_job_or_module(const json& document, std::string& job, std::string& module) {
  if (auto fault = check_command_keys(document, {"job", "module"})) return fault;
  if (auto fault = take_id(document, "job", is_job_id, job)) return fault;
  if (auto fault = take_id(document, "module", is_topic_id, module)) return fault;
  if (job.empty() == module.empty()) return invalid("", "name a \"job\" or a \"module\"");
  return {};
}

json canceled_data(const Jobs::Canceled& canceled) {
  return {{"stopped", canceled.stopped}, {"stopping", canceled.stopping}, {"will_end", canceled.will_end}};
}

/// Named on one gateway only, a module is none of the others'.
Answer answer_or_refuse(std::variant<Answer, CommandFault> answer, bool to_all) {
  const auto* fault = std::get_if<CommandFault>(&answer);
  if (fault == nullptr) return std::get<Answer>(std::move(answer));
  return {error_reply(*fault), to_all && fault->code == "unknown_module"};
}

}  // namespace

Commands::Commands(asio::io_context& loop, const Config& config, Jobs& jobs, const Jobs::Modules& modules,
                   ArtifactCommands& artifacts, FileServer& files, Transcripts& transcripts, Journal& journal,
                   World world)
    : config_(config),
      jobs_(jobs),
      modules_(modules),
      artifacts_(artifacts),
      journal_(journal),
      world_(std::move(world)),
      scans_(loop, jobs, modules),
      rehearsals_(loop, config, jobs, modules, files),
      transcripts_(jobs, modules, transcripts) {}

Awaitable<Result<Commands::Answer>> Commands::run(std::string verb, json document, bool to_all) {
  if (verb == "update") {
    auto answer = co_await update(document, to_all);
    co_return answer;
  }
  if (verb == "install") {
    auto answer = co_await install(document, to_all);
    co_return answer;
  }
  if (verb == "replay") {
    auto answer = co_await replay(document);
    co_return answer;
  }
  if (verb == "scan") co_return answer_or_refuse(scans_.run(document), to_all);
  if (verb == "rehearse") co_return answer_or_refuse(rehearsals_.run(document), to_all);
  if (verb == "transcript") co_return answer_or_refuse(transcripts_.run(document), to_all);
  if (ArtifactCommands::knows(verb)) {
    auto answer = co_await artifacts_.run(verb, std::move(document), to_all);
    co_return answer;
  }
  auto decided = decide(verb, document);
  if (const auto* fault = std::get_if<CommandFault>(&decided)) {
    // Named on one gateway only, a job or a module is none of the others'.
    const bool stranger = to_all && (fault->code == "unknown_job" || fault->code == "unknown_module");
    Answer refused{error_reply(*fault), stranger};
    co_return refused;
  }
  const auto begins = std::exchange(retried_, "");
  auto reply = ok_reply(std::get<json>(std::move(decided)));
  auto answer = co_await commit(reply);
  if (answer && !begins.empty()) jobs_.begin(begins);
  co_return answer;
}

Awaitable<Result<Commands::Answer>> Commands::commit(json reply) {
  const auto committed = co_await journal_.committed();
  if (!committed) co_return committed.error();
  Answer answer{std::move(reply), false};
  co_return answer;
}

Awaitable<Result<Commands::Answer>> Commands::update(json document, bool to_all) {
  auto parsed = parse_update_command(document);
  if (const auto* fault = std::get_if<CommandFault>(&parsed)) {
    Answer refused{error_reply(*fault), false};
    co_return refused;
  }
  auto answer = co_await submit(std::get<UpdateCommand>(std::move(parsed)), to_all);
  co_return answer;
}

Awaitable<Result<Commands::Answer>> Commands::install(json document, bool to_all) {
  auto read = read_install_command(document, jobs_, modules_, world_.newest_release_of);
  if (const auto* fault = std::get_if<CommandFault>(&read)) {
    Answer refused{error_reply(*fault), to_all && fault->code == "unknown_module"};
    co_return refused;
  }
  auto answer = co_await submit(std::get<UpdateCommand>(std::move(read)), to_all);
  co_return answer;
}

/// As a job; the same one again, when it is known.
Awaitable<Result<Commands::Answer>> Commands::submit(UpdateCommand command, bool to_all) {
  const auto refuse = [](const CommandFault& fault) { return Answer{error_reply(fault), false}; };
  if (command.dry_run) {
    auto planned = jobs_.dry_run(std::move(command), to_all);
    if (const auto* fault = std::get_if<CommandFault>(&planned)) co_return refuse(*fault);
    auto& plan = std::get<json>(planned);
    Answer answer{ok_reply(plan), plan.is_null()};
    co_return answer;
  }
  const bool is_new = jobs_.find(command.job) == nullptr;
  if (is_new && !command.job.empty()) {
    const auto tombstone = co_await journal_.tombstone(command.job);
    if (!tombstone) co_return tombstone.error();
    if (tombstone->has_value()) {
      auto state = state_of(**tombstone, command);
      if (state) {
        Answer answer{ok_reply(std::move(*state)), false};
        co_return answer;
      }
      const CommandFault conflict{"job_conflict", "job \"" + command.job + "\" was another command; take another id",
                                  "/job"};
      co_return refuse(conflict);
    }
  }
  if (is_new && world_.outbox_size() >= kMaxOutbox) {
    const CommandFault full{"outbox_full", "too many results wait for a broker that takes them", ""};
    co_return refuse(full);
  }
  auto accepted = jobs_.accept(std::move(command), to_all);
  if (const auto* fault = std::get_if<CommandFault>(&accepted)) co_return refuse(*fault);
  const auto* job = std::get<const Job*>(accepted);
  if (job == nullptr) {
    Answer silent{json::object(), true};
    co_return silent;
  }
  const auto id = job->id();
  auto reply = ok_reply(summary(*job));
  warn_of_clock(*job, reply);
  auto answer = co_await commit(reply);
  if (answer) jobs_.begin(id);
  co_return answer;
}

void Commands::warn_of_clock(const Job& job, json& reply) const {
  const auto& rollout = job.command.rollout;
  if (jobs_.time().wall() || (!rollout.has_clock() && !rollout.expires)) return;
  reply["warnings"].push_back(
      "clock_untrusted: the gateway's clock lies before its build date; not_before and window stay shut, and expires "
      "counts from when it is set");
}

Awaitable<Result<Commands::Answer>> Commands::replay(json document) {
  std::uint64_t after = 0, limit = kReplayRows;
  auto fault = check_command_keys(document, {"after", "limit"});
  if (!fault && !document.contains("after")) fault = invalid("/after", "is required: a seq, 0 for all");
  if (!fault) fault = take_whole_number(document, "after", 0, kMostSeq, after);
  if (!fault) fault = take_whole_number(document, "limit", 1, kMostRows, limit);
  if (fault) {
    Answer refused{error_reply(*fault), false};
    co_return refused;
  }
  const auto rows = co_await journal_.history(after, limit);
  if (!rows) co_return rows.error();
  for (const auto& row : *rows) world_.publish_again(row);
  const bool more = rows->size() == limit;
  json data = {{"count", rows->size()}, {"next", more ? json(rows->back().seq) : json(nullptr)}};
  Answer answer{ok_reply(std::move(data)), false};
  co_return answer;
}

Commands::Reply Commands::decide(const std::string& verb, const json& document) {
  if (verb == "cancel") return cancel(document);
  if (verb == "pause") return set_paused(document, true);
  if (verb == "resume") return set_paused(document, false);
  if (verb == "retry") return retry(document);
  if (verb == "forget") return forget(document);
  if (verb == "list") return list(document);
  if (verb == "release") return hand_over(document, true);
  if (verb == "claim") return hand_over(document, false);
  if (verb == "ping") {
    if (auto fault = check_command_keys(document, {})) return *fault;
    return world_.about();
  }
  return CommandFault{"unknown_verb", "there is no command \"" + verb + "\"", ""};
}

Commands::Reply Commands::cancel(const json& document) {
  std::string job, module;
  if (auto fault = take_job_or_module(document, job, module)) return *fault;
  auto canceled = module.empty() ? jobs_.cancel_job(job) : jobs_.cancel_module(module);
  if (const auto* fault = std::get_if<CommandFault>(&canceled)) return *fault;
  return canceled_data(std::get<Jobs::Canceled>(canceled));
}

Commands::Reply Commands::set_paused(const json& document, bool paused) {
  std::string job;
  if (auto fault = check_command_keys(document, {"job"})) return *fault;
  if (auto fault = take_id(document, "job", is_job_id, job)) return *fault;
  auto changed = paused ? jobs_.pause(job) : jobs_.resume(job);
  if (const auto* fault = std::get_if<CommandFault>(&changed)) return *fault;
  return json{{"jobs", std::get<std::vector<std::string>>(changed)}};
}

Commands::Reply Commands::retry(const json& document) {
  std::string job;
  unsigned run = 0;
  if (auto fault = check_command_keys(document, {"job", "run"})) return *fault;
  if (auto fault = take_id(document, "job", is_job_id, job)) return *fault;
  if (auto fault = take_whole_number(document, "run", 1, std::numeric_limits<unsigned>::max(), run)) return *fault;
  if (job.empty()) return invalid("/job", "is required");
  if (run == 0) return invalid("/run", "is required: the number of the run whose failed modules are to run again");
  auto retried = jobs_.retry(job, run);
  if (const auto* fault = std::get_if<CommandFault>(&retried)) return *fault;
  retried_ = job;
  return summary(*std::get<const Job*>(retried));
}

Commands::Reply Commands::forget(const json& document) {
  std::string job, module;
  if (auto fault = take_job_or_module(document, job, module)) return *fault;
  if (module.empty()) {
    if (auto fault = jobs_.forget(job)) return *fault;
    return json{{"job", job}};
  }
  if (const auto known = modules_.find(module); known != modules_.end()) {
    if (!known->second->config().discovered) {
      return CommandFault{"module_configured", "take it out of the configuration first", "/module"};
    }
    if (!jobs_.job_of(module).empty() || !world_.drop_module(module)) {
      return CommandFault{"module_present", "it is there, or a job wants it: unplug it, and let its jobs end",
                          "/module"};
    }
  }
  world_.forget_module(module);
  jobs_.forget_module(module);
  return json{{"module", module}};
}

/// Of a module's port: to somebody's own terminal, or back.
Commands::Reply Commands::hand_over(const json& document, bool release) {
  std::string module;
  if (auto fault = check_command_keys(document, {"module"})) return *fault;
  if (auto fault = take_id(document, "module", is_topic_id, module)) return *fault;
  if (module.empty()) return invalid("/module", "is required");
  auto port = release ? jobs_.release_module(module) : jobs_.claim_module(module);
  if (const auto* fault = std::get_if<CommandFault>(&port)) return *fault;
  const auto& name = std::get<std::string>(port);
  return json{{"module", module}, {"port", name.empty() ? json(nullptr) : json(name)}};
}

Commands::Reply Commands::list(const json& document) const {
  if (auto fault = check_command_keys(document, {"after", "limit"})) return *fault;
  std::uint64_t limit = kListRows;
  if (auto fault = take_whole_number(document, "limit", 1, kMostRows, limit)) return *fault;
  ListCursor after;
  if (document.contains("after")) {
    const auto& value = document.at("after");
    const auto read = value.is_string() ? ListCursor::read(value.get<std::string>()) : std::nullopt;
    if (!read) return invalid("/after", "must be the `next` of the page before");
    after = *read;
  }
  auto data = list_page(config_.gateway.id, jobs_, modules_, world_.last_error_of, after, limit);
  data["seq"] = journal_.last_seq();
  data["outbox"] = world_.outbox_size();
  return data;
}

json Commands::summary(const Job& job) const {
  auto data = job_state_payload(config_.gateway.id, 0, job);
  data.erase("ts");
  data.erase("gateway");
  auto& modules = data["modules"] = json::array();
  for (const auto& part : job.parts) modules.push_back(part->module);
  return data;
}

}  // namespace dfota
