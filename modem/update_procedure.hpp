// The story of one update of one module, top to bottom, in the order in which it happens:
//
//   reach the module · take a slot · synchronise, identify, check the base · PDP context · journal "commanded"
//   AT+QFOTADL="HTTP://..."  >  OK  >  HTTPSTART  >  (last byte wanted: journal "released", let it go)  >  HTTPEND,0
//   > port lost and found again > START > UPDATING,n > END,0 > RDY > version read back by the same command as before
//
// START, UPDATING, END and RDY may each be missing: only the version read back decides (contract, law 5). One coroutine
// on the loop.
#pragma once

#include <optional>
#include <string>

#include "modem/dialogue.hpp"
#include "modem/profile.hpp"
#include "modem/qind.hpp"
#include "modem/update_env.hpp"
#include "modem/update_types.hpp"

namespace dfota {

class UpdateProcedure {
 public:
  static constexpr auto kCommandLimit =
      std::chrono::seconds(10);  ///< for the OK; without one the module is listened to
  static constexpr auto kProgressTick = std::chrono::milliseconds(500);

  /// All references must outlive it. `known_version` is replaced by each version that the module reports.
  UpdateProcedure(asio::io_context& loop, ModulePort& port, UpdateOrder order, const TimeoutsConfig& timeouts,
                  UpdateEnv& env);

  /// Runs from the journalled checkpoint to the outcome. Ends exactly once, with a result.
  Awaitable<UpdateResult> run(Checkpoint entry);

 private:
  /// Where the story goes on after one of its parts.
  enum class Fate {
    go_on,         ///< the next part
    attempt_over,  ///< error_ says why; another attempt may follow
    done,          ///< result_ stands
  };

  // The parts of an attempt.
  Awaitable<Fate> enter();
  Awaitable<Fate> attempt();
  Awaitable<Fate> reach();
  Awaitable<Fate> prepare();
  Awaitable<Fate> check_identity();
  Awaitable<Fate> command();
  Awaitable<Fate> follow_download();
  Awaitable<Fate> follow_flash();
  Awaitable<Fate> verify();
  Awaitable<Fate> resume_download();

  // Pieces of them.
  Awaitable<Fate> release();
  Awaitable<Fate> end_silence();
  Awaitable<> listen_until(Clock::time_point until);
  Awaitable<> reopen_or_wait(Clock::time_point until);
  std::optional<Fate> download_verdict();
  Fate judge(const Identity& identity);
  Fate cut_off(Finding finding, std::string message);

  // What was heard.
  void hear();
  void hear(const std::string& line);
  void hear(const FotaUrc& urc);
  void forget_what_was_heard();
  [[nodiscard]] Clock::time_point may_ask_at();
  [[nodiscard]] bool port_did_not_bring_it_back(Clock::time_point now);

  // How it ends.
  Fate over(UpdateError error);
  Fate finish(Outcome outcome, std::optional<UpdateError> error);
  Fate fail_or_reject(UpdateError error);
  void report(Phase phase, std::optional<int> percent = {});
  void report_download(const Transfer& transfer);
  void warn(std::string word);

  asio::io_context& loop_;
  ModulePort& port_;
  const UpdateOrder order_;
  const TimeoutsConfig& timeouts_;
  UpdateEnv& env_;
  Danger danger_;
  Dialogue dialogue_;

  Checkpoint checkpoint_;
  unsigned commands_sent_ = 0;
  unsigned openings_ = 0;  ///< of the port, when the command was written
  const Profile* profile_ = nullptr;
  std::string version_;  ///< the last one that the module reported
  UpdateProgress progress_;
  std::optional<UpdateError> error_;  ///< of the attempt that is over
  UpdateResult result_;

  // Heard since the command of this attempt.
  bool started_ = false;                       ///< HTTPSTART, FTPSTART
  bool downloaded_ = false;                    ///< HTTPEND,0
  bool flashing_ = false;                      ///< START, UPDATING or RESTORE
  std::optional<UpdateError> transfer_error_;  ///< HTTPEND, FTPEND or FILEEND other than 0
  std::optional<int> end_code_;
  std::optional<Clock::time_point> ended_at_, booted_at_;
  std::optional<Clock::time_point> quiet_until_;  ///< nothing is asked before: the last answer was missing or too early

  Clock::time_point start_deadline_, download_deadline_, update_deadline_, next_gap_;
  bool warned_reboot_ = false;
  std::optional<Clock::time_point> port_gone_at_;
  bool old_version_seen_ = false;
};

}  // namespace dfota
