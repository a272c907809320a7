#include "modem/ask_port.hpp"

#include <algorithm>

#include "modem/dialogue.hpp"
#include "modem/qind.hpp"
#include "modem/stage_names.hpp"

namespace dfota {
namespace {

constexpr auto kAskLeaveAgain = std::chrono::seconds(1);  // the module that flashes may have come back

/// What it says before and while it is asked, and whether it may be.
struct Ear {
  Ear(ModulePort& port, const Profiles& profiles, std::function<AskLeave()> leave)
      : port(port), profiles(profiles), leave(std::move(leave)) {}

  void hear() {
    while (const auto line = port.take_unsolicited()) {
      if (is_boot_urc(*line)) booted = true;
      const auto urc = parse_qind(*line);
      if (!urc) continue;
      const auto stage = stage_of(*urc, profiles);
      if (stage == FotaStage::start || stage == FotaStage::updating || stage == FotaStage::restore) {
        danger.evidence = Evidence::fota_urc;
      }
    }
    const auto may = leave();
    withdrawn = withdrawn || may == AskLeave::give_up || (asking && may == AskLeave::listen && !listened_long);
    if (withdrawn) danger.evidence = Evidence::fota_urc;  // the table then forbids every word
  }

  ModulePort& port;
  const Profiles& profiles;
  std::function<AskLeave()> leave;
  Danger danger;
  bool booted = false, asking = false, listened_long = false, withdrawn = false;
};

}  // namespace

Awaitable<Result<Identity>> ask_port(asio::io_context& loop, std::string name, const ModemConfig& modem,
                                     const TimeoutsConfig& timeouts, std::function<AskLeave()> leave) {
  Signal changed(loop);
  LinkOptions options;
  options.baud = modem.baud;
  ModulePort port(loop, name, options, changed, "port " + name);
  Ear ear(port, modem.profiles, std::move(leave));
  const auto opened = co_await port.open();
  if (!opened) co_return opened.error();
  const auto listened = port.opened_at() + seconds(timeouts.listen);
  for (;;) {
    ear.hear();
    if (ear.withdrawn) co_return Error(Errc::refused, name + " belongs to a module now");
    if (ear.danger.evidence == Evidence::fota_urc) {
      co_return Error(Errc::refused, name + ": a module that updates on somebody's behalf");
    }
    if (!port.is_open()) co_return Error(Errc::link_lost, name + " hung up");
    ear.listened_long = ear.leave() == AskLeave::listen;
    auto until = listened;
    if (ear.listened_long) {
      const auto silence = seconds(ear.booted ? timeouts.listen : timeouts.progress_gap);
      until = std::max(listened, port.last_heard() + silence);
    }
    if (Clock::now() >= until) break;
    const auto look = ear.listened_long ? std::min(until, Clock::now() + kAskLeaveAgain) : until;
    co_await changed.wait_until(look);
  }
  ear.asking = true;
  Dialogue dialogue(port, ear.danger, [&ear] { ear.hear(); });
  const auto synchronised = co_await dialogue.synchronise();
  if (!synchronised) co_return synchronised.error();
  co_return co_await dialogue.identify(modem.profiles, modem.profile);
}

}  // namespace dfota
