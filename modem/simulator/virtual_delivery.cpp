// How the package of an AT+QFOTADL comes into the module: over HTTP, over FTP, over the port, or out of its own files.
#include <array>
#include <fstream>

#include "modem/simulator/ftp_download.hpp"
#include "modem/simulator/virtual_module.hpp"

namespace dfota::sim {
namespace {

void feed_file(const std::string& path, DeltaCheck& check) {
  std::ifstream file(path, std::ios::binary);
  std::array<char, 16384> room;
  while (file) {
    file.read(room.data(), static_cast<std::streamsize>(room.size()));
    check.feed(std::string_view(room.data(), static_cast<size_t>(file.gcount())));
  }
}

}  // namespace

/// 0, the code for the end of this delivery, or kDownloadStopped.
Awaitable<int> VirtualModule::fetch(FotaOrder order, Result<DeltaHeader>& package) {
  const auto& target = order.target;
  if (target.delivery == Delivery::stream) co_return co_await take_stream(target.length, package);
  DownloadHooks hooks;
  hooks.log = [this](std::string_view event, const Json& fields) { record(event, fields); };
  hooks.reached = [this] { return download_reached(); };
  hooks.progress = [this, urcs = order.downloading_urcs](uint64_t bytes, uint64_t total) {
    tell_downloading(urcs, bytes, total);
  };
  downloading_said_ = 0;
  const auto& dropped = target.delivery == Delivery::ftp ? behaviour_.ftpend_after : behaviour_.httpend_after;
  if (dropped) hooks.at_percent = dropped->percent;
  if (behaviour_.reboot_download) hooks.at_percent = behaviour_.reboot_download;
  if (behaviour_.power_down_download) hooks.at_percent = behaviour_.power_down_download;
  if (behaviour_.stall_download) hooks.at_percent = behaviour_.stall_download;
  if (behaviour_.hangup_download) hooks.at_percent = behaviour_.hangup_download;
  int code = 0;
  if (target.delivery == Delivery::ftp) {
    FtpLimits limits;
    if (behaviour_.client.idle_s > 0) limits.idle_s = behaviour_.client.idle_s;
    limits.total_s = behaviour_.client.total_s;
    const auto client = std::make_unique<FtpDownload>(loop_, target.ftp, limits, hooks);
    code = co_await client->run();
    take_package(client->package(), code, package);
  } else {
    const auto client = std::make_shared<HttpDownload>(loop_, target.url, behaviour_.client, hooks);
    code = co_await client->run();
    take_package(client->package(), code, package);
  }
  if (code == kDownloadStopped && dropped) code = dropped->code;
  co_return code;
}

/// Each number once, as far as the bytes have come; a download that begins again says none twice.
void VirtualModule::tell_downloading(unsigned urcs, uint64_t bytes, uint64_t total) {
  if (total == 0) return;
  while (downloading_said_ < bytes * urcs / total) {
    ++downloading_said_;
    urc(subject_.family.downloading_urc(downloading_said_, urcs));
  }
}

void VirtualModule::take_package(const DeltaCheck& check, int code, Result<DeltaHeader>& package) {
  record("download_done", {{"code", code}, {"bytes", check.bytes()}, {"sha256", check.sha256()}});
  package = check.finish();
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
  if (behaviour_.power_down_download)
    power_off();
  else
    reset_in_download_ = behaviour_.reboot_download.has_value();
  co_return Step::stop;
}

/// The package is there already: the module reboots right after its OK.
Awaitable<> VirtualModule::update_from_file(UpdateTarget target) {
  begin_flashing();
  DeltaCheck check;
  if (target.delivery == Delivery::efs) {
    feed_file(options_.efs_package, check);
  } else if (const auto content = files_.read(target.file)) {
    check.feed(*content);
  }
  const auto& name = target.delivery == Delivery::efs ? options_.efs_package : target.file;
  record("package_read", {{"name", name}, {"bytes", check.bytes()}, {"sha256", check.sha256()}});
  const bool back = co_await reboot(options_.pace.reboot_s);
  if (!back) co_await hang();
  const auto package = check.finish();
  co_await apply(package, subject_.family.count_from_file());
}

void VirtualModule::power_off() {
  urc("POWERED DOWN");
  record("powered_down");
  mode_ = Mode::off;
  powered_down_ = true;
}

/// Never returns.
Awaitable<> VirtualModule::stay_off() {
  co_await last_words_heard();
  port_->close();
  co_await hang();
}

}  // namespace dfota::sim
