// The story of one AT+QFOTADL as the module lives it: download, check, reboot, flash, boot. Guide, 3.2.
#include <algorithm>

#include "modem/simulator/virtual_module.hpp"

namespace dfota::sim {
namespace {

constexpr int kCorrupt = 505;
constexpr int kWrongBase = 510;
constexpr double kNoRequestSeconds = 120;
constexpr double kCheckSeconds = 1;
constexpr const char* kLowVoltage = "+QIND: \"vbatt\",-1";
constexpr int kEndFailsAt = 50;
constexpr int kBackFrom = 60;
constexpr int kBackTo = 40;

std::string qind(const std::string& stage) {
  return "+QIND: \"FOTA\",\"" + stage + "\"";
}
std::string qind(const std::string& stage, int value) {
  return qind(stage) + "," + std::to_string(value);
}

std::string way_of(Delivery delivery) {
  switch (delivery) {
    case Delivery::ftp:
      return "FTP";
    case Delivery::stream:
      return "FILE";
    case Delivery::http:
    case Delivery::ufs:
      break;
  }
  return "HTTP";
}

}  // namespace

Awaitable<> VirtualModule::update(UpdateTarget target) {
  if (behaviour_.no_start) co_return;
  if (target.delivery == Delivery::ufs) {
    co_await update_from_file(target.file);
    co_return;
  }
  co_await pause(options_.pace.start_s);
  if (behaviour_.ftpend) {
    co_await refuse_by_ftp();
    co_return;
  }
  const auto way = way_of(target.delivery);
  const auto end_stage = way + "END";
  urc(qind(way + "START"));
  if (behaviour_.no_request) {
    if (behaviour_.no_request_code) co_await refuse(end_stage, *behaviour_.no_request_code, kNoRequestSeconds);
    co_return;
  }
  const auto httpend = target.delivery == Delivery::http ? behaviour_.httpend : std::nullopt;
  if (httpend && *httpend != 0) {
    co_await refuse(end_stage, *httpend, options_.pace.start_s);
    co_return;
  }
  Result<DeltaHeader> package = Error(Errc::mismatch, "nothing was downloaded");
  int code = 0;
  if (!httpend) code = co_await fetch(target, package);
  if (powered_down_) co_await stay_off();
  if (reset_in_download_) {
    reset_in_download_ = false;
    if (co_await reboot(options_.pace.reboot_s))
      co_await boot();
    else
      co_await hang();
    co_return;
  }
  if (code != 0) {
    urc(qind(end_stage, code));
    co_return;
  }
  co_await flash(end_stage, package);
}

Awaitable<> VirtualModule::refuse_by_ftp() {
  urc(qind("FTPSTART"));
  co_await pause(options_.pace.start_s);
  urc(qind("FTPEND", *behaviour_.ftpend));
  if (*behaviour_.ftpend == 0) urc(qind("END", kCorrupt));
}

Awaitable<> VirtualModule::refuse(std::string stage, int code, double after_s) {
  co_await pause(after_s);
  urc(qind(stage, code));
}

void VirtualModule::begin_flashing() {
  mode_ = Mode::flashing;
  commands_.clear();
  record("flashing_begin");
}

void VirtualModule::leave_flashing() {
  record("flashing_end", {{"bytes_while_flashing", bytes_while_flashing_}});
  mode_ = Mode::ready;
}

Awaitable<> VirtualModule::flash(std::string end_stage, Result<DeltaHeader> package) {
  urc(qind(end_stage, 0));
  begin_flashing();
  co_await pause(kCheckSeconds);
  if (!package) {
    record("refused", {{"code", kCorrupt}, {"text", package.error().message}});
    urc(qind("END", kCorrupt));
    leave_flashing();
    co_return;
  }
  const bool back = co_await reboot(options_.pace.reboot_s);
  if (!back) co_await hang();
  co_await apply(package);
}

/// After the reboot: writes the new firmware, or finds that it must not.
Awaitable<> VirtualModule::apply(Result<DeltaHeader> package) {
  if (!behaviour_.lost_start) urc(qind("START"));
  if (!package) {
    record("refused", {{"code", kCorrupt}, {"text", package.error().message}});
    co_await end_flashing(kCorrupt, memory_.version);
    co_return;
  }
  if (package->model != subject_.model || package->from != memory_.version) {
    record("refused", {{"code", kWrongBase}, {"from", package->from}, {"model", package->model}});
    co_await end_flashing(kWrongBase, memory_.version);
    co_return;
  }
  const bool written = co_await write_firmware(behaviour_.end ? kEndFailsAt : 100);
  if (!written) {
    record("stalled");
    co_await hang();
  }
  auto version = package->to;
  if (!behaviour_.wrong_version.empty()) version = behaviour_.wrong_version;
  if (behaviour_.keep_old || (behaviour_.end && *behaviour_.end != 0)) version = memory_.version;
  co_await end_flashing(behaviour_.end.value_or(0), version);
}

/// False: it hangs for ever.
Awaitable<bool> VirtualModule::write_firmware(int until_percent) {
  bool went_back = !behaviour_.percent_back;
  // Deadlines of one start: a hundred late wake-ups on a busy machine must not add up.
  const auto step = seconds(options_.pace.flash_s / 100 / options_.pace.speed);
  auto next = Clock::now();
  for (int percent = 1; percent <= until_percent; ++percent) {
    next += step;
    co_await sleep_for(loop_, next - Clock::now());
    if (behaviour_.stall && percent > *behaviour_.stall) co_return false;
    if (!behaviour_.lost_updating) urc(qind("UPDATING", percent));
    if (behaviour_.low_voltage && percent == std::max(1, *behaviour_.low_voltage)) urc(kLowVoltage);
    if (behaviour_.power_down && percent >= *behaviour_.power_down) {
      power_off();
      co_await stay_off();
    }
    if (percent == kBackFrom && !went_back) {
      went_back = true;
      percent = kBackTo - 1;
    }
  }
  co_return !behaviour_.stall;
}

Awaitable<> VirtualModule::end_flashing(int code, std::string version) {
  if (version != memory_.version) {
    record("version_changed", {{"from", memory_.version}, {"to", version}});
    memory_.version = version;
    remember();
  }
  if (!behaviour_.lost_end) urc(qind("END", code));
  if (!behaviour_.lost_end && behaviour_.end_twice) urc(qind("END", code));
  co_await pause(kCheckSeconds);
  const bool no_return = behaviour_.no_return;
  behaviour_.no_return = false;
  const bool back = co_await reboot(options_.pace.boot_s);
  behaviour_.no_return = no_return;
  if (!back) co_await hang();
  leave_flashing();
  co_await boot();
}

}  // namespace dfota::sim
