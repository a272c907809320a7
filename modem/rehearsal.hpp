// What a download would be like: the module fetches a small file by its own HTTP client over the PDP context that
// AT+QFOTADL uses, with nothing at stake. Sequence and codes: Quectel's HTTP(S) AT command manuals (UC20, EC20, EC2x).
// The body is read out over the port (AT+QHTTPREAD): a module buffers it no further than its TCP window, and only what
// was read has come through the air. Loop thread only.
//
//   > AT+QHTTPCFG="contextid",1      < OK
//   > AT+QHTTPCFG="responseheader",0 < OK
//   > AT+QIACT?                      < +QIACT: 1,1,1,"10.64.0.7"  OK     (else AT+QIACT=1, and AT+QIDEACT=1 at the end)
//   > AT+QHTTPURL=68,30              < CONNECT   > the address   < OK
//   > AT+QHTTPGET=80                 < OK   < +QHTTPGET: 0,200,32768
//   > AT+QHTTPREAD=60                < CONNECT   < the file   < OK   < +QHTTPREAD: 0
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "modem/dialogue.hpp"
#include "modem/update_types.hpp"

namespace dfota {

struct Rehearsed {
  std::optional<int> http_status;    ///< as the module tells it
  std::optional<UpdateError> error;  ///< nothing: the file was fetched and read
};

class Rehearsal {
 public:
  static constexpr auto kAskLimit = std::chrono::seconds(10);
  static constexpr auto kActivateLimit = std::chrono::seconds(150);  ///< the manuals' own, as the next one
  static constexpr auto kDeactivateLimit = std::chrono::seconds(40);
  static constexpr auto kGetLimit = std::chrono::seconds(80);
  static constexpr auto kReadLimit = std::chrono::seconds(180);  ///< 32 KiB at 200 bytes a second
  static constexpr auto kPacketSeconds = 60;                     ///< the module waits so long for each piece
  static constexpr auto kGrace = std::chrono::seconds(5);

  /// `hear` reads what the module says by itself and gives hear() what it does not know. All must outlive it.
  Rehearsal(ModulePort& port, Dialogue& dialogue, std::function<void()> hear)
      : port_(port), dialogue_(dialogue), hear_(std::move(hear)) {}

  /// Once. The module was synchronised, and can download as far as check_network() tells.
  Awaitable<Rehearsed> run(int cid, std::string url);

  /// A line that nobody asked for.
  void hear(const std::string& line);

 private:
  Awaitable<bool> activate(int cid, bool& activated);
  Awaitable<> fetch(std::string url);
  Awaitable<bool> give_address(const std::string& url);
  Awaitable<> wait_for_get();
  Awaitable<bool> ask(std::string command, Clock::duration limit);
  bool passed(const std::string& command, const Result<AtReply>& reply);
  void fail(Finding finding, std::string message);

  ModulePort& port_;
  Dialogue& dialogue_;
  std::function<void()> hear_;
  Rehearsed result_;
  std::optional<int> get_error_;  ///< of +QHTTPGET: 0, or a 7xx
};

}  // namespace dfota
