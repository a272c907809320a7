// The AT side of one module, without I/O: bytes in, command lines out; a command line in, the answer out. Written apart
// from the gateway's parser on purpose.   host: AT+GSN\r   module: AT+GSN\r\r\n861850030000007\r\n\r\nOK\r\n
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "modem/simulator/family.hpp"
#include "modem/simulator/faults.hpp"
#include "modem/simulator/file_system.hpp"
#include "modem/simulator/fota_order.hpp"

namespace dfota::sim {

inline constexpr size_t kMaxCommandBytes = 1024;

/// What a boot resets.
struct AtSettings {
  bool echo = true;
  int cmee = 0;
};

/// As AT+QICSGP sets it and tells it; the type is 0 until then.
struct PdpContext {
  int type = 0;
  std::string apn;
  std::string user;
  std::string password;
  int authentication = 0;
};

/// What it answers from.
struct AtSubject {
  std::string model;
  std::string version;
  std::string imei;
  int fota_cid = 1;
  bool busy = false;  ///< an AT+QFOTADL is under way
  int fota_pid = 1;
  int sim_questions = 0;           ///< AT+CPIN?, counted while the SIM is busy
  int registration_questions = 0;  ///< AT+CREG?, AT+CGREG? and AT+CEREG?, counted while unregistered
  std::map<int, PdpContext> contexts{};
  std::set<int> active_contexts{1};
  std::string http_url{};                  ///< as AT+QHTTPURL was given it; empty: it was not
  std::optional<std::string> http_body{};  ///< what AT+QHTTPGET has fetched, and AT+QHTTPREAD has not read
  FileSystem* files = nullptr;
  Family family{};
  bool has_efs_package = false;
};

/// An accepted AT+QFUPL.
struct UploadOrder {
  std::string name;
  uint64_t size_bytes = 0;
  int timeout_s = 0;
  bool acknowledged = false;
};

/// An accepted AT+QHTTPURL (so many bytes come next), AT+QHTTPGET or AT+QHTTPREAD.
struct HttpOrder {
  enum class Verb { url, get, read } verb = Verb::url;
  uint64_t url_bytes = 0;
  int timeout_s = 0;
};

struct AtAnswer {
  std::string text;                 ///< framed for ATV1
  std::optional<FotaOrder> update;  ///< an accepted AT+QFOTADL
  std::optional<UploadOrder> upload;
  std::optional<HttpOrder> http{};
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
/// What stands behind AT+QFOTADL=, whatever it is; nothing for every other command and for =?.
std::optional<std::string> qfotadl_arguments(std::string_view command);
AtAnswer answer(std::string_view command, const Behaviour& behaviour, AtSettings& settings, AtSubject& subject);

AtAnswer at_ok(const std::string& text = "");
/// In the form that AT+CMEE asks for.
AtAnswer at_error(int code, const AtSettings& settings);
std::string at_upper(std::string_view text);
/// What stands between the commas, without its quotes.
std::vector<std::string> at_values(std::string_view text);
/// "\r\n<text>\r\n", as every URC and every answer is framed.
std::string framed(std::string_view text);

}  // namespace dfota::sim
