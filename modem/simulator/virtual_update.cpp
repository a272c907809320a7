// The story of one AT+QFOTADL as the module lives it: download, check, reboot, flash, boot. Guide, 3.2.
#include <algorithm>

#include "modem/simulator/virtual_module.hpp"

namespace dfota::sim {
namespace {

constexpr double kNoRequestSeconds = 120;
constexpr double kCheckSeconds = 1;
constexpr const char* kLowVoltage = "+QIND: \"vbatt\",-1";
constexpr int kEndFailsAt = 50;
constexpr int kBackFrom = 60;
constexpr unsigned kBackTo = 40;

struct TransferStages {
  std::string start, end;
};

TransferStages transfer_stages(const StageNames& names, Delivery delivery, const Behaviour& behaviour) {
  switch (delivery) {
    case Delivery::ftp:
      return {names.ftp_start, names.ftp_end};
    case Delivery::stream:
      return {names.file_start, names.file_end};
    case Delivery::http:
    case Delivery::ufs:
    case Delivery::efs:
      break;
  }
  if (behaviour.https_names) return {"HTTPSSTART", "HTTPSEND"};
  return {names.http_start, names.http_end};
}

}  // namespace

Awaitable<> VirtualModule::update(FotaOrder order) {
  const auto& target = order.target;
  low_voltage_told_ = false;
  if (behaviour_.no_start) co_return;
  if (target.delivery == Delivery::ufs || target.delivery == Delivery::efs) {
    co_await update_from_file(target);
    co_return;
  }
  co_await pause(options_.pace.start_s);
  if (behaviour_.ftpend) {
    co_await refuse_by_ftp();
    co_return;
  }
  const auto names = transfer_stages(stages(), target.delivery, behaviour_);
  const auto& end_stage = names.end;
  urc(qind(names.start));
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
  if (!httpend) code = co_await fetch(order, package);
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
  urc(qind(stages().ftp_start));
  co_await pause(options_.pace.start_s);
  urc(qind(stages().ftp_end, *behaviour_.ftpend));
  if (*behaviour_.ftpend == 0) urc(qind(stages().end, subject_.family.corrupt_code()));
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
    const int code = subject_.family.corrupt_code();
    record("refused", {{"code", code}, {"text", package.error().message}});
    urc(qind(stages().end, code));
    leave_flashing();
    co_return;
  }
  if (subject_.family.reboots_before_writing()) {
    const bool back = co_await reboot(options_.pace.reboot_s);
    if (!back) co_await hang();
  }
  co_await apply(package, Count::usual);
}

/// After the reboot: writes the new firmware, or finds that it must not.
Awaitable<> VirtualModule::apply(Result<DeltaHeader> package, Count count) {
  if (behaviour_.boot_noise) send(kBootNoise);
  if (!behaviour_.lost_start) urc(qind(stages().start));
  if (!package) {
    const int code = subject_.family.corrupt_code();
    record("refused", {{"code", code}, {"text", package.error().message}});
    co_await end_flashing(code, memory_.version);
    co_return;
  }
  if (package->model != subject_.model || package->from != memory_.version) {
    const int code = subject_.family.misfit_code(package->model != subject_.model ? Misfit::model : Misfit::base);
    record("refused", {{"code", code}, {"from", package->from}, {"model", package->model}});
    co_await end_flashing(code, memory_.version);
    co_return;
  }
  const int until_percent = behaviour_.end ? kEndFailsAt : 100;
  const bool written = co_await write_firmware(until_percent, count);
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
Awaitable<bool> VirtualModule::write_firmware(int until_percent, Count count) {
  bool went_back = !behaviour_.percent_back;
  if (behaviour_.percent_uneven) count = Count::uneven;
  const auto steps = subject_.family.writing_steps(count);
  // Deadlines of one start: a hundred late wake-ups on a busy machine must not add up.
  const auto pace = seconds(options_.pace.flash_s / static_cast<double>(steps.size()) / options_.pace.speed);
  auto next = Clock::now();
  for (size_t index = 0; index < steps.size(); ++index) {
    const auto& step = steps[index];
    const int percent = static_cast<int>(step.percent);
    if (percent > until_percent) break;
    next += pace;
    const auto rest = next - Clock::now();
    co_await sleep_for(loop_, rest);
    if (behaviour_.stall && percent > *behaviour_.stall) co_return false;
    if (step.reboots_before) {
      const bool back = co_await reboot(options_.pace.reboot_s);
      if (!back) co_await hang();
      next = Clock::now();
    }
    if (!behaviour_.lost_updating) urc(step.text);
    co_await take_writing_faults(step.percent);
    if (percent >= kBackFrom && !went_back) {
      went_back = true;
      const auto is_back = [](const WritingStep& s) { return s.percent >= kBackTo; };
      index = static_cast<size_t>(std::find_if(steps.begin(), steps.end(), is_back) - steps.begin()) - 1;
    }
  }
  co_return !behaviour_.stall;
}

Awaitable<> VirtualModule::take_writing_faults(unsigned percent) {
  const auto reached = [percent](const std::optional<int>& at) { return at && static_cast<int>(percent) >= *at; };
  if (reached(behaviour_.low_voltage) && !low_voltage_told_) {
    low_voltage_told_ = true;
    urc(kLowVoltage);
  }
  if (reached(behaviour_.power_down)) {
    power_off();
    co_await stay_off();
  }
}

Awaitable<> VirtualModule::end_flashing(int code, std::string version) {
  if (version != memory_.version) {
    record("version_changed", {{"from", memory_.version}, {"to", version}});
    memory_.version = version;
    remember();
  }
  if (!behaviour_.lost_end) urc(qind(stages().end, code));
  if (!behaviour_.lost_end && behaviour_.end_twice) urc(qind(stages().end, code));
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
