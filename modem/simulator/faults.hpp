// How a simulated module misbehaves. One --fault is SPEC = [WHICH:]NAME[=VALUE][,NAME[=VALUE]...] with WHICH = m3,
// m2-m5 or all; several add up, the later one wins. The table in faults.cpp is the grammar, the --help text and the
// README's source.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "modem/simulator/http_download.hpp"
#include "transport/base/result.hpp"

namespace dfota::sim {

struct PercentCode {
  int percent = 0;
  int code = 0;
};

enum class Refusal { none, error, cme };
enum class Sim { ready, pin, absent, failure, busy };

/// What one module does at one attempt; an empty optional or false is a healthy module.
struct Behaviour {
  Habits client;
  std::optional<int> httpend;
  std::optional<int> ftpend;
  std::optional<PercentCode> httpend_after;
  std::optional<PercentCode> ftpend_after;
  std::optional<int> end;
  bool no_start = false;
  bool no_request = false;
  std::optional<int> no_request_code;
  bool lost_start = false;
  bool lost_updating = false;
  bool lost_end = false;
  std::optional<int> stall;
  std::optional<int> stall_download;
  std::optional<int> hangup_download;
  std::optional<int> reboot_download;
  std::optional<int> power_down_download;
  std::optional<int> power_down;
  std::optional<int> low_voltage;
  bool no_return = false;
  bool keep_old = false;
  std::string wrong_version;
  bool end_twice = false;
  bool percent_back = false;
  bool percent_uneven = false;
  bool https_names = false;
  bool garbage_boot = false;
  bool boot_noise = false;
  bool split_writes = false;
  bool echo_crcrlf = false;
  bool echo_always = false;
  bool urc_in_answer = false;
  bool no_answer = false;
  bool uart = false;
  bool absent = false;
  Refusal refuse = Refusal::none;
  int refuse_cme = 0;
  Sim sim = Sim::ready;
  int sim_busy_times = 0;           ///< 0: for ever
  std::optional<int> unregistered;  ///< for so many questions; 0: for ever
  bool no_pdp = false;
  bool qgmr_long = false;
  bool qflst_bare = false;
  int ufs_bytes = 16 << 20;
  bool corrupt_upload = false;
  bool no_flow_control = false;
  std::string imei;
  std::string model;
  std::string version;
};

/// One --fault: for which modules, for how many AT+QFOTADL, and what.
class Fault {
 public:
  /// Errc::invalid names the word that is wrong, and what may stand there.
  static Result<Fault> parse(std::string_view spec);

  /// Does it apply to module `index` at its `attempt`th AT+QFOTADL (0: before the first)?
  [[nodiscard]] bool applies(int index, int attempt) const;
  void apply(Behaviour& behaviour) const;

 private:
  struct Setting {
    size_t row;
    std::string value;
  };
  Result<void> take_which(std::string_view which);
  Result<void> take_setting(std::string_view setting);

  int first_ = 0;
  int last_ = 0;
  bool all_ = true;
  int times_ = 0;
  std::vector<Setting> settings_;
};

Behaviour behaviour_of(const std::vector<Fault>& faults, int index, int attempt);
/// The table of names for --help, one line a name.
std::string fault_help();

}  // namespace dfota::sim
