#include "gateway/transcript_command.hpp"

#include <algorithm>
#include <charconv>

#include "gateway/transcript_line.hpp"

namespace dfota {
namespace {

using nlohmann::json;

template <class Number>
bool take_digits(std::string_view text, Number& into) {
  const auto* end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, into);
  return !text.empty() && read.ec == std::errc() && read.ptr == end;
}

/// How many events this one stands for.
std::uint64_t weight_of(const TranscriptEvent& event) {
  return event.kind == TranscriptEvent::Kind::dropped ? event.number : 1;
}

}  // namespace

std::string TranscriptCursor::text() const {
  return job + "/" + std::to_string(run) + "/" + std::to_string(events);
}

std::optional<TranscriptCursor> TranscriptCursor::read(const std::string& text) {
  const auto last = text.rfind('/');
  const auto before = last == std::string::npos || last == 0 ? std::string::npos : text.rfind('/', last - 1);
  if (before == std::string::npos) return {};
  TranscriptCursor cursor;
  cursor.job = text.substr(0, before);
  const std::string_view rest = text;
  const bool whole = is_job_id(cursor.job) && take_digits(rest.substr(before + 1, last - before - 1), cursor.run) &&
                     take_digits(rest.substr(last + 1), cursor.events);
  if (!whole || cursor.run == 0) return {};
  return cursor;
}

std::variant<json, CommandFault> transcript_page(const ReadTranscript& transcript,
                                                 const std::optional<TranscriptCursor>& after) {
  const auto& head = transcript.head;
  TranscriptCursor at{head.job, head.run, 0};
  if (after && (after->job != head.job || after->run != head.run)) {
    return invalid("/after", "is of another run of the job than the newest: begin anew, without after");
  }
  const auto from = after ? after->events : 0;
  json lines = json::array();
  std::size_t bytes = 0;
  bool more = false;
  for (auto event : transcript.events) {
    const auto weight = weight_of(event);
    if (at.events + weight <= from) {
      at.events += weight;
      continue;
    }
    if (event.kind == TranscriptEvent::Kind::dropped) event.number -= std::max(from, at.events) - at.events;
    auto line = to_json(event);
    bytes += transcript_line(line).size() + 1;
    more = !lines.empty() && (bytes > TranscriptCommand::kPageBytes || lines.size() == TranscriptCommand::kPageEvents);
    if (more) break;
    lines.push_back(std::move(line));
    at.events += weight;
  }
  return json{{"module", head.module},
              {"job", head.job},
              {"run", head.run},
              {"started_at", rfc3339(head.started_at)},
              {"head", to_json(head)},
              {"lines", std::move(lines)},
              {"next", more ? json(at.text()) : json(nullptr)}};
}

std::variant<TranscriptCommand::Order, CommandFault> TranscriptCommand::read(const json& document) const {
  Order order;
  std::string after;
  constexpr std::size_t kMostCursor = 128, kMostId = 64;
  auto fault = check_command_keys(document, {"module", "job", "after"});
  if (!fault) fault = take_string(document, "module", "", kMostId, order.module);
  if (!fault) fault = take_string(document, "job", "", kMostId, order.job);
  if (!fault) fault = take_string(document, "after", "", kMostCursor, after);
  if (fault) return *fault;
  if (!document.contains("module")) return invalid("/module", "is required");
  if (!is_topic_id(order.module)) return invalid("/module", "must be a module's id");
  if (!order.job.empty() && !is_job_id(order.job)) return invalid("/job", "must be a job's id");
  if (!after.empty()) {
    order.after = TranscriptCursor::read(after);
    if (!order.after || (!order.job.empty() && order.job != order.after->job)) {
      return invalid("/after", "must be the `next` of the page before");
    }
    order.job = order.after->job;
  }
  if (!modules_.contains(order.module)) return jobs_.unknown_module(order.module, "/module");
  return order;
}

std::variant<Answer, CommandFault> TranscriptCommand::run(const json& document) {
  auto order = read(document);
  if (auto* fault = std::get_if<CommandFault>(&order)) return *fault;
  if (running_ >= kMostAtOnce) {
    return CommandFault{"busy", "as many transcripts as may be are being read; send the command again", ""};
  }
  Answer answer;
  answer.later = [this, order = std::get<Order>(std::move(order))] { return this->answer(order); };
  return answer;
}

Awaitable<json> TranscriptCommand::answer(Order order) {
  ++running_;
  const auto text = co_await transcripts_.read(order.module, order.job);
  --running_;
  const auto transcript = text ? read_transcript(*text) : std::nullopt;
  if (!transcript) {
    const CommandFault unknown{"unknown_transcript", text ? "what was recorded cannot be read" : text.error().message,
                               order.job.empty() ? "/module" : "/job"};
    co_return error_reply(unknown);
  }
  auto page = transcript_page(*transcript, order.after);
  if (const auto* fault = std::get_if<CommandFault>(&page)) co_return error_reply(*fault);
  co_return ok_reply(std::get<json>(std::move(page)));
}

}  // namespace dfota
