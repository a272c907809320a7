// The AT side of one module, without I/O: bytes in, command lines out; a command line in, the answer out. Written apart
// from the gateway's parser on purpose.   host: AT+GSN\r   module: AT+GSN\r\r\n861850030000007\r\n\r\nOK\r\n
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "modem/simulator/faults.hpp"
#include "modem/simulator/http_message.hpp"

namespace dfota::sim {

inline constexpr size_t kMaxCommandBytes = 1024;

/// What a boot resets.
struct AtSettings {
  bool echo = true;
  int cmee = 0;
};

/// What it answers from.
struct AtSubject {
  std::string model;
  std::string version;
  std::string imei;
  int fota_cid = 1;
  bool busy = false;  ///< an AT+QFOTADL is under way
};

struct AtAnswer {
  std::string text;        ///< framed for ATV1
  std::optional<Url> url;  ///< of an accepted AT+QFOTADL
};

/// Cuts the byte stream into command lines at CR; LF and other control characters are ignored. A line over the bound is
/// dropped whole.
class AtLines {
 public:
  std::vector<std::string> feed(std::string_view bytes);

 private:
  std::string line_;
  bool overlong_ = false;
};

/// The command without what stands before its "AT"; nothing when there is no "AT".
std::optional<std::string> command_in(std::string_view line);
/// The text between the quotes of AT+QFOTADL="...", whatever it is; nothing for every other command and for =?.
std::optional<std::string> qfotadl_target(std::string_view command);
AtAnswer answer(std::string_view command, const Behaviour& behaviour, AtSettings& settings, AtSubject& subject);
/// "\r\n<text>\r\n", as every URC and every answer is framed.
std::string framed(std::string_view text);

}  // namespace dfota::sim
