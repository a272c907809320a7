// The laws 1 to 5 of one update, written from the contract and apart from danger.hpp and the procedure: fed with what
// was journalled, written to the module and said by it, in this order. What was wrong first stands in fault(). Times in
// seconds of the test's clock.
#pragma once

#include <optional>
#include <string>

#include "modem/update_types.hpp"

namespace dfota::test {

class UpdateModel {
 public:
  UpdateModel(bool http, double listen, double gap, unsigned attempts)
      : http_(http), listen_(listen), gap_(gap), attempts_(attempts) {}

  double now = 0;

  [[nodiscard]] const std::string& fault() const { return fault_; }
  void require(bool holds, const std::string& what) {
    if (!holds && fault_.empty()) fault_ = "at " + std::to_string(static_cast<int>(now)) + " s: " + what;
  }
  /// A command was written, and neither the module's word nor a void token has ended that attempt.
  [[nodiscard]] bool is_open() const { return open_; }

  void committed(const Checkpoint& checkpoint) {
    require(!over_, "journalled after the result");
    require(checkpoint.step == Step::preparing || checkpoint.attempt <= attempts_, "one attempt too many");
    const bool another =
        disk_.step == Step::preparing || checkpoint.attempt != disk_.attempt || checkpoint.token != disk_.token;
    if (checkpoint.step != Step::preparing && !no_cost_) {
      require(checkpoint.attempt >= highest_, "the attempts are counted backwards");
    }
    if (another) command_due_ = checkpoint.step == (http_ ? Step::commanded : Step::released);
    if (checkpoint.step != Step::preparing) {
      highest_ = checkpoint.attempt;
      no_cost_ = false;
    } else if (checkpoint.attempt < highest_) {
      no_cost_ = true;  // journalled as one that was not made after all
    }
    disk_ = checkpoint;
  }

  void wrote(const std::string& line) {
    require(!over_, line + " was written after the result");
    require(now >= opened_at_ + listen_, line + " was written before the port was listened to (law 4)");
    if (line.starts_with("AT+QFOTADL=")) return commanded(line);
    if (line == "AT" && !may_speak()) {
      require((open_ && disk_.step == Step::released) || says_it_has_all_,
              "a bare AT, and only listening is allowed (law 3)");
      require(now >= last_sound_ + gap_, "a bare AT before the silence was long enough (law 3)");
      last_sound_ = now;
      asked_ = true;
      return;
    }
    require(may_speak(), line + " was written, and it may be flashing (law 3)");
  }

  /// The module's answer to the command written last.
  void answered(const std::string& line, bool ok) {
    if (line.starts_with("AT+QFOTADL=")) {
      if (!ok) close();
    } else if (line == "AT" && ok && std::exchange(asked_, false)) {
      answers_ = true;
    }
  }

  /// What the module said by itself, and the gateway read.
  void said(const std::string& line) {
    last_sound_ = now;
    asked_ = false;
    const auto has = [&](const char* stage) { return line.find(stage) != std::string::npos; };
    const bool end_of_transfer = has("\"HTTPEND\"") || has("\"FTPEND\"") || has("\"FILEEND\"");
    says_it_has_all_ = says_it_has_all_ || end_of_transfer;
    if (has("\"START\"") || has("\"UPDATING\"") || has("\"RESTORE\"")) {
      flashes_ = says_it_has_all_ = true;
      answers_ = false;
      asked_from_.reset();
    } else if (end_of_transfer && !line.ends_with(",0")) {
      close();
    } else if (has("\"END\"")) {
      open_ = false;
      asked_from_ = now + listen_;
    } else if (line == "RDY" || line == "APP RDY" || line.starts_with("+CPIN:")) {
      asked_from_ = now + listen_;
    }
  }

  void port_opened() { opened_at_ = last_sound_ = now; }
  void released() {
    require(disk_.step == Step::released, "the last byte left, and \"released\" is not on the disk (law 2)");
    last_byte_left_ = true;
    last_sound_ = now;
  }
  /// Whether that ends the attempt with certainty.
  bool voided() {
    const bool certain = http_ && !last_byte_left_ && disk_.step != Step::released;
    if (certain) close();
    return certain;
  }
  /// The gateway died: it knows what is on the disk, and has to listen anew.
  void died() {
    // What flashed before, and is silent while it is listened to, nobody can know of (law 4).
    asked_ = answers_ = flashes_ = command_due_ = false;
    asked_from_.reset();
    if (disk_.step == Step::commanded) no_cost_ = true;
    if (disk_.step == Step::released) open_ = true;
  }

  void ended(const UpdateResult& result) {
    require(!over_, "a second result");
    over_ = true;
    const auto is = [&](Outcome outcome) { return result.outcome == outcome; };
    const bool danger = open_ && (!http_ || last_byte_left_ || disk_.step == Step::released);
    require(!is(Outcome::canceled) || !danger, "canceled, and it may be flashing");
    require(!is(Outcome::rejected) || !danger, "rejected, and it may be flashing");
    require(!is(Outcome::skipped) || commands_ == 0, "skipped after a command");
  }
  [[nodiscard]] bool over() const { return over_; }
  [[nodiscard]] unsigned commands() const { return commands_; }

 private:
  [[nodiscard]] bool may_speak() const {
    if (answers_ || (asked_from_ && now >= *asked_from_)) return true;
    return !flashes_ && !open_;
  }

  void commanded(const std::string& line) {
    require(command_due_, "AT+QFOTADL that is not in the journal, or is written a second time (laws 1 and 2)");
    require(disk_.step == (http_ ? Step::commanded : Step::released), "AT+QFOTADL without its step (law 2)");
    require(!http_ || line.find(disk_.token) != std::string::npos, "AT+QFOTADL with another token than the journal's");
    require(!open_, "AT+QFOTADL, and the one before may flash (law 1)");
    require(!flashes_, "AT+QFOTADL, and somebody flashes it (law 4)");
    command_due_ = last_byte_left_ = answers_ = says_it_has_all_ = false;
    asked_from_.reset();
    open_ = true;
    last_sound_ = now;
    ++commands_;
  }

  void close() { open_ = flashes_ = false; }

  const bool http_;
  const double listen_, gap_;
  const unsigned attempts_;
  std::string fault_;
  Checkpoint disk_;
  bool command_due_ = false, open_ = false, flashes_ = false, last_byte_left_ = false, no_cost_ = false, over_ = false;
  bool says_it_has_all_ = false;      ///< its own word, whatever our server knows
  bool asked_ = false;                ///< by a bare AT in a silence
  bool answers_ = false;              ///< that one
  std::optional<double> asked_from_;  ///< it has booted or ended, and will have settled
  double opened_at_ = 0, last_sound_ = 0;
  unsigned highest_ = 0, commands_ = 0;
};

}  // namespace dfota::test
