// The jobs: accepted once, journalled, fetched for, handed to their modules one at a time for each, and ended with
// exactly one outcome for each module of each run (contract, law 6). Loop thread only.
#pragma once

#include <asio/io_context.hpp>
#include <deque>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "config/config.hpp"
#include "gateway/ftp_shelf.hpp"
#include "gateway/job.hpp"
#include "gateway/journal.hpp"
#include "gateway/update_run.hpp"
#include "modem/module.hpp"
#include "transport/fetch.hpp"

namespace dfota {

/// What the jobs tell the world, beside what their updates do. Implemented by MqttApi.
class JobListener : public UpdateListener {
 public:
  virtual void job_changed(const Job& job) = 0;
  /// Puts the result into the outbox; it shares the commit of this turn.
  virtual void part_ended(const Job& job, const Part& part) = 0;
  /// Puts the last state into the outbox; the seq that it bears comes back.
  virtual std::uint64_t job_ended(const Job& job) = 0;
  virtual void job_forgotten(const Job& job) = 0;
  virtual void module_job_changed(const Module& module) = 0;
};

class Jobs {
 public:
  static constexpr std::size_t kMaxQueued = 10000;  ///< jobs not ended; more are refused: queue_full
  static constexpr std::size_t kKeep = 1000;        ///< ended jobs kept, the oldest go

  static constexpr auto kFetchAgain = std::chrono::seconds(1);

  using Modules = std::map<std::string, std::unique_ptr<Module>>;

  /// `shelf` is null without [ftp]. All must outlive it.
  Jobs(asio::io_context& loop, const Config& config, Modules& modules, Fetch& fetch, FtpShelf* shelf, Slots& slots,
       FileServer& files, Journal& journal, JobListener& listener);

  /// Takes up what the journal has: modules that were commanded are listened to before anything else. Before the
  /// modules start.
  void recover(const JournalContents& contents);

  struct Accepted {
    const Job* job;
    bool is_new;
  };
  /// Takes a command as a job and puts it into the journal; the caller waits for the commit and then calls begin(). The
  /// same id with the same body is the same job. `drop_strangers`: ids that are not modules of this gateway are left
  /// out (a command to all gateways); none left: absent.
  std::variant<Accepted, CommandFault> accept(UpdateCommand command, bool drop_strangers);
  void begin(const std::string& job);

  [[nodiscard]] const std::map<std::string, std::unique_ptr<Job>>& all() const { return jobs_; }
  /// The job that the module works on or that waits for it; empty when there is none.
  [[nodiscard]] std::string job_of(const std::string& module) const;
  [[nodiscard]] std::string last_result_of(const std::string& module) const;

  /// Stopping: nothing new is commanded.
  void stop_commanding();
  /// Modules whose download is under way and may still end by itself.
  [[nodiscard]] std::size_t downloading() const;
  /// Cuts what has not had its last byte, at no cost; how many were cut.
  std::size_t interrupt();

 private:
  struct Waiting {
    Job* job;
    Part* part;
  };

  Awaitable<> bring_and_queue(std::string job_id, bool recovered);
  Awaitable<std::optional<UpdateError>> fetch(Job& job);
  Awaitable<std::optional<UpdateError>> shelve(Job& job);
  [[nodiscard]] UpdateOrder order_for(const Job& job, const Module& module) const;
  Awaitable<> forget_oldest();
  std::variant<std::vector<std::string>, CommandFault> select(const ModuleSelection& selection,
                                                              bool drop_strangers) const;
  [[nodiscard]] bool is_elsewhere(const std::string& imei, const std::string& module) const;
  void reject_all(Job& job, const UpdateError& error);
  void enqueue(Job& job, Part& part);
  void begin_next(const std::string& module);
  void start(Job& job, Part& part);
  void end_part(Job& job, Part& part, UpdateResult result);
  void settle(Job& job);
  [[nodiscard]] std::filesystem::path artifact_path(const Job& job) const;

  asio::io_context& loop_;
  const Config& config_;
  Modules& modules_;
  Fetch& fetch_;
  FtpShelf* shelf_;
  std::size_t recovering_ = 0;  ///< jobs of an earlier process whose delta is not where it was yet
  Slots& slots_;
  Journal& journal_;
  JobListener& listener_;
  UpdateRunParts run_parts_;
  std::map<std::string, std::unique_ptr<Job>> jobs_;
  std::deque<std::string> ended_;                           ///< oldest first
  std::map<std::string, std::deque<Waiting>> waiting_;      ///< by module
  std::map<std::string, std::unique_ptr<UpdateRun>> runs_;  ///< by module
  std::map<std::string, std::string> last_results_;
  bool stopping_ = false;
};

}  // namespace dfota
