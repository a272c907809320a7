// Bytes of a module in, lines with their meaning out. No I/O and no clock: testable at every split of every transcript.
// It knows echo, split reads, CR/LF mixes, NULs, boot garbage, URCs in the middle of an answer, and lines without an
// end (bounded).
//
//   AT+GSN\r\r\n861234567890123\r\n\r\nOK\r\n   ->   echo dropped, info "861234567890123", ok
//   CONNECT\r\nAA\r\n+QFUPL: 2048,5769\r\nOK\r\n     ->   connect, ack, ack, info "+QFUPL: 2048,5769", ok
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dfota {

struct AtEvent {
  enum class Kind {
    ok,         ///< final: OK
    error,      ///< final: ERROR
    cme_error,  ///< final: +CME ERROR: <n or text>
    cms_error,  ///< final: +CMS ERROR: <n or text>
    connect,    ///< CONNECT: the command takes data now; its final line is still to come
    ack,        ///< the single A, without an end of line, that acknowledges 1,024 bytes of the data
    info,       ///< a line of the answer to the command in flight
    urc,        ///< unsolicited, wherever it stood
    noise,      ///< neither: boot garbage, a stranger's answer, an overlong line (its beginning)
  };
  Kind kind;
  std::string text;         ///< the line, printable characters only; without the garbage before a known URC
  std::optional<int> code;  ///< of +CME ERROR and +CMS ERROR, when it is a number
};

class AtParser {
 public:
  static constexpr std::size_t kMaxLine = 1024;  ///< longer lines are cut here and reported once as noise

  /// From now on lines belong to the answer of `command` (without its CR) until a final line. Its echo is dropped. From
  /// CONNECT on, which only counts in a command and once, each A at the beginning of a line is an acknowledgement.
  void begin_command(std::string_view command);
  /// The answer is not waited for any more; late lines of it come as noise (or urc).
  void end_command();
  [[nodiscard]] bool in_command() const { return in_command_; }

  /// Takes what was read, any split; gives the events that it completed, in order.
  std::vector<AtEvent> feed(std::string_view bytes);
  /// Forgets a half line: the port was opened anew.
  void reset();

 private:
  void finish_line(std::vector<AtEvent>& events);
  /// `piece` is a line, or what stands before a +QIND on the same line, or one of several +QIND.
  void take_piece(std::string_view piece, bool before_qind, std::vector<AtEvent>& events);
  [[nodiscard]] std::optional<AtEvent> as_final(std::string_view line) const;
  [[nodiscard]] std::optional<AtEvent> as_urc(std::string_view line) const;

  std::string line_;
  bool overlong_ = false;
  bool in_command_ = false;
  bool in_data_ = false;
  bool after_ack_ = false;  ///< an A was taken off the beginning of this line
  std::string command_;
};

}  // namespace dfota
