// The story of one AT+QFOTADL as the module lives it: download, check, reboot, flash, boot. Guide, 3.2.
#include <asio/co_spawn.hpp>

#include "modem/simulator/virtual_module.hpp"

namespace dfota::sim {
namespace {

constexpr int kCorrupt = 505;
constexpr int kWrongBase = 510;
constexpr double kNoRequestSeconds = 120;
constexpr double kCheckSeconds = 1;
constexpr int kEndFailsAt = 50;
constexpr int kBackFrom = 60;
constexpr int kBackTo = 40;

std::string qind(const std::string& stage) {
  return "+QIND: \"FOTA\",\"" + stage + "\"";
}
std::string qind(const std::string& stage, int value) {
  return qind(stage) + "," + std::to_string(value);
}

}  // namespace

Awaitable<> VirtualModule::update(Url url) {
  if (behaviour_.no_start) co_return;
  co_await pause(options_.pace.start_s);
  if (behaviour_.ftpend) {
    co_await refuse_by_ftp();
    co_return;
  }
  urc(qind("HTTPSTART"));
  if (behaviour_.no_request) {
    if (behaviour_.no_request_code) co_await refuse_by_http(*behaviour_.no_request_code, kNoRequestSeconds);
    co_return;
  }
  if (behaviour_.httpend && *behaviour_.httpend != 0) {
    co_await refuse_by_http(*behaviour_.httpend, options_.pace.start_s);
    co_return;
  }
  Result<DeltaHeader> package = Error(Errc::mismatch, "nothing was downloaded");
  int code = 0;
  if (!behaviour_.httpend) code = co_await download(url, package);
  if (reset_in_download_) {
    reset_in_download_ = false;
    if (co_await reboot(options_.pace.reboot_s))
      co_await boot();
    else
      co_await hang();
    co_return;
  }
  if (code == HttpDownload::kStopped && behaviour_.httpend_after) code = behaviour_.httpend_after->code;
  if (code != 0) {
    urc(qind("HTTPEND", code));
    co_return;
  }
  co_await flash(package);
}

Awaitable<> VirtualModule::refuse_by_ftp() {
  urc(qind("FTPSTART"));
  co_await pause(options_.pace.start_s);
  urc(qind("FTPEND", *behaviour_.ftpend));
  if (*behaviour_.ftpend == 0) urc(qind("END", kCorrupt));
}

Awaitable<> VirtualModule::refuse_by_http(int code, double after_s) {
  co_await pause(after_s);
  urc(qind("HTTPEND", code));
}

Awaitable<int> VirtualModule::download(Url url, Result<DeltaHeader>& package) {
  DownloadHooks hooks;
  hooks.log = [this](std::string_view event, const Json& fields) { record(event, fields); };
  hooks.reached = [this] { return download_reached(); };
  if (behaviour_.httpend_after) hooks.at_percent = behaviour_.httpend_after->percent;
  if (behaviour_.reboot_download) hooks.at_percent = behaviour_.reboot_download;
  if (behaviour_.stall_download) hooks.at_percent = behaviour_.stall_download;
  if (behaviour_.hangup_download) hooks.at_percent = behaviour_.hangup_download;
  const auto client = std::make_shared<HttpDownload>(loop_, url, behaviour_.client, hooks);
  const int code = co_await client->run();
  record("download_done",
         {{"code", code}, {"bytes", client->package().bytes()}, {"sha256", client->package().sha256()}});
  package = client->package().finish();
  co_return code;
}

Awaitable<Step> VirtualModule::download_reached() {
  if (behaviour_.stall_download) {
    record("stalled");
    co_await hang();
  }
  if (behaviour_.hangup_download) {
    co_await bounce_port();
    co_return Step::go_on;
  }
  reset_in_download_ = behaviour_.reboot_download.has_value();
  co_return Step::stop;
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

Awaitable<> VirtualModule::flash(Result<DeltaHeader> package) {
  urc(qind("HTTPEND", 0));
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
  if (!behaviour_.lost_start) urc(qind("START"));
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
