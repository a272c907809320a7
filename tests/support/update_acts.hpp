// One update of one module in a world that does anything: what the module says and answers, its port, the journal, the
// permissions, and deaths of the gateway, act by act, beside the model of the laws. Test's thread.
#pragma once

#include <array>
#include <asio/co_spawn.hpp>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <thread>

#include "modem/update_procedure.hpp"
#include "tests/support/tcp_module.hpp"
#include "tests/support/update_model.hpp"

namespace dfota::test {

/// What happens next; what `a` means is the kind's.
struct UpdateAct {
  enum Kind {
    say,         ///< a line of kLines
    time,        ///< a seconds
    port,        ///< goes or comes
    answers,     ///< from now on: right, ERROR, nothing, noise
    version,     ///< it runs the old one, the new one, another
    wanted,      ///< its download has come to the last byte
    journal,     ///< from now on: writes, fails, waits
    permission,  ///< go, wait, stop (for good)
    room,        ///< to reboot: there is, or is not
    die,         ///< what waits for the disk is on it, or is not
  };
  Kind kind = time;
  unsigned a = 0;
};

inline std::ostream& operator<<(std::ostream& out, const UpdateAct& act) {
  static constexpr const char* kNames[] = {"say",    "time",    "port",       "answers", "version",
                                           "wanted", "journal", "permission", "room",    "die"};
  return out << kNames[act.kind] << '(' << act.a << ')';
}

class UpdateActs : public UpdateEnv {
 public:
  static constexpr auto kOld = "UC20GQBR03A11E1G", kNew = "UC20GQBR03A12E1G";
  static constexpr std::array kLines = {"+QIND: \"FOTA\",\"HTTPSTART\"",
                                        "+QIND: \"FOTA\",\"HTTPEND\",0",
                                        "+QIND: \"FOTA\",\"HTTPEND\",716",
                                        "+QIND: \"FOTA\",\"FTPSTART\"",
                                        "+QIND: \"FOTA\",\"FTPEND\",0",
                                        "+QIND: \"FOTA\",\"FTPEND\",603",
                                        "+QIND: \"FOTA\",\"START\"",
                                        "+QIND: \"FOTA\",\"UPDATING\",7",
                                        "+QIND: \"FOTA\",\"RESTORE\",9",
                                        "+QIND: \"FOTA\",\"END\",0",
                                        "+QIND: \"FOTA\",\"END\",504",
                                        "RDY",
                                        "APP RDY",
                                        "+CPIN: READY",
                                        "NORMAL POWER DOWN",
                                        "+QIND: \"FOTA\",\"DOWNLOADING\",3",
                                        "+QIND: \"FOTA\",\"FILESTART\"",
                                        "+QIND: \"FOTA\",\"FILEEND\",5",
                                        "+QIND: \"FOTA\",\"HTTPEND\"",
                                        "+QIND: \"FOTA\",\"MOONPHASE\"",
                                        "\x01\x7f noise",
                                        "+QIND: \"vbatt\",-1"};

  UpdateActs(unsigned delivery, unsigned attempts) {
    constexpr std::array kDeliveries = {Delivery::http, Delivery::http, Delivery::url, Delivery::file};
    order_.from = kOld;
    order_.to = kNew;
    order_.attempts = attempts;
    order_.delivery = kDeliveries[delivery % kDeliveries.size()];
    order_.url = "http://192.168.1.2/d.bin";
    order_.file = "UFS:d.bin";
    timeouts_.listen = kListen;
    timeouts_.start = 15;
    timeouts_.download = 40;
    timeouts_.reboot = 10;
    timeouts_.progress_gap = kGap;
    timeouts_.update = 100;
    timeouts_.absent = 10;
    model_.emplace(order_.delivery == Delivery::http, kListen, kGap, attempts);
    begin();
  }
  ~UpdateActs() override { life_.reset(); }

  [[nodiscard]] const std::string& fault() const { return model_->fault(); }

  void act(const UpdateAct& act) {
    if (model_->over() || !fault().empty()) return;
    const auto word = [&](auto& from) { return from[act.a % from.size()]; };
    switch (act.kind) {
      case UpdateAct::say:
        say(word(kLines));
        break;
      case UpdateAct::time:
        pass(1 + act.a % 25);
        break;
      case UpdateAct::port:
        turn_port();
        break;
      case UpdateAct::answers:
        answers_ = static_cast<Answers>(act.a % 4);
        break;
      case UpdateAct::version:
        version_ = std::array{kOld, kNew, "UC20GQBR03A09E1G"}[act.a % 3];
        break;
      case UpdateAct::wanted:
        if (transfer_.size == 0) break;
        transfer_.requests = 1;
        transfer_.last_byte_wanted = true;
        life_->changed.notify();
        break;
      case UpdateAct::journal:
        disk_ = static_cast<Disk>(act.a % 3);
        break;
      case UpdateAct::permission:
        if (permission_ != Permission::stop) {
          permission_ = std::array{Permission::go, Permission::wait, Permission::stop}[act.a % 3];
        }
        life_->changed.notify();
        break;
      case UpdateAct::room:
        room_ = act.a % 3 != 0;
        life_->changed.notify();
        break;
      case UpdateAct::die:
        die(act.a % 2 == 0);
        break;
    }
    settle();
  }

  /// The world is kind again: the update has to end.
  void let_it_end() {
    answers_ = Answers::right;
    disk_ = Disk::writes;
    room_ = true;
    if (permission_ == Permission::wait) permission_ = Permission::go;
    if (!module_.plugged()) turn_port();
    settle();
    for (int i = 0; i < kPatience && !model_->over() && fault().empty(); ++i) pass(1);
    model_->require(model_->over(), "it does not end");
    // Whoever it was that flashed: after the result the procedure is silent.
    if (fault().empty()) pass(static_cast<unsigned>(kGap) + 1);
  }

  // UpdateEnv
  [[nodiscard]] Permission permission() const override { return permission_; }
  Awaitable<bool> take_slot(bool to_reboot) override {
    while (permission_ == Permission::wait) co_await sleep_for(life_->loop, kSoon);
    has_place_ = has_place_ || (to_reboot && permission_ == Permission::go);
    co_return permission_ == Permission::go;
  }
  bool take_reboot_slot() override { return has_place_ = has_place_ || room_; }
  void adopt_slot(bool reboots) override { has_place_ = has_place_ || reboots; }
  void download_over() override {}
  void slot_over() override { has_place_ = false; }
  bool claim_imei(const std::string&) override { return true; }
  Result<std::string> offer(const std::string& token) override {
    transfer_ = Transfer();
    transfer_.size = 1000;
    transfer_.released = false;
    return "http://192.168.1.10:8480/a/" + token + "/d.bin";
  }
  [[nodiscard]] Transfer transfer() const override { return transfer_; }
  void release_last_byte() override {
    model_->require(has_place_, "the last byte left, and it has no place to reboot");
    model_->released();
    transfer_.released = transfer_.complete = true;
  }
  bool void_token() override {
    transfer_ = Transfer();
    return model_->voided();
  }
  Awaitable<Result<void>> commit(Checkpoint checkpoint) override {
    waiting_ = checkpoint;
    while (disk_ == Disk::waits) co_await sleep_for(life_->loop, kSoon);
    waiting_.reset();
    if (disk_ == Disk::fails) co_return Error(Errc::no_space, "disk full");
    put(checkpoint);
    co_return Result<void>();
  }
  void progress(const UpdateProgress&) override {}
  void attempt_failed(const UpdateError&, unsigned, std::optional<Clock::duration>) override {}
  Clock::duration backoff(unsigned) override { return std::chrono::seconds(3); }

 private:
  enum class Answers { right, error, nothing, noise };
  enum class Disk { writes, fails, waits };
  static constexpr double kListen = 1, kGap = 20;
  static constexpr auto kSoon = std::chrono::milliseconds(100);
  static constexpr int kPatience = 2000;  ///< seconds of the stepped clock

  struct Life {
    asio::io_context loop{1};
    Signal changed{loop};
    std::unique_ptr<ModulePort> port;
    std::unique_ptr<UpdateProcedure> procedure;
  };

  void begin() {
    life_ = std::make_unique<Life>();
    life_->port = std::make_unique<ModulePort>(life_->loop, module_.port(), LinkOptions(), life_->changed, "module m0");
    life_->procedure =
        std::make_unique<UpdateProcedure>(life_->loop, *life_->port, order_, profiles_, timeouts_, *this);
    auto entry = on_disk_;
    entry.age = Clock::now() - put_at_;
    entry.pause = std::max(Clock::duration::zero(), entry.pause - entry.age);
    asio::co_spawn(life_->loop, life_->procedure->run(entry), [this](std::exception_ptr bug, UpdateResult result) {
      if (bug) std::rethrow_exception(bug);
      look();
      model_->ended(result);
      if (result.outcome == Outcome::succeeded) {
        model_->require(version_told_ == kNew && result.version == kNew, "succeeded, and it told another version");
      }
    });
    settle();
  }

  void die(bool on_disk) {
    life_.reset();
    has_place_ = false;
    module_.pump();
    if (on_disk && waiting_) put(*waiting_);
    waiting_.reset();
    transfer_ = Transfer();
    model_->died();
    begin();
  }

  void put(const Checkpoint& checkpoint) {
    look();
    model_->committed(checkpoint);
    on_disk_ = checkpoint;
    put_at_ = Clock::now();
  }

  void turn_port() {
    if (module_.plugged()) {
      module_.unplug();
    } else {
      module_.plug();
    }
  }

  /// The gateway has read it when this returns, if it has the port open.
  void say(const std::string& line) {
    settle();
    if (module_.say("\r\n" + line + "\r\n")) model_->said(line);
  }

  void pass(unsigned seconds) {
    for (unsigned i = 0; i < seconds && fault().empty(); ++i) {
      clock_.advance(std::chrono::seconds(1));
      model_->now += 1;
      settle();
    }
  }

  void settle() {
    for (int quiet = 0; quiet < 3;) {
      life_->loop.restart();
      bool any = look();
      while (life_->loop.poll_one() > 0) {
        look();
        any = true;
      }
      quiet = any ? 0 : quiet + 1;
      if (!any) std::this_thread::yield();
    }
  }

  /// What was written is judged and answered in the order in which it came.
  bool look() {
    const auto connections = module_.connections();
    const bool any = module_.pump();
    if (module_.connections() != connections) model_->port_opened();
    while (const auto line = module_.next_line()) {
      model_->wrote(*line);
      answer(*line);
    }
    return any;
  }

  void answer(const std::string& line) {
    if (answers_ == Answers::nothing) return;
    if (answers_ == Answers::noise) {
      module_.say("\r\n\x02?\r\n");
      return;
    }
    const bool ok = answers_ == Answers::right;
    const auto text = ok ? right_answer(line) : std::string("\r\nERROR\r\n");
    if (!module_.say(text)) return;
    if (ok && line == "ATI") version_told_ = version_;
    model_->answered(line, ok);
  }

  [[nodiscard]] std::string right_answer(const std::string& line) const {
    std::string lines;
    if (line == "ATI") lines = "\r\nQuectel\r\nUC20\r\nRevision: " + version_ + "\r\n";
    if (line == "AT+GSN") lines = "\r\n861234567890127\r\n";
    if (line == "AT+CPIN?") lines = "\r\n+CPIN: READY\r\n";
    if (line == "AT+CREG?") lines = "\r\n+CREG: 0,1\r\n";
    if (line.starts_with("AT+QFLST=")) lines = "\r\n+QFLST: \"UFS:d.bin\",1000\r\n";
    return lines + "\r\nOK\r\n";
  }

  SteppedClock clock_;
  TcpModule module_;
  Profiles profiles_ = builtin_profiles();
  UpdateOrder order_;
  TimeoutsConfig timeouts_;
  std::optional<UpdateModel> model_;
  Answers answers_ = Answers::right;
  Disk disk_ = Disk::writes;
  Permission permission_ = Permission::go;
  bool room_ = true, has_place_ = false;  ///< to reboot
  std::string version_ = kOld, version_told_;
  Transfer transfer_;
  Checkpoint on_disk_;
  Clock::time_point put_at_ = Clock::now();
  std::optional<Checkpoint> waiting_;  ///< for the disk
  std::unique_ptr<Life> life_;
};

}  // namespace dfota::test
