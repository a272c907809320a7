// One opening of a module's port: a long-lived reader feeds the parser, one command is in flight at a time, and URCs
// are kept in the order in which they came. When the port hangs up this object is spent; ModulePort opens the next one.
// Loop thread only.
//
//   > AT+QFOTADL="HTTP://192.168.1.10:8480/a/<token>/delta.bin"\r        < \r\nOK\r\n
//                                                                        < \r\n+QIND: "FOTA","HTTPSTART"\r\n   (a URC)
//   > AT+QFUPL="UFS:d",1208,5,1\r   < CONNECT   > 1,208 bytes   < A   < +QFUPL: 1208,5769   < OK
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "modem/at_parser.hpp"
#include "modem/data_source.hpp"
#include "modem/port_observer.hpp"
#include "transport/base/signal.hpp"
#include "transport/link.hpp"

namespace dfota {

struct AtReply {
  AtEvent::Kind final = AtEvent::Kind::ok;  ///< ok, error, cme_error, cms_error; connect: it wants data and gets none
  std::vector<std::string> lines;           ///< what stood before the final line
  std::string text;                         ///< the final line as it came
  std::optional<int> code;                  ///< of +CME ERROR and +CMS ERROR
  [[nodiscard]] bool ok() const { return final == AtEvent::Kind::ok; }
};

class AtPort {
 public:
  static constexpr std::size_t kMaxReplyLines = 200;  ///< an answer that goes on is cut here
  static constexpr std::size_t kMaxUrcs = 1000;       ///< the oldest unread ones are dropped beyond it

  /// `changed` is notified when a URC, a final line or the hang-up came; it must outlive this object.
  AtPort(asio::io_context& loop, std::unique_ptr<Link> link, Signal& changed, std::string subject);
  ~AtPort();  ///< closes the port at once
  AtPort(const AtPort&) = delete;
  AtPort& operator=(const AtPort&) = delete;

  /// Sends `text` and CR, and waits for the final line. Errors: link_lost, timeout (late lines of it are then noise). A
  /// refusal of the module is a reply, not an error.
  Awaitable<Result<AtReply>> command(std::string text, Clock::duration limit);

  /// A command that takes data: sends `text`, and after CONNECT what `source` gives, as the link takes it; then waits
  /// for the final line. A final line without CONNECT, or in the middle of the data, is a reply like any other. Errors:
  /// link_lost (also: it restarted in the middle), timeout, and those of the source. After an error in the middle the
  /// module still takes what comes as data until its own time-out. `source` must outlive the call.
  Awaitable<Result<AtReply>> send_data(std::string text, DataSource& source, DataLimits limits);

  /// Writes bytes that no command asked for and nothing acknowledges, as the link takes them: the stream that
  /// AT+QFOTADL="FILE:<n>" wants after FILESTART. What the module says meanwhile is heard as always. `bytes` must
  /// outlive the call. Errors: link_lost; timeout: not all was taken in time; busy: a command is in flight.
  Awaitable<Result<void>> write_raw(std::string_view bytes, Clock::duration limit);

  /// Tells it of all that comes and goes from now on; null: nobody. It must outlive this object, or be taken back.
  void observe(PortObserver* observer);

  [[nodiscard]] bool lost() const;
  /// Closes the port at once, from wherever: a command in flight ends as if the module had hung up.
  void hang_up();
  /// The next line that nobody asked for, oldest first: URCs, and noise that may be what is left of one.
  std::optional<std::string> take_unsolicited();
  [[nodiscard]] Clock::time_point opened_at() const { return opened_at_; }
  /// When the last byte was read; opened_at() when none was.
  [[nodiscard]] Clock::time_point last_heard() const;

 private:
  struct State;
  static Awaitable<> read_on(std::shared_ptr<State> state);
  static void take(State& state, AtEvent event);
  static Awaitable<Result<void>> stream(std::shared_ptr<State> state, DataSource& source, Clock::duration limit);
  static void begin(State& state, const std::string& text);
  static Result<AtReply> end(State& state, Result<void> sent);

  std::shared_ptr<State> state_;
  Clock::time_point opened_at_;
};

}  // namespace dfota
