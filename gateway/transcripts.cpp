#include "gateway/transcripts.hpp"

#include <algorithm>
#include <asio/co_spawn.hpp>

#include "gateway/transcript_line.hpp"
#include "transport/base/log.hpp"
#include "transport/base/signal.hpp"

namespace dfota {
namespace {

constexpr auto kLongest = std::chrono::hours(24 * 400);  ///< of an update, as far as its times tell

/// Of the files of a module the newest, or the newest of this job.
std::optional<std::string> read_newest(const std::filesystem::path& directory, const std::string& job) {
  for (const auto& one : list_transcripts(directory)) {
    if (!job.empty() && one.job != job) continue;
    if (auto text = read_transcript_file(transcript_file(directory, one.job, one.run))) return text;
  }
  return {};
}

/// Without the half line that a gateway that was killed has left.
std::string whole_lines(std::string text) {
  const auto end = text.rfind('\n');
  text.resize(end == std::string::npos ? 0 : end + 1);
  return text;
}

}  // namespace

std::filesystem::path Transcripts::file_of(const TranscriptHead& head) const {
  return transcript_file(directory_of(head.module), head.job, head.run);
}

TranscriptHead Transcripts::head_of(const Job& job, const Part& part, const Module* module) const {
  TranscriptHead head;
  head.gateway = gateway_;
  head.module = part.module;
  if (module != nullptr) {
    const auto& state = module->state();
    head.imei = state.identity.imei.empty() ? module->expected_imei() : state.identity.imei;
    head.model = state.identity.model;
    head.profile = state.profile;
  }
  head.job = job.id();
  head.run = job.run;
  const bool planned = job.command.planned();
  head.from = planned ? part.from : job.command.delta.from;
  head.to = planned ? part.target : job.command.delta.to;
  head.delivery = to_word(job.command.delivery);
  head.started_at = std::chrono::system_clock::now();
  return head;
}

Transcripts::Shared Transcripts::find(const std::string& module) const {
  const auto found = recordings_.find(module);
  return found == recordings_.end() ? nullptr : found->second;
}

Transcript& Transcripts::begin(const Job& job, const Part& part, const Module* module) {
  auto& recording = recordings_[part.module];
  if (recording && recording->head.job == job.id() && recording->head.run == job.run) return recording->transcript;
  if (recording) finish(std::move(recording));
  recording = std::make_shared<Recording>();
  recording->head = head_of(job, part, module);
  asio::co_spawn(loop_, read_back(recording), rethrow);
  if (!writing_) {
    writing_ = true;
    asio::co_spawn(loop_, write_on(), rethrow);
  }
  return recording->transcript;
}

/// What an earlier process has recorded of the same update comes before.
Awaitable<> Transcripts::read_back(Shared recording) {
  std::function<std::optional<std::string>()> work = [file = file_of(recording->head)] {
    return read_transcript_file(file);
  };
  const auto text = co_await disk_.run(std::move(work));
  auto before = text ? read_transcript(*text) : std::nullopt;
  if (before && !before->ended()) {
    // The wall clock may have been set in between.
    const auto later = std::min<WallTime::duration>(kLongest, recording->head.started_at - before->head.started_at);
    recording->transcript.go_on_after(std::move(before->events),
                                      std::chrono::duration_cast<std::chrono::milliseconds>(later));
    recording->head = std::move(before->head);
  }
  recording->read_back = true;
  if (recording->ended) co_await close(recording);
}

/// An update may begin before its module has said who it is.
void Transcripts::learn(std::string& what, const std::string& now, Recording& recording) {
  if (!what.empty() || now.empty()) return;
  what = now;
  recording.whole = true;
}

void Transcripts::step_taken(const Part& part) {
  const auto recording = find(part.module);
  if (!recording) return;
  learn(recording->head.profile, part.checkpoint.profile, *recording);
  asio::co_spawn(loop_, write(recording), rethrow);
}

void Transcripts::end(const Job& job, const Part& part) {
  const auto known = find(part.module);
  const bool recorded = known && known->head.job == job.id() && known->head.run == job.run;
  if ((!recorded && !part.begun_at) || !part.result) return;
  begin(job, part, nullptr);
  const auto recording = recordings_.extract(part.module).mapped();
  const auto& result = *part.result;
  if (result.error) recording->transcript.error(to_json(*result.error).dump());
  recording->transcript.outcome(result.outcome);
  learn(recording->head.model, result.model, *recording);
  learn(recording->head.imei, result.imei, *recording);
  learn(recording->head.profile, part.checkpoint.profile, *recording);
  finish(recording);
}

/// It is written to its end, now or once it was read back.
void Transcripts::finish(Shared recording) {
  recording->ended = true;
  if (recording->read_back) asio::co_spawn(loop_, close(std::move(recording)), rethrow);
}

Awaitable<> Transcripts::close(Shared recording) {
  co_await write(recording);
  const bool all = !pruned_at_ || Clock::now() >= *pruned_at_ + kPruneEvery;
  if (all) pruned_at_ = Clock::now();
  std::function<bool()> work = [own = directory_of(recording->head.module), directory = directory_, all] {
    prune_transcripts(own, kKept);
    if (all) prune_all_transcripts(directory, kMostBytes);
    return true;
  };
  co_await disk_.run(std::move(work));
}

/// As long as something is recorded.
Awaitable<> Transcripts::write_on() {
  while (!recordings_.empty()) {
    co_await sleep_for(loop_, kWriteEvery);
    const auto recordings = recordings_;
    for (const auto& [module, recording] : recordings) co_await write(recording);
  }
  writing_ = false;
}

/// What is new is appended; once events of the middle are dropped, the file is made anew.
Awaitable<> Transcripts::write(Shared recording) {
  if (!recording->read_back) co_return;
  auto& transcript = recording->transcript;
  const bool whole = recording->whole || transcript.dropped() != recording->dropped;
  if (!whole && transcript.end() == recording->written) co_return;
  auto text = whole ? text_of(*recording) : lines_of(transcript.events(recording->written));
  recording->written = transcript.end();
  recording->dropped = transcript.dropped();
  recording->whole = false;
  std::function<std::optional<Error>()> work = [file = file_of(recording->head), text = std::move(text), whole] {
    return whole ? write_transcript(file, text) : append_transcript(file, text);
  };
  const auto failed = co_await disk_.run(std::move(work));
  if (failed) recording->whole = true;
  told(failed);
}

/// Once, until it works again.
void Transcripts::told(const std::optional<Error>& failed) {
  if (failed && !complained_) {
    log::warning("transcripts are not written, and updates go on without: ", failed->message);
  } else if (!failed && complained_) {
    log::notice("transcripts are written again");
  }
  complained_ = failed.has_value();
}

std::string Transcripts::text_of(Recording& recording) {
  return transcript_line(to_json(recording.head)) + "\n" + lines_of(recording.transcript.events());
}

void Transcripts::forget(const std::string& module) {
  recordings_.erase(module);
  asio::co_spawn(loop_, remove(module), rethrow);
}

Awaitable<> Transcripts::remove(std::string module) {
  std::function<bool()> work = [directory = directory_of(module)] {
    remove_transcripts(directory);
    return true;
  };
  co_await disk_.run(std::move(work));
}

Awaitable<> Transcripts::flush() {
  const auto recordings = recordings_;
  for (const auto& [module, recording] : recordings) co_await write(recording);
  // What has ended stands in the disk's queue before this.
  std::function<bool()> nothing = [] { return true; };
  co_await disk_.run(std::move(nothing));
}

Awaitable<Result<std::string>> Transcripts::read(std::string module, std::string job) {
  const Error none(Errc::absent, "there is no transcript of an update of module \"" + module + "\"" +
                                     (job.empty() ? std::string() : " by job \"" + job + "\""));
  if (!is_topic_id(module) || (!job.empty() && !is_job_id(job))) co_return none;
  const auto mine = [&] {
    auto recording = find(module);
    return recording && (job.empty() || recording->head.job == job) ? recording : nullptr;
  };
  if (const auto recording = mine(); recording && recording->read_back) co_return text_of(*recording);
  std::function<std::optional<std::string>()> work = [directory = directory_of(module), job] {
    return read_newest(directory, job);
  };
  auto text = co_await disk_.run(std::move(work));
  // Reading back what there was of it stood in the disk's queue before this.
  if (const auto recording = mine()) co_return text_of(*recording);
  if (!text) co_return none;
  co_return whole_lines(std::move(*text));
}

Awaitable<std::vector<TranscriptInfo>> Transcripts::list(std::string module) {
  if (!is_topic_id(module)) co_return std::vector<TranscriptInfo>();
  std::function<std::vector<TranscriptInfo>()> work = [directory = directory_of(module)] {
    return list_transcripts(directory);
  };
  auto out = co_await disk_.run(std::move(work));
  const auto recording = find(module);
  if (!recording) co_return out;
  const TranscriptInfo current{recording->head.job, recording->head.run, rfc3339(recording->head.started_at)};
  std::erase_if(out, [&](const auto& one) { return one.job == current.job && one.run == current.run; });
  out.insert(out.begin(), current);
  co_return out;
}

}  // namespace dfota
