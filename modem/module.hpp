// One module and its port, for as long as the gateway runs: the port is held open, listened to after each opening,
// asked who is there, asked for version, registration and signal while idle, and handed to one update at a time. One
// coroutine on the loop.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "modem/dialogue.hpp"
#include "modem/module_port.hpp"
#include "modem/network_check.hpp"
#include "modem/rehearsal.hpp"
#include "modem/update_env.hpp"
#include "modem/update_types.hpp"

namespace dfota {

class Module;

class ModuleObserver {
 public:
  virtual ~ModuleObserver() = default;
  /// Something of state() or identity() is different. On the loop.
  virtual void module_changed(const Module& module) = 0;
};

struct ModuleState {
  std::string port;      ///< where it stands; empty: nobody knows
  bool online = false;   ///< its port is open and it answered, or an update is under way
  bool present = false;  ///< its port is open, and it is not lost: an update may begin
  Phase phase = Phase::idle;
  Identity identity;    ///< as it last said; empty strings before
  std::string profile;  ///< empty: the model is not known
  std::optional<bool> registered;
  std::optional<int> signal_dbm;
  std::string problem;  ///< a word of finding.hpp, empty when there is none

  bool operator==(const ModuleState& other) const;
};

/// What a module was asked for by a person, and what became of it.
struct Scan {
  bool force = false;   ///< a lost module is spoken to once more (law 3 of the contract)
  bool accept = false;  ///< whoever stands at the port now is the module from now on
  /// Called once, on the loop. `problem`: a word of finding.hpp, or "busy"; empty: it answered. `network` only when it
  /// answered and its family is known.
  std::function<void(const std::string& problem, const std::optional<NetworkState>& network)> done;
  /// An address that it is to fetch if it could download; empty: none. What came of it is told before done.
  std::string url = {};
  std::function<void(const Rehearsed& rehearsed)> fetched = nullptr;
};

class Module {
 public:
  /// A port that is not there is looked for so often, beside being woken when something came (PortWatch).
  static constexpr auto kLookAgain = std::chrono::seconds(5);
  static constexpr auto kConnectAgain = std::chrono::seconds(1);  ///< tcp://, of which nobody tells

  /// The references must outlive it.
  Module(asio::io_context& loop, ModuleConfig config, const ModemConfig& modem, const TimeoutsConfig& timeouts,
         ModuleObserver& observer);

  /// Begins its coroutine. An update given before begins at once, before anything is written to the module.
  void start();

  /// Hands it to one update, from a checkpoint; not while busy(). `env` must live until `done` was called, on the loop.
  void update(UpdateOrder order, Checkpoint entry, UpdateEnv& env, std::function<void(UpdateResult)> done);
  [[nodiscard]] bool busy() const { return work_.has_value(); }
  /// Asks it anew, at once when it is idle: who is there, registration and signal, SIM and PDP context.
  void scan(Scan scan);
  /// It was lost in an update of an earlier process: as if in this one. Before start().
  void mark_lost() { lost_opening_ = 1; }
  /// To that one nothing is written, until its port went and came back, it has booted, or a person forces it.
  [[nodiscard]] bool is_lost() const;
  /// Its port is given to somebody's own terminal: closed at once, and neither opened, listened to nor written to until
  /// claim(). Not while busy(). What it says in between is not heard, so that it is lost afterwards if it was before.
  void release();
  void claim();
  /// It was released in an earlier process. Before start().
  void mark_released();
  [[nodiscard]] bool is_released() const { return released_; }
  /// Who stood at the port in an earlier process; a configured IMEI goes before. Before start().
  void expect(const std::string& imei);
  /// Its port of an earlier process. Before start().
  void begin_at(const std::string& port);
  /// It has answered at this port, or stands there by the same device's other name (`same_device`: nothing is closed).
  void move_to(const std::string& port, bool same_device = false);
  /// Another module answers at its port, and belongs there: nobody knows where this one is.
  void leave_port();
  /// At its place there is a USB device in recovery mode, or not any more.
  void set_recovery(bool recovery);
  /// It is nobody's any more: nothing more is told of it, and its coroutine ends, soon. Not while busy().
  void retire();
  /// It was retired, and its coroutine has ended.
  [[nodiscard]] bool is_over() const { return over_; }
  /// It flashes, or may be about to, and its port is gone: an unknown port may be it.
  [[nodiscard]] bool may_be_elsewhere_flashing() const;
  [[nodiscard]] bool port_open() const { return port_.is_open(); }
  /// Another one has answered in its place, and stands there now.
  [[nodiscard]] bool has_stranger() const;
  /// It is where it is looked for: it has said so, or is being updated there.
  [[nodiscard]] bool is_at_home() const;
  /// The update's observer is no more.
  void stop_observing() { port_.observe(nullptr); }
  /// What the running update reports of its phase.
  void set_phase(Phase phase);

  /// Wakes its coroutine: something that it waits for happened elsewhere (a transfer, a slot).
  void wake() { changed_.notify(); }

  [[nodiscard]] const ModuleConfig& config() const { return config_; }
  [[nodiscard]] const ModuleState& state() const { return state_; }
  /// The configured IMEI, else the first one seen; empty before.
  [[nodiscard]] const std::string& expected_imei() const { return expected_imei_; }

 private:
  struct Work {
    UpdateOrder order;
    Checkpoint entry;
    UpdateEnv* env;
    std::function<void(UpdateResult)> done;
  };

  Awaitable<> wait_for_port(Error why);
  void set_absent(ModuleState& state) const;
  Awaitable<> run();
  Awaitable<> attend();
  Awaitable<> perform();
  std::optional<UpdateResult> refuse_if_unapproachable();
  Awaitable<> greet();
  void tell_of_company() const;
  Awaitable<> stand_back();
  Awaitable<> ask_status();
  Awaitable<> wait_idle(Clock::time_point until, bool for_scans);
  void find_again();
  void heed_scans();
  Awaitable<> answer_scans();
  void refuse_scans(const std::string& problem);
  Awaitable<> rehearse(const Scan& scan, int cid);
  Awaitable<> stay_lost();
  Awaitable<> stay_released();
  bool hear_fota();
  void change(ModuleState next);
  void set_problem(std::string_view word, bool present);

  asio::io_context& loop_;
  ModuleConfig config_;
  const ModemConfig& modem_;
  const TimeoutsConfig& timeouts_;
  ModuleObserver& observer_;
  Signal changed_;
  ModulePort port_;
  Danger danger_;  ///< while no update of ours runs
  Dialogue dialogue_;
  ModuleState state_;
  std::string expected_imei_;
  std::optional<Work> work_;
  std::vector<Scan> scans_;         ///< not begun
  std::vector<Scan> heeded_;        ///< what is asked now is asked for them
  Rehearsal* rehearsal_ = nullptr;  ///< under way
  unsigned greeted_opening_ = 0;    ///< the opening of the port at which it was greeted; 0: it is to be greeted anew
  unsigned met_opening_ = 0;        ///< the opening at which it said last who it is
  unsigned lost_opening_ =
      0;  ///< the opening at which it was lost: nothing is written until the port went and came back
  std::optional<Clock::time_point> back_at_;  ///< it was lost and has said RDY: not lost any more from then on
  bool released_ = false;                     ///< the port is somebody else's
  bool accepting_ = false;                    ///< whoever answers next is the module
  Clock::time_point fota_since_;
  bool booted_ = false, ended_ = false;
  bool retired_ = false, over_ = false;
};

}  // namespace dfota
