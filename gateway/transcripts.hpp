// The flight recorders of all updates that run, and their files: one for each run of a job on a module, begun when its
// update begins, written while it runs, ended with its outcome. A gateway that is killed in the midst of it goes on in
// the same file. A disk that takes nothing is told once and changes nothing else. Loop thread; the disk has its own.
#pragma once

#include <asio/io_context.hpp>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gateway/disk_thread.hpp"
#include "gateway/job.hpp"
#include "gateway/transcript_files.hpp"
#include "gateway/transcript_text.hpp"
#include "modem/module.hpp"
#include "transport/base/awaitable.hpp"
#include "transport/base/result.hpp"

namespace dfota {

class Transcripts {
 public:
  static constexpr std::size_t kKept = 5;                        ///< of each module
  static constexpr std::uint64_t kMostBytes = 256ULL << 20;      ///< of all modules
  static constexpr auto kWriteEvery = std::chrono::seconds(5);   ///< beside each journalled step
  static constexpr auto kPruneEvery = std::chrono::minutes(10);  ///< all modules' files; a module's own at each end

  /// `directory`: <state_dir>/transcripts; made when there is something to write.
  Transcripts(asio::io_context& loop, std::string gateway, std::filesystem::path directory)
      : loop_(loop), gateway_(std::move(gateway)), directory_(std::move(directory)) {}

  /// The recorder of this run of the job on the module: a new one, or the one that was begun before, be it by an
  /// earlier process. It lives until end() or forget(). `module` may be null: it is not configured any more.
  Transcript& begin(const Job& job, const Part& part, const Module* module);
  /// A step is in the journal: what was recorded is written, too.
  void step_taken(const Part& part);
  /// The part has its result. One that never began has no transcript.
  void end(const Job& job, const Part& part);
  /// The module is none of the gateway's any more.
  void forget(const std::string& module);
  /// Before the process ends: all that was recorded is written.
  Awaitable<> flush();

  /// JSON lines (docs/transcript.md) of the newest update of the module, or of the newest run of this job on it; of one
  /// under way with what is in memory. Error: absent.
  Awaitable<Result<std::string>> read(std::string module, std::string job);
  /// Newest first.
  Awaitable<std::vector<TranscriptInfo>> list(std::string module);

 private:
  struct Recording {
    TranscriptHead head;
    Transcript transcript;
    bool read_back = false;     ///< what an earlier process has left is in it
    bool ended = false;         ///< nothing more will come
    bool whole = true;          ///< the next write is of the whole file
    std::uint64_t written = 0;  ///< events that were given to the disk
    std::uint64_t dropped = 0;  ///< of those that were dropped then
  };
  using Shared = std::shared_ptr<Recording>;

  [[nodiscard]] std::filesystem::path directory_of(const std::string& module) const { return directory_ / module; }
  [[nodiscard]] std::filesystem::path file_of(const TranscriptHead& head) const;
  [[nodiscard]] TranscriptHead head_of(const Job& job, const Part& part, const Module* module) const;
  [[nodiscard]] Shared find(const std::string& module) const;
  Awaitable<> read_back(Shared recording);
  Awaitable<> write_on();
  Awaitable<> write(Shared recording);
  Awaitable<> close(Shared recording);
  void finish(Shared recording);
  Awaitable<> remove(std::string module);
  void told(const std::optional<Error>& failed);
  static void learn(std::string& what, const std::string& now, Recording& recording);
  static std::string text_of(Recording& recording);

  asio::io_context& loop_;
  const std::string gateway_;
  const std::filesystem::path directory_;
  std::map<std::string, Shared> recordings_;  ///< by module
  bool writing_ = false;
  bool complained_ = false;
  std::optional<Clock::time_point> pruned_at_;
  DiskThread disk_;
};

}  // namespace dfota
