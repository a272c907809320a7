#include "gateway/rehearse_command.hpp"

#include <algorithm>
#include <cctype>
#include <fstream>

#include "gateway/text.hpp"
#include "transport/base/log.hpp"
#include "transport/base/signal.hpp"

namespace dfota {
namespace {

using nlohmann::json;

CommandFault updating(const Jobs& jobs, const std::string& module) {
  return {"updating", "job \"" + jobs.job_of(module) + "\" works on it: wait for its end, or cancel it", "/module"};
}

/// The scheme of AT+QHTTPURL is in lower case, however the family writes that of AT+QFOTADL.
std::string with_lower_scheme(std::string url) {
  const auto end = std::min(url.find(':'), url.size());
  std::transform(url.begin(), url.begin() + static_cast<std::ptrdiff_t>(end), url.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return url;
}

std::string line_of(std::uint64_t number) {
  auto digits = std::to_string(number);
  digits.insert(0, 5 - std::min<std::size_t>(5, digits.size()), '0');
  std::string line = digits + " dfota-gateway: a rehearsal, no firmware ";
  line.resize(RehearseCommand::kLineBytes - 2, '.');
  return line + "\r\n";
}

/// What a module's state calls its problem.
UpdateError error_of(const std::string& problem) {
  const auto texts = finding_texts();
  const auto found =
      std::find_if(texts.begin(), texts.end(), [&](const FindingText& text) { return text.word == problem; });
  const auto finding = found == texts.end() ? Finding::no_answer : static_cast<Finding>(found - texts.begin());
  return UpdateError::of(finding, Phase::preparing);
}

}  // namespace

/// What is known so far. The module may be through after nobody waits any more.
struct RehearseCommand::Course {
  explicit Course(asio::io_context& loop) : changed(loop) {}
  Signal changed;
  std::optional<Clock::time_point> requested_at, taken_at;
  Rehearsed rehearsed;
  std::optional<NetworkState> network;
  std::optional<std::string> problem;  ///< nothing: it is not through
};

RehearseCommand::RehearseCommand(asio::io_context& loop, const Config& config, const Jobs& jobs,
                                 const Jobs::Modules& modules, FileServer& files)
    : loop_(loop),
      jobs_(jobs),
      modules_(modules),
      files_(files),
      file_(std::filesystem::path(config.gateway.state_dir) / kName),
      public_url_(with_lower_scheme(config.http.public_url)) {}

std::variant<RehearseCommand::Order, CommandFault> RehearseCommand::read(const json& document) const {
  Order order;
  auto fault = check_command_keys(document, {"module", "size"});
  if (!fault) fault = take_string(document, "module", "", 64, order.module);
  if (!fault) fault = take_whole_number(document, "size", 1, kMostBytes, order.size);
  if (fault) return *fault;
  if (!is_topic_id(order.module)) return invalid("/module", "must be a module's id");
  if (!modules_.contains(order.module)) return jobs_.unknown_module(order.module, "/module");
  if (jobs_.part_under_way(order.module) != nullptr) return updating(jobs_, order.module);
  return order;
}

std::variant<Answer, CommandFault> RehearseCommand::run(const json& document) {
  auto read_order = read(document);
  if (auto* fault = std::get_if<CommandFault>(&read_order)) return *fault;
  if (running_ >= kMostAtOnce) {
    return CommandFault{"busy", "as many rehearsals as may be are under way; send the command again", ""};
  }
  if (const auto made = make_file(); !made) return CommandFault{"no_space", made.error().message, ""};
  Answer answer;
  answer.later = [this, order = std::get<Order>(std::move(read_order))] { return rehearse(order); };
  return answer;
}

/// Once for all; a file of another length is one that a full disk cut.
Result<void> RehearseCommand::make_file() const {
  std::error_code absent;
  if (std::filesystem::file_size(file_, absent) == kLines * kLineBytes && !absent) return {};
  std::ofstream file(file_, std::ios::binary | std::ios::trunc);
  for (std::uint64_t i = 1; i <= kLines; ++i) file << line_of(i);
  file.close();
  if (!file) return Error(Errc::no_space, file_.string() + " cannot be written");
  return {};
}

std::shared_ptr<RehearseCommand::Course> RehearseCommand::begin(const std::string& id, const std::string& token) {
  auto course = std::make_shared<Course>(loop_);
  const auto module = modules_.find(id);
  if (module == modules_.end()) {
    course->problem = explain(Finding::absent).word;  // forgotten since the command was read
    return course;
  }
  const auto offered = files_.offer(token, kName, file_, [this, course, token] {
    const auto transfer = files_.look(token);
    if (transfer.requests > 0 && !course->requested_at) course->requested_at = Clock::now();
    if (transfer.complete && !course->taken_at) course->taken_at = Clock::now();
    course->changed.notify();
  });
  if (!offered) {
    log::warning("rehearsal: ", offered.error().message);
    course->problem = explain(Finding::artifact_unavailable).word;
    return course;
  }
  files_.release(token);
  Scan scan;
  scan.url = public_url_ + "/a/" + token + "/" + kName;
  scan.fetched = [course](const Rehearsed& rehearsed) { course->rehearsed = rehearsed; };
  scan.done = [course](const std::string& problem, const std::optional<NetworkState>& network) {
    course->problem = problem;
    course->network = network;
    course->changed.notify();
  };
  module->second->scan(std::move(scan));
  return course;
}

Awaitable<json> RehearseCommand::rehearse(Order order) {
  ++running_;
  const auto token = FileServer::make_token();
  const auto course = begin(order.module, token);
  const auto deadline = Clock::now() + kLimit;
  while (!course->problem && Clock::now() < deadline) co_await course->changed.wait_until(deadline);
  // The module has read it all a moment before its server knows.
  const auto settled = Clock::now() + std::chrono::seconds(1);
  const bool whole = course->problem && course->problem->empty() && !course->rehearsed.error;
  while (whole && course->requested_at && !course->taken_at && Clock::now() < settled) {
    co_await course->changed.wait_until(settled);
  }
  const auto transfer = files_.look(token);
  files_.revoke(token);
  --running_;
  if (course->problem == "busy") co_return error_reply(updating(jobs_, order.module));
  co_return ok_reply(data_of(order, *course, transfer));
}

json RehearseCommand::data_of(const Order& order, const Course& course, const Transfer& transfer) const {
  auto error = course.rehearsed.error;
  if (!course.problem) {
    error = UpdateError::of(Finding::no_answer, Phase::downloading, "it was not through in time");
  } else if (!course.problem->empty()) {
    error = error_of(*course.problem);
  } else if (course.network && course.network->problem) {
    error = UpdateError::of(course.network->problem->finding, Phase::preparing, course.network->problem->message);
  }
  const bool reached = transfer.requests > 0;
  if (error && error->number && !reached && error->message.empty()) {
    error->message = "no request of the module has reached the file server";
  }
  json out = {{"module", order.module},
              {"url", public_url_},
              {"reached", reached},
              {"bytes", transfer.delivered_bytes},
              {"total_bytes", kLines * kLineBytes},
              {"http_status", course.rehearsed.http_status ? json(*course.rehearsed.http_status) : json(nullptr)},
              {"duration_s", nullptr},
              {"bytes_per_second", nullptr},
              {"size", order.size > 0 ? json(order.size) : json(nullptr)},
              {"eta_s", nullptr},
              {"error", error ? to_json(*error) : json(nullptr)}};
  if (!course.requested_at || !course.taken_at) return out;
  constexpr double kShortest = 0.001;
  const auto took = std::chrono::duration<double>(*course.taken_at - *course.requested_at).count();
  const auto duration = std::max(kShortest, took);
  const auto rate = static_cast<double>(transfer.delivered_bytes) / duration;
  out["duration_s"] = duration;
  out["bytes_per_second"] = rate;
  if (order.size > 0) out["eta_s"] = static_cast<double>(order.size) / rate;
  return out;
}

}  // namespace dfota
