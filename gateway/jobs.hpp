// The jobs: accepted once, journalled, fetched for, handed to their modules one at a time for each, and ended with
// exactly one outcome for each module of each run (contract, law 6). jobs.cpp: acceptance and recovery;
// jobs_rollout.cpp: which module begins when, and what its outcome leads to; jobs_plan.cpp: which deltas;
// jobs_delivery.cpp: how they get there; jobs_control.cpp: what somebody orders. What is put into the journal here
// shares the commit of the turn; the caller waits for it. Loop thread only.
#pragma once

#include <asio/io_context.hpp>
#include <deque>
#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "config/config.hpp"
#include "gateway/ftp_shelf.hpp"
#include "gateway/job.hpp"
#include "gateway/journal.hpp"
#include "gateway/module_fact.hpp"
#include "gateway/service_time.hpp"
#include "gateway/trust.hpp"
#include "gateway/update_history.hpp"
#include "gateway/update_run.hpp"
#include "modem/module.hpp"
#include "transport/fetch.hpp"

namespace dfota {

/// What the jobs tell the world, beside what their updates do. Implemented by MqttApi.
class JobListener : public UpdateListener, public ModuleObserver {
 public:
  virtual void job_changed(const Job& job) = 0;
  /// Puts the result into the outbox; it shares the commit of this turn.
  virtual void part_ended(const Job& job, const Part& part) = 0;
  /// Puts the last state into the outbox; the seq that it bears comes back.
  virtual std::uint64_t job_ended(const Job& job) = 0;
  virtual void job_forgotten(const Job& job) = 0;
  virtual void hold_changed() = 0;
  /// Jobs with a clock wait, because the wall clock lies before the build.
  virtual void clock_needed(bool in_vain) = 0;
};

class Jobs : public ModuleObserver {
 public:
  static constexpr auto kFetchAgain = std::chrono::seconds(1);
  static constexpr auto kTick = std::chrono::seconds(1);  ///< expiry, absence and windows are looked at so often
  static constexpr auto kHold = "hold";                   ///< the journal's name of it
  static constexpr auto kBefore = "before/";              ///< and of what a module ran before its last job
  static constexpr unsigned kMostAsked = 4;  ///< a module that reports yet another version each time is given up
  static constexpr auto kDefaultLife = std::chrono::hours(7 * 24);

  using Modules = std::map<std::string, std::unique_ptr<Module>>;

  /// `shelf` is null without [ftp]. All must outlive it.
  struct Parts {
    asio::io_context& loop;
    const Config& config;
    Modules& modules;
    Fetch& fetch;
    const Manifests& catalog;
    const Trust& trust;
    FtpShelf* shelf;
    Slots& slots;
    FileServer& files;
    Journal& journal;
    ServiceTime& time;
    JobListener& listener;
    Transcripts* transcripts = nullptr;  ///< null: nothing is recorded
  };
  explicit Jobs(const Parts& parts);

  /// Takes up what the journal has: modules that were commanded are listened to before anything else. Before the
  /// modules start.
  void recover(const JournalContents& contents);

  /// Takes a command as a job; once it is in the journal the caller calls begin(). The same id with the same body is
  /// the same job. `drop_strangers`: ids that are not modules of this gateway are left out (a command to all gateways);
  /// none left: null.
  std::variant<const Job*, CommandFault> accept(UpdateCommand command, bool drop_strangers);
  void begin(const std::string& job);
  /// What the command would do with each module, and nothing is done; `drop_strangers` as above. Null: none of ours.
  std::variant<nlohmann::json, CommandFault> dry_run(UpdateCommand command, bool drop_strangers) const;

  /// Which modules (of one job) or jobs (of one module) are ended now, end without a command, or go on to their end.
  struct Canceled {
    std::vector<std::string> stopped, stopping, will_end;
  };
  std::variant<Canceled, CommandFault> cancel_job(const std::string& job);
  std::variant<Canceled, CommandFault> cancel_module(const std::string& module);
  /// Of one job, or, with an empty id, of all that have not ended. Which they were.
  std::variant<std::vector<std::string>, CommandFault> pause(const std::string& job);
  std::variant<std::vector<std::string>, CommandFault> resume(const std::string& job);
  /// The modules of this run that did not get to the target, once more, as the next run.
  std::variant<const Job*, CommandFault> retry(const std::string& job, unsigned run);
  std::optional<CommandFault> forget(const std::string& job);
  /// Gives the port of an idle module to somebody's own terminal, over restarts, and takes it back; both may be said
  /// more than once. The port as it is to be opened; empty: nobody knows.
  std::variant<std::string, CommandFault> release_module(const std::string& module);
  std::variant<std::string, CommandFault> claim_module(const std::string& module);
  /// Of a module that is not configured any more.
  void forget_module(const std::string& module);
  /// While it is held no module is commanded.
  void hold(std::optional<std::string> reason);
  [[nodiscard]] const std::optional<std::string>& held() const { return held_; }

  [[nodiscard]] const std::map<std::string, std::unique_ptr<Job>>& all() const { return jobs_; }
  [[nodiscard]] const Job* find(const std::string& job) const;
  /// The job that the module works on or that waits for it; empty when there is none.
  [[nodiscard]] std::string job_of(const std::string& module) const;
  [[nodiscard]] std::string last_result_of(const std::string& module) const;
  /// What the module works on, or goes on with between two deltas of its way; null: nothing has begun.
  [[nodiscard]] const Part* part_under_way(const std::string& module) const;
  [[nodiscard]] CommandFault unknown_module(const std::string& id, std::string pointer) const;
  [[nodiscard]] const ServiceTime& time() const { return time_; }

  // ModuleObserver
  void module_changed(const Module& module) override;

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

  // jobs.cpp
  std::variant<std::vector<std::string>, CommandFault> select(const ModuleSelection& selection,
                                                              bool drop_strangers) const;
  [[nodiscard]] std::optional<CommandFault> unfit(const UpdateCommand& command) const;
  void read_back(const JournalContents& contents);
  void read_facts(const std::map<std::string, std::string>& facts);
  void recall_modules();
  void remember(const Module& module);
  void take_up(Job& job);
  void put(Write kind, const Job& job) { journal_.put_job(kind, job.id(), to_document(job)); }
  void put(Write kind, const Job& job, const Part& part);
  void put_time();
  [[nodiscard]] std::optional<ServiceTime::Instant> expiry_of(const UpdateCommand& command) const;
  [[nodiscard]] std::size_t unended() const { return jobs_.size() - ended_.size(); }
  [[nodiscard]] bool is_elsewhere(const std::string& imei, const std::string& module) const;

  // jobs_rollout.cpp
  Awaitable<> watch_the_clock();
  void tick();
  void expire(Job& job);
  void reject_missing(const std::string& module, std::deque<Waiting>& queue);
  [[nodiscard]] bool is_open(const Job& job) const;
  void wait_for_modules(Job& job);
  void enqueue(Job& job, Part& part);
  void leave_queue(const Part& part);
  [[nodiscard]] const Waiting* next_of(const std::string& module) const;
  void look_at(Job& job);
  void look_at_module(const std::string& module);
  void look_at_all();
  void permissions_changed();
  [[nodiscard]] UpdateOrder order_for(const Job& job, const Part& part, const Module& module) const;
  void start(Job& job, Part& part);
  void work_ended(Job& job, Part& part, UpdateResult result);
  void reject(Job& job, Part& part, const UpdateError& error);
  void end_unbegun(Job& job, Part& part, Stop stop);
  void end_part(Job& job, Part& part, UpdateResult result);
  void look_soon(std::string job, std::string module);
  void settle(Job& job);

  // jobs_plan.cpp
  /// The module's way, or why there is none; with the version that it has to begin with.
  struct Plan {
    std::string from, to;
    std::vector<const Manifest*> hops;
    std::optional<UpdateError> none;
  };
  [[nodiscard]] std::optional<CommandFault> resolve(UpdateCommand& command) const;
  [[nodiscard]] std::optional<CommandFault> resolve_target(const UpdateCommand& command) const;
  [[nodiscard]] std::optional<CommandFault> untrusted(const UpdateCommand& command) const;
  [[nodiscard]] std::optional<CommandFault> wrong_direction(const UpdateCommand& command) const;
  [[nodiscard]] std::string target_of(const UpdateCommand& command, const std::string& module) const;
  [[nodiscard]] Plan plan(const UpdateCommand& command, const Module& module, const std::string& target,
                          std::string version, const Part* part) const;
  [[nodiscard]] Plan plan_one(const UpdateCommand& command, const Module& module) const;
  void hold_deltas(Job& job);
  void hold_way(Part& part, const Plan& plan);
  bool choose_hop(Job& job, Part& part);
  bool goes_on(Job& job, Part& part, const UpdateResult& result);
  void next_hop(Job& job, Part& part);
  void note_hop(const Job& job, Part& part, const UpdateResult& result);
  void note_success(const Part& part);

  // jobs_delivery.cpp
  bool bring(Job& job, const Manifest& delta);
  Awaitable<> bring_delta(std::string job_id, unsigned run, Manifest delta);
  Awaitable<std::optional<UpdateError>> fetch(const std::string& job, const Manifest& delta);
  Awaitable<std::optional<UpdateError>> shelve(const std::string& job, const Manifest& delta);
  void not_brought(Job& job, const Manifest& delta, const UpdateError& error);
  [[nodiscard]] std::filesystem::path artifact_path(const Manifest& delta) const;

  // jobs_control.cpp
  enum class Reach { stopped, stopping, will_end };
  Reach stop_part(Job& job, Part& part, Stop stop, Write kind);
  void cancel_part(Job& job, Part& part, const std::string& name, Canceled& canceled);
  void stop_rest(Job& job, Stop stop);
  std::variant<std::vector<std::string>, CommandFault> set_paused(const std::string& job, bool paused, Write kind);
  [[nodiscard]] std::variant<Job*, CommandFault> unended_job(const std::string& id);
  void forget_ended(const std::string& id);
  void forget_old();
  Awaitable<> forget_soon();

  asio::io_context& loop_;
  const Config& config_;
  Modules& modules_;
  Fetch& fetch_;
  const Manifests& catalog_;
  const Trust& trust_;
  FtpShelf* shelf_;
  Slots& slots_;
  Journal& journal_;
  ServiceTime& time_;
  JobListener& listener_;
  UpdateRunParts run_parts_;
  std::map<std::string, std::unique_ptr<Job>> jobs_;
  std::deque<std::string> ended_;                           ///< oldest first
  std::map<std::string, std::deque<Waiting>> waiting_;      ///< by module, in the order of acceptance
  std::map<std::string, std::unique_ptr<UpdateRun>> runs_;  ///< by module
  std::map<std::string, std::string> last_results_;
  struct Before {
    std::string imei, version;
  };
  std::map<std::string, Before> before_;     ///< by module: what it ran before its last succeeded job
  std::map<std::string, ModuleFact> known_;  ///< by module, as the journal has it
  UpdateHistory history_;
  /// Jobs of an earlier process, and the deltas of theirs that may still lie on the shelf.
  std::set<std::pair<std::string, std::string>> unswept_;
  std::optional<std::string> held_;
  std::optional<ServiceTime::Instant> time_put_at_;
  Clock::time_point forget_at_;
  bool stopping_ = false, forgetting_ = false;
};

}  // namespace dfota
