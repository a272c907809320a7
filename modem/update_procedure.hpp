// The story of one update of one module, top to bottom, in the order in which it happens:
//
//   reach the module · take a slot · synchronise, identify, check base, SIM, registration, PDP context
//   (upload: the delta into its file system)                                            update_preparation.cpp
//   journal "commanded" · AT+QFOTADL="HTTP://..."  >  OK  >  HTTPSTART  >  (last byte wanted: a place to reboot,
//   journal "released", let it go)  >  HTTPEND,0  >  port lost and found again  >  START  >  UPDATING,n  >  END,0  >
//   RDY  >  version read back by the same command as before update_procedure.cpp
//
// For every delivery but http the border is the command: "released" is journalled before AT+QFOTADL is written, and
// nothing but the module's own word ends the attempt (contract, laws 1 and 2). START, UPDATING, END and RDY may each be
// missing: only the version read back decides (law 5). What is heard meanwhile: update_hearing.cpp. One coroutine on
// the loop.
#pragma once

#include <optional>
#include <string>

#include "config/profile.hpp"
#include "modem/dialogue.hpp"
#include "modem/qind.hpp"
#include "modem/update_env.hpp"
#include "modem/update_types.hpp"

namespace dfota {

class UpdateProcedure {
 public:
  static constexpr auto kCommandLimit =
      std::chrono::seconds(10);  ///< for the OK; without one the module is listened to
  static constexpr auto kProgressTick = std::chrono::milliseconds(500);
  static constexpr auto kWriteAgain = std::chrono::seconds(5);
  static constexpr int kUploadTries = 3;
  /// Beyond AT+QFUPL's own time-out, before a module whose upload was broken off is spoken to.
  static constexpr auto kUploadSettle = std::chrono::seconds(2);

  /// All references must outlive it.
  UpdateProcedure(asio::io_context& loop, ModulePort& port, UpdateOrder order, const Profiles& profiles,
                  const TimeoutsConfig& timeouts, UpdateEnv& env);

  /// Runs from the journalled checkpoint to the outcome. Ends exactly once, with a result.
  Awaitable<UpdateResult> run(Checkpoint entry);

  /// After run(): the module flashes on somebody else's behalf, and is not to be spoken to.
  [[nodiscard]] bool heard_a_stranger_flash(const UpdateResult& result) const {
    return danger_.evidence == Evidence::fota_urc && result.outcome != Outcome::lost;
  }

 private:
  /// Where the story goes on after one of its parts.
  enum class Fate {
    go_on,         ///< the next part
    anew,          ///< nothing was commanded: the attempt begins again, at no cost
    attempt_over,  ///< error_ says why; another attempt may follow
    done,          ///< result_ stands
  };

  // The parts of an attempt.
  Awaitable<Fate> enter();
  Awaitable<Fate> attempt();
  Awaitable<Fate> reach();
  Awaitable<Fate> prepare();
  Awaitable<Fate> check_identity();
  Awaitable<Fate> check_network();
  Awaitable<Fate> bring_package();
  Awaitable<Fate> command();
  Awaitable<Fate> follow_download();
  Awaitable<Fate> follow_flash();
  Awaitable<Fate> verify();
  Awaitable<Fate> resume_download();
  void serve_again();

  // Pieces of them.
  Awaitable<Fate> upload();
  Awaitable<Fate> upload_again_after(Error error, int tries);
  Awaitable<Fate> find_file();
  std::variant<std::string, UpdateError> command_text(const std::string& token);
  Awaitable<Fate> take_back(Checkpoint before);
  Fate take_reply(const Result<AtReply>& reply);
  Awaitable<Fate> release();
  Awaitable<Fate> end_silence();
  Awaitable<> write_again();
  Awaitable<> stream_package();
  Awaitable<> remove_upload();
  Awaitable<> hear_of_the_cut();
  Awaitable<> pause(Clock::duration time);
  Awaitable<> listen_until(Clock::time_point until);
  Awaitable<> reopen_or_wait(Clock::time_point until);
  std::optional<Fate> recovery_verdict();
  std::optional<Fate> download_verdict();
  std::optional<Fate> flash_verdict(Clock::time_point now);
  Fate judge(const Identity& identity);
  void stand_by(Clock::time_point now);
  Fate anew_at_no_cost();
  Fate cut_off(Finding finding, std::string message);
  Fate cut_by_order();
  Awaitable<Fate> stopped();
  [[nodiscard]] bool is_stopped() const { return env_.permission() == UpdateEnv::Permission::stop; }
  [[nodiscard]] bool may_command() const { return env_.permission() == UpdateEnv::Permission::go; }
  void begin_deadlines();
  void begin_deadlines_of_before(Clock::duration age);
  void leave_time_to_ask();
  void follow(const Profile* profile);

  // What was heard.
  void hear();
  void hear(const std::string& line);
  void hear(const FotaUrc& urc);
  void hear_transfer_end(CodeSource source, const FotaUrc& urc);
  void hear_flashing(const FotaUrc& urc, FotaStage stage);
  void forget_what_was_heard();
  [[nodiscard]] bool fetching();
  [[nodiscard]] bool powered_down(Clock::time_point now) const;
  [[nodiscard]] bool may_still_begin() const;
  [[nodiscard]] Clock::time_point may_ask_at();
  [[nodiscard]] bool port_did_not_bring_it_back(Clock::time_point now);
  [[nodiscard]] std::string last_heard_text() const;

  // How it ends.
  Fate over(UpdateError error);
  Fate finish(Outcome outcome, std::optional<UpdateError> error);
  Fate fail_or_reject(UpdateError error);
  void report(Phase phase, std::optional<int> percent = {});
  void report_download();
  void report_upload(std::uint64_t sent, std::uint64_t size);
  void warn(std::string word);
  [[nodiscard]] bool is_http() const { return order_.delivery == Delivery::http; }
  [[nodiscard]] bool downloads() const {
    return order_.delivery != Delivery::upload && order_.delivery != Delivery::file;
  }
  [[nodiscard]] std::string upload_name() const;

  asio::io_context& loop_;
  ModulePort& port_;
  const UpdateOrder order_;
  const Profiles& profiles_;
  const TimeoutsConfig& operator_timeouts_;
  TimeoutsConfig timeouts_;  ///< the operator's, and the family's where the operator is silent
  UpdateEnv& env_;
  Danger danger_;
  Dialogue dialogue_;

  Checkpoint checkpoint_;
  unsigned commands_sent_ = 0;
  unsigned openings_ = 0;  ///< of the port, when the command was written
  const Profile* profile_ = nullptr;
  std::string version_, model_, imei_;  ///< the last ones that the module reported
  UpdateProgress progress_;
  std::optional<UpdateError> error_;  ///< of the attempt that is over
  UpdateResult result_;

  // Heard since the command of this attempt.
  bool started_ = false;                       ///< HTTPSTART, FTPSTART
  bool downloaded_ = false;                    ///< HTTPEND,0
  bool flashing_ = false;                      ///< START, UPDATING or RESTORE
  bool file_wanted_ = false;                   ///< FILESTART
  std::optional<int> downloading_percent_;     ///< DOWNLOADING, or how much of a stream was written
  std::optional<UpdateError> transfer_error_;  ///< HTTPEND, FTPEND or FILEEND other than 0
  std::optional<int> end_code_;
  std::optional<Clock::time_point> ended_at_, booted_at_, powered_down_at_;
  unsigned boots_ = 0;
  std::optional<Clock::time_point> quiet_until_;  ///< nothing is asked before: the last answer was missing or too early
  std::string last_heard_;
  Clock::time_point last_heard_at_;

  Clock::time_point start_deadline_, download_deadline_, update_deadline_, next_gap_;
  bool unheard_ = false;  ///< it was commanded before a restart, and its port has not been opened since
  bool warned_reboot_ = false;
  std::optional<Clock::time_point> port_gone_at_;
  std::optional<Clock::time_point> file_data_until_;  ///< what is written before may be taken for file data
  bool old_version_seen_ = false;
  bool answers_ = false;    ///< it answered when it was last asked
  bool stands_by_ = false;  ///< it has all but its last byte, and may not reboot yet
  bool stood_by_ =
      false;  ///< in this attempt or an earlier one: the next one has its place to reboot before the command
  bool streamed_ = false;
  std::optional<Clock::time_point> write_again_at_;  ///< it flashes, and the journal could not be told
};

}  // namespace dfota
