#include "modem/simulator/faults.hpp"

#include <algorithm>
#include <charconv>

namespace dfota::sim {
namespace {

constexpr int kMaxTimes = 1'000'000;

bool whole_number(std::string_view text, int& value) {
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  return !text.empty() && failure == std::errc() && end == text.data() + text.size();
}

bool in_range(std::string_view text, int& value, int low, int high) {
  return whole_number(text, value) && value >= low && value <= high;
}

bool take_code(std::string_view text, std::optional<int>& code) {
  int value = 0;
  if (!whole_number(text, value)) return false;
  code = value;
  return true;
}

bool take_percent(std::string_view text, std::optional<int>& percent) {
  int value = 0;
  if (!in_range(text, value, 0, 100)) return false;
  percent = value;
  return true;
}

bool take_name(std::string_view text, std::string& name) {
  const auto allowed = [](unsigned char c) { return c > ' ' && c < 0x7f && c != '"'; };
  name = text;
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), allowed);
}

bool take_percent_code(std::string_view text, std::optional<PercentCode>& after) {
  const auto colon = text.find(':');
  PercentCode value;
  if (colon == std::string_view::npos || !in_range(text.substr(0, colon), value.percent, 0, 100) ||
      !whole_number(text.substr(colon + 1), value.code)) {
    return false;
  }
  after = value;
  return true;
}

bool take_refusal(std::string_view text, Behaviour& behaviour) {
  behaviour.refuse = text == "error" ? Refusal::error : Refusal::cme;
  return text == "error" || (text.substr(0, 4) == "cme:" && in_range(text.substr(4), behaviour.refuse_cme, 0, 99999));
}

bool take_no_request(std::string_view text, Behaviour& behaviour) {
  behaviour.no_request = true;
  return text.empty() || take_code(text, behaviour.no_request_code);
}

constexpr std::string_view kBusy = "busy:";

bool take_sim(std::string_view text, Behaviour& behaviour) {
  struct Name {
    std::string_view name;
    Sim sim;
  };
  static constexpr Name kNames[] = {
      {"pin", Sim::pin}, {"absent", Sim::absent}, {"failure", Sim::failure}, {"busy", Sim::busy}};
  behaviour.sim_busy_times = 0;
  if (text.substr(0, kBusy.size()) == kBusy) {
    behaviour.sim = Sim::busy;
    return in_range(text.substr(kBusy.size()), behaviour.sim_busy_times, 1, kMaxTimes);
  }
  const auto* found = std::find_if(std::begin(kNames), std::end(kNames), [text](auto& n) { return n.name == text; });
  if (found == std::end(kNames)) return false;
  behaviour.sim = found->sim;
  return true;
}

bool take_unregistered(std::string_view text, Behaviour& behaviour) {
  behaviour.unregistered = 0;
  return text.empty() || in_range(text, *behaviour.unregistered, 1, kMaxTimes);
}

bool take_bytes(std::string_view text, int& bytes) {
  return in_range(text, bytes, 1, 1 << 30);
}

enum class Takes { nothing, maybe, value };
using Setter = bool (*)(std::string_view, Behaviour&);
struct Row {
  std::string_view name;
  Takes takes;
  std::string_view value;
  std::string_view meaning;
  Setter set;
};

#define DFOTA_FLAG(member) [](std::string_view, Behaviour& b) { return b.member = true; }
#define DFOTA_WITH(take, member) [](std::string_view v, Behaviour& b) { return take(v, b.member); }
#define DFOTA_SECONDS(member) [](std::string_view v, Behaviour& b) { return in_range(v, b.client.member, 1, 86400); }

constexpr Row kRows[] = {
    {"client", Takes::value, "HABIT",
     "get, range0, chunks[:BYTES], chunks-keep[:BYTES], head, barelf, slow[:BYTES_PER_S], "
     "http10, resume",
     [](std::string_view v, Behaviour& b) { return take_habit(v, b.client); }},
    {"idle", Takes::value, "SECONDS",
     "HTTPEND,722 (FTPEND,609) when no byte came for so long (60; barelf 10); real seconds", DFOTA_SECONDS(idle_s)},
    {"total", Takes::value, "SECONDS", "HTTPEND,702 (FTPEND,609) when the download takes longer (3600); real seconds",
     DFOTA_SECONDS(total_s)},
    {"httpend", Takes::value, "CODE", "HTTPSTART, no request, HTTPEND,CODE", DFOTA_WITH(take_code, httpend)},
    {"httpend-after", Takes::value, "PERCENT:CODE", "drops the download at PERCENT: HTTPEND,CODE",
     DFOTA_WITH(take_percent_code, httpend_after)},
    {"ftpend-after", Takes::value, "PERCENT:CODE", "drops the download at PERCENT: FTPEND,CODE",
     DFOTA_WITH(take_percent_code, ftpend_after)},
    {"ftpend", Takes::value, "CODE", "FTPSTART, no request, FTPEND,CODE", DFOTA_WITH(take_code, ftpend)},
    {"no-start", Takes::nothing, "", "OK, then nothing at all", DFOTA_FLAG(no_start)},
    {"no-request", Takes::maybe, "CODE", "HTTPSTART but never a connection; with CODE: HTTPEND,CODE after 120 s",
     take_no_request},
    {"stall-download", Takes::value, "PERCENT", "stops reading at PERCENT for ever, the connection open",
     DFOTA_WITH(take_percent, stall_download)},
    {"hangup-download", Takes::value, "PERCENT", "the port vanishes at PERCENT for 3 s; the download goes on",
     DFOTA_WITH(take_percent, hangup_download)},
    {"reboot-download", Takes::value, "PERCENT", "resets at PERCENT: RDY, old version, the attempt is dead",
     DFOTA_WITH(take_percent, reboot_download)},
    {"end", Takes::value, "CODE", "flashing fails half-way: END,CODE, version unchanged", DFOTA_WITH(take_code, end)},
    {"lost-start", Takes::nothing, "", "START is not sent", DFOTA_FLAG(lost_start)},
    {"lost-updating", Takes::nothing, "", "no UPDATING is sent", DFOTA_FLAG(lost_updating)},
    {"lost-end", Takes::nothing, "", "updates, but END is not sent", DFOTA_FLAG(lost_end)},
    {"end-twice", Takes::nothing, "", "END is sent twice", DFOTA_FLAG(end_twice)},
    {"percent-back", Takes::nothing, "", "UPDATING falls from 60 to 40 once", DFOTA_FLAG(percent_back)},
    {"percent-uneven", Takes::nothing, "", "UPDATING 0, 2, 4, 6, 9, 13 and so on", DFOTA_FLAG(percent_uneven)},
    {"https-names", Takes::nothing, "", "HTTPSSTART and HTTPSEND instead of HTTPSTART and HTTPEND",
     DFOTA_FLAG(https_names)},
    {"stall", Takes::value, "PERCENT", "hangs for ever while flashing at PERCENT", DFOTA_WITH(take_percent, stall)},
    {"no-return", Takes::nothing, "", "never comes back from the reboot after HTTPEND,0", DFOTA_FLAG(no_return)},
    {"keep-old", Takes::nothing, "", "END,0 but the version is unchanged", DFOTA_FLAG(keep_old)},
    {"wrong-version", Takes::value, "V", "END,0 but the version is V", DFOTA_WITH(take_name, wrong_version)},
    {"garbage-boot", Takes::nothing, "", "binary garbage before the first URC after each boot",
     DFOTA_FLAG(garbage_boot)},
    {"boot-noise", Takes::nothing, "", "boot loader text and APP RDY between the boot URCs", DFOTA_FLAG(boot_noise)},
    {"split-writes", Takes::nothing, "", "each write leaves in pieces of 1 to 7 bytes", DFOTA_FLAG(split_writes)},
    {"echo", Takes::value, "crcrlf", "the echo ends with CR CR LF",
     [](std::string_view v, Behaviour& b) { return (b.echo_crcrlf = v == "crcrlf"); }},
    {"echo-always", Takes::nothing, "", "ATE0 is answered but has no effect", DFOTA_FLAG(echo_always)},
    {"urc-in-answer", Takes::nothing, "", "a URC stands in the middle of each answer", DFOTA_FLAG(urc_in_answer)},
    {"uart", Takes::nothing, "", "the port stays open over reboots", DFOTA_FLAG(uart)},
    {"no-answer", Takes::nothing, "", "silent to all commands", DFOTA_FLAG(no_answer)},
    {"refuse", Takes::value, "error|cme:N", "AT+QFOTADL is refused with ERROR or +CME ERROR: N", take_refusal},
    {"power-down-download", Takes::value, "PERCENT", "POWERED DOWN at PERCENT of the download; the port never returns",
     DFOTA_WITH(take_percent, power_down_download)},
    {"power-down", Takes::value, "PERCENT", "POWERED DOWN while flashing at PERCENT; the port never returns",
     DFOTA_WITH(take_percent, power_down)},
    {"low-voltage", Takes::value, "PERCENT", "+QIND: \"vbatt\",-1 while flashing at PERCENT, and goes on",
     DFOTA_WITH(take_percent, low_voltage)},
    {"sim", Takes::value, "pin|absent|failure|busy[:N]",
     "AT+CPIN? answers SIM PIN, or CME error 10, 13, or 14 (N times)", take_sim},
    {"unregistered", Takes::maybe, "N", "AT+CREG?, AT+CGREG? and AT+CEREG? answer 0,2 (the first N of them)",
     take_unregistered},
    {"no-pdp", Takes::nothing, "", "no PDP context is defined until AT+QICSGP defines one", DFOTA_FLAG(no_pdp)},
    {"qgmr", Takes::value, "long", "AT+QGMR answers the version and _01.001.01.001",
     [](std::string_view v, Behaviour& b) { return (b.qgmr_long = v == "long"); }},
    {"qflst-bare", Takes::nothing, "", "AT+QFLST answers names without UFS:", DFOTA_FLAG(qflst_bare)},
    {"ufs", Takes::value, "BYTES", "size of the file system (16777216)", DFOTA_WITH(take_bytes, ufs_bytes)},
    {"corrupt-upload", Takes::nothing, "", "the last byte of an AT+QFUPL is stored wrong", DFOTA_FLAG(corrupt_upload)},
    {"no-flow-control", Takes::nothing, "", "more than 15000 bytes/s of AT+QFOTADL=\"FILE:...\" are FILEEND,500",
     DFOTA_FLAG(no_flow_control)},
    {"absent", Takes::nothing, "", "no port at all", DFOTA_FLAG(absent)},
    {"imei", Takes::value, "IMEI", "this IMEI instead of its own", DFOTA_WITH(take_name, imei)},
    {"model", Takes::value, "MODEL", "this model instead of --model", DFOTA_WITH(take_name, model)},
    {"version", Takes::value, "V", "this initial version instead of --version", DFOTA_WITH(take_name, version)},
};

#undef DFOTA_FLAG
#undef DFOTA_WITH
#undef DFOTA_SECONDS

constexpr int kMaxIndex = 999'999;

Error invalid(const std::string& message) {
  return {Errc::invalid, message};
}
std::string quoted(std::string_view text) {
  return "'" + std::string(text) + "'";
}

bool module_index(std::string_view text, int& index) {
  return text.substr(0, 1) == "m" && text.size() > 1 && in_range(text.substr(1), index, 0, kMaxIndex);
}

}  // namespace

Result<Fault> Fault::parse(std::string_view spec) {
  const auto whole = spec;
  Fault fault;
  const auto colon = spec.find(':');
  if (colon != std::string_view::npos && colon < spec.find('=')) {
    const auto which = fault.take_which(spec.substr(0, colon));
    if (!which) return invalid("fault " + quoted(whole) + ": " + which.error().message);
    spec.remove_prefix(colon + 1);
  }
  for (bool more = true; more;) {
    const auto comma = spec.find(',');
    more = comma != std::string_view::npos;
    const auto taken = fault.take_setting(spec.substr(0, comma));
    if (!taken) return invalid("fault " + quoted(whole) + ": " + taken.error().message);
    if (more) spec.remove_prefix(comma + 1);
  }
  if (fault.settings_.empty())
    return invalid("fault " + quoted(whole) + ": 'times' and 'once' need a fault beside them");
  return fault;
}

Result<void> Fault::take_which(std::string_view which) {
  if (which == "all") return {};
  all_ = false;
  const auto dash = which.find('-');
  const auto last = dash == std::string_view::npos ? which : which.substr(dash + 1);
  if (!module_index(which.substr(0, dash), first_) || !module_index(last, last_)) {
    return invalid(quoted(which) + " names no modules: m3, m2-m5 or all");
  }
  if (last_ < first_) return invalid(quoted(which) + " ends before it begins");
  return {};
}

Result<void> Fault::take_setting(std::string_view setting) {
  const auto equals = setting.find('=');
  const bool has_value = equals != std::string_view::npos;
  const auto name = setting.substr(0, equals);
  const auto value = has_value ? setting.substr(equals + 1) : std::string_view();
  if (name.empty()) return invalid("a name is missing");
  if (name == "once" && !has_value) {
    times_ = 1;
    return {};
  }
  if (name == "times") {
    if (in_range(value, times_, 1, kMaxTimes)) return {};
    return invalid("'times' needs a number from 1 to " + std::to_string(kMaxTimes));
  }
  const auto* row = std::find_if(std::begin(kRows), std::end(kRows), [name](const Row& r) { return r.name == name; });
  if (row == std::end(kRows)) return invalid("unknown name " + quoted(name) + "; --help lists them");
  if (row->takes == Takes::nothing && has_value) return invalid(quoted(name) + " takes no value");
  if (row->takes == Takes::value && !has_value) {
    return invalid(quoted(name) + " needs a value: " + std::string(name) + "=" + std::string(row->value));
  }
  Behaviour scratch;
  if ((has_value && value.empty()) || !row->set(value, scratch)) {
    return invalid(quoted(value) + " is no value for " + quoted(name) + ": " + std::string(name) + "=" +
                   std::string(row->value) + " (" + std::string(row->meaning) + ")");
  }
  settings_.push_back({static_cast<size_t>(row - std::begin(kRows)), std::string(value)});
  return {};
}

bool Fault::applies(int index, int attempt) const {
  return (all_ || (index >= first_ && index <= last_)) && (times_ == 0 || attempt <= times_);
}

void Fault::apply(Behaviour& behaviour) const {
  for (const auto& setting : settings_) kRows[setting.row].set(setting.value, behaviour);
}

Behaviour behaviour_of(const std::vector<Fault>& faults, int index, int attempt) {
  Behaviour behaviour;
  for (const auto& fault : faults) {
    if (fault.applies(index, attempt)) fault.apply(behaviour);
  }
  return behaviour;
}

std::string fault_help() {
  std::string help;
  for (const auto& row : kRows) {
    auto left = "  " + std::string(row.name);
    if (row.takes != Takes::nothing) left += row.takes == Takes::maybe ? "[=" : "=";
    left += std::string(row.value) + (row.takes == Takes::maybe ? "]" : "");
    left.resize(std::max<size_t>(left.size() + 2, 35), ' ');
    help += left + std::string(row.meaning) + "\n";
  }
  return help + "  times=N, once                    the faults beside it apply only to the first N (one) AT+QFOTADL\n";
}

}  // namespace dfota::sim
