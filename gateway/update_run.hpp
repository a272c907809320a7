// One part of a job while its module works on it: the world of the update procedure, made of the gateway's slots, file
// server, journal and topics. Loop thread only.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <random>
#include <set>
#include <string>

#include "gateway/job.hpp"
#include "gateway/journal.hpp"
#include "gateway/progress.hpp"
#include "gateway/slots.hpp"
#include "gateway/transcripts.hpp"
#include "modem/module.hpp"
#include "modem/update_env.hpp"
#include "transport/file_server.hpp"

namespace dfota {

/// What an update tells the world. Implemented by MqttApi.
class UpdateListener {
 public:
  virtual ~UpdateListener() = default;
  virtual void update_progress(const Job& job, const Part& part, const UpdateProgress& progress,
                               const DownloadRate::Reading& reading) = 0;
  virtual void update_error(const Job& job, const Part& part, unsigned attempt, const UpdateError& error,
                            std::optional<WallTime> next_attempt_at) = 0;
};

/// What all runs share; the references outlive them.
struct UpdateRunParts {
  asio::io_context& loop;
  Slots& slots;
  FileServer& files;
  Journal& journal;
  UpdateListener& listener;
  std::string public_url;
  double backoff_s;
  const ServiceTime& time;
  /// Whether this job's modules may be commanded now: nothing is held, the job is not paused, its hour has come.
  std::function<bool(const Job& job)> is_open;
  /// Whether a module other than this one is online with this IMEI.
  std::function<bool(const std::string& imei, const std::string& module)> is_elsewhere;
  Transcripts* transcripts = nullptr;        ///< null: nothing is recorded
  std::set<std::string> claimed_imeis = {};  ///< of the modules whose updates run
};

class UpdateRun : public UpdateEnv {
 public:
  static constexpr auto kProgressEvery = std::chrono::milliseconds(1000);

  UpdateRun(UpdateRunParts& parts, const Job& job, Part& part, Module& module, std::filesystem::path artifact);
  ~UpdateRun() override;

  [[nodiscard]] Permission permission() const override;
  Awaitable<bool> take_slot(bool to_reboot) override;
  bool take_reboot_slot() override;
  void adopt_slot(bool reboots) override;
  void download_over() override;
  void slot_over() override;
  bool claim_imei(const std::string& imei) override;
  Result<std::string> offer(const std::string& token) override;
  [[nodiscard]] Transfer transfer() const override;
  void release_last_byte() override;
  bool void_token() override;
  Awaitable<Result<void>> commit(Checkpoint checkpoint) override;
  void progress(const UpdateProgress& progress) override;
  void attempt_failed(const UpdateError& error, unsigned attempt,
                      std::optional<Clock::duration> next_attempt_in) override;
  PortObserver* observer() override { return transcript_; }
  Clock::duration backoff(unsigned next) override;

  /// The module runs another version than it was planned from, and nothing was commanded: no error, yet.
  static bool asks_for_another_plan(const Job& job, const Part& part, const UpdateResult& result);

  /// permission() may have changed.
  void wake();
  [[nodiscard]] bool is_cut() const { return cut_; }
  /// Ends it for this process, whatever its coroutine still does: nothing is recorded any more. Before the last byte:
  /// cuts the download and journals that its attempt costs nothing. False when it may be flashing.
  bool interrupt();
  [[nodiscard]] const Job& job() const { return job_; }
  [[nodiscard]] const Part& part() const { return part_; }
  /// What the procedure is to enter at, from the journal's part.
  [[nodiscard]] Checkpoint entry() const;

 private:
  UpdateRunParts& parts_;
  const Job& job_;
  Part& part_;
  Module& module_;
  std::filesystem::path artifact_;
  Transcript* transcript_ = nullptr;
  Slots::Claim claim_;
  std::string token_;
  std::string claimed_imei_;
  bool cut_ = false;
  DownloadRate rate_;
  std::optional<UpdateProgress> published_;
  Clock::time_point published_at_;
  std::minstd_rand random_;

  void put(Write kind);
  void begin_transcript();
};

}  // namespace dfota
