// A module that plays whole updates by itself, a stage with each step() of the test, and says what was wrong with what
// it was told: a word while it flashes, a second AT+QFOTADL beside the first. For tests with very many updates of a
// gateway. Test's thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "tests/support/tcp_module.hpp"

namespace dfota::test {

constexpr auto kOldVersion = "UC20GQBR03A11E1G", kNewVersion = "UC20GQBR03A12E1G";

class QuickModule {
 public:
  /// What becomes of an AT+QFOTADL.
  enum class Fate {
    succeeds,
    says_little,     ///< downloads, flashes without a word, and boots
    refuses,         ///< ERROR
    transfer_fails,  ///< HTTPEND,716 in the middle
    never_asks,      ///< OK, and no request
    end_fails,       ///< END,504, and the old version
    dies,            ///< silent from its last byte on, until its port went and came back
  };
  static constexpr int kFates = 7;

  struct Order {
    std::string job;    ///< of the address: its file is called so
    std::string token;  ///< empty: from its own file system
  };

  QuickModule(std::string id, std::string imei) : id_(std::move(id)), imei_(std::move(imei)) {}

  std::function<void(QuickModule&, const Order&)> on_order;
  std::function<void(const Order&)> on_flash;  ///< it has all of its delta
  std::function<void(const std::string&)> on_fault;

  [[nodiscard]] const std::string& id() const { return id_; }
  [[nodiscard]] std::string port() const { return line_.port(); }
  [[nodiscard]] const std::string& version() const { return version_; }
  [[nodiscard]] const Order& order() const { return order_; }
  /// From an order until its attempt is over, as far as the module knows.
  [[nodiscard]] bool busy() const { return state_ != State::idle; }
  [[nodiscard]] bool downloading() const { return state_ == State::downloading; }
  /// It has all of its delta, or the order itself was all it needed.
  [[nodiscard]] bool may_flash() const { return state_ == State::flashing || state_ == State::dead; }
  [[nodiscard]] bool plugged() const { return line_.plugged(); }
  [[nodiscard]] const TcpDownload* download() const { return download_.get(); }

  void fates(Fate next) { fate_ = next; }
  void plug() { line_.plug(); }
  void unplug() {
    line_.unplug();
    if (state_ == State::dead) wake_up();
    if (state_ == State::downloading) give_up_download();
  }
  /// As a person does who cycles its power. What flashes goes on.
  void revive() {
    unplug();
    plug();
  }

  bool pump() {
    bool any = line_.pump();
    while (const auto line = line_.next_line()) answer(*line);
    if (download_ && download_->pump()) any = true;
    if (state_ == State::downloading && download_ && download_->bytes() == size_) begin_to_flash();
    if (state_ == State::downloading && download_ && download_->ended()) give_up_download();
    return any;
  }

  /// The gateway has voided the token, and the module, which never asked, does not know.
  void forget_order() {
    if (state_ == State::downloading && !download_) state_ = State::idle;
  }

  /// One stage on.
  void step() {
    ++stage_;
    if (state_ == State::downloading && plan_ == Fate::transfer_fails) {
      give_up_download();
      line_.say("\r\n+QIND: \"FOTA\",\"HTTPEND\",716\r\n");
    } else if (state_ == State::flashing) {
      flash();
    }
  }

  /// Of the delta, and where it is got from.
  void learn(std::uint16_t server, std::uint64_t size) {
    server_ = server;
    size_ = size;
  }

 private:
  enum class State { idle, downloading, flashing, dead };

  void answer(const std::string& line) {
    if (state_ == State::dead) {
      if (line != "AT") on_fault(id_ + ": " + line + " was written while it may be flashing");
      return;
    }
    if (state_ == State::flashing) {
      if (line != "AT" && stage_ < kBooted) on_fault(id_ + ": " + line + " was written while it flashes");
      return;
    }
    if (line.starts_with("AT+QFOTADL=")) {
      take_order(line);
    } else if (line == "ATI") {
      line_.say("\r\nQuectel\r\nUC20\r\nRevision: " + version_ + "\r\n\r\nOK\r\n");
    } else if (line == "AT+GSN") {
      line_.say("\r\n" + imei_ + "\r\n\r\nOK\r\n");
    } else if (line == "AT+CPIN?") {
      line_.say("\r\n+CPIN: READY\r\n\r\nOK\r\n");
    } else if (line == "AT+CREG?") {
      line_.say("\r\n+CREG: 0,1\r\n\r\nOK\r\n");
    } else if (line == "AT+QCFG=\"fota/cid\"") {
      line_.say("\r\n+QCFG: \"fota/cid\",1\r\n\r\nOK\r\n");
    } else if (line == "AT+QFLST=\"UFS:" + name_of(line) + "\"") {
      line_.say("\r\n+QFLST: \"UFS:" + name_of(line) + "\",1000\r\n\r\nOK\r\n");
    } else {
      line_.say("\r\nOK\r\n");
    }
  }

  static std::string name_of(const std::string& line) {
    const auto from = line.find(':'), to = line.rfind('"');
    return from == std::string::npos || to == std::string::npos || to <= from ? std::string()
                                                                              : line.substr(from + 1, to - from - 1);
  }

  /// AT+QFOTADL="HTTP://127.0.0.1:8480/a/<token>/<job>.bin", or AT+QFOTADL="UFS:<job>.bin".
  void take_order(const std::string& line) {
    const auto slash = line.rfind('/'), colon = line.rfind(':');
    const bool local = slash == std::string::npos;
    const auto name = line.substr((local ? colon : slash) + 1);
    order_ = {name.substr(0, name.find('.')), local ? "" : line.substr(line.find("/a/") + 3, 32)};
    plan_ = fate_;
    stage_ = 0;
    on_order(*this, order_);
    if (plan_ == Fate::refuses) {
      state_ = State::idle;
      line_.say("\r\nERROR\r\n");
      return;
    }
    line_.say("\r\nOK\r\n");
    if (local) {
      begin_to_flash();
      return;
    }
    state_ = State::downloading;
    line_.say("\r\n+QIND: \"FOTA\",\"HTTPSTART\"\r\n");
    download_.reset();
    if (plan_ == Fate::never_asks) return;
    const auto path = line.substr(line.find("/a/"));
    download_ = std::make_unique<TcpDownload>(server_, path.substr(0, path.size() - 1));
  }

  void give_up_download() {
    state_ = State::idle;
    download_.reset();
  }

  void begin_to_flash() {
    download_.reset();
    stage_ = 0;
    state_ = plan_ == Fate::dies ? State::dead : State::flashing;
    on_flash(order_);
  }

  void wake_up() { state_ = State::idle; }

  void flash() {
    const bool quiet = plan_ == Fate::says_little;
    const auto say = [this](const std::string& stage) { line_.say("\r\n+QIND: \"FOTA\",\"" + stage + "\r\n"); };
    switch (stage_) {
      case 1:
        if (!quiet && !order_.token.empty()) say("HTTPEND\",0");
        break;
      case 2:
        if (!quiet) say("START\"");
        break;
      case 3:
        if (!quiet) say("UPDATING\",50");
        break;
      case kBooted:
        if (plan_ != Fate::end_fails) {
          version_ = version_ == kOldVersion ? kNewVersion : kOldVersion;
        }
        if (!quiet) say(plan_ == Fate::end_fails ? "END\",504" : "END\",0");
        line_.say("\r\nRDY\r\n");
        state_ = State::idle;
        break;
      default:
        break;
    }
  }

  static constexpr int kBooted = 4;

  std::string id_, imei_, version_ = kOldVersion;
  TcpModule line_;
  State state_ = State::idle;
  Fate fate_ = Fate::succeeds, plan_ = Fate::succeeds;
  int stage_ = 0;
  Order order_;
  std::unique_ptr<TcpDownload> download_;
  std::uint16_t server_ = 0;
  std::uint64_t size_ = 0;
};

}  // namespace dfota::test
