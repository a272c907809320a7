#include "gateway/service_manager.hpp"

#include <systemd/sd-daemon.h>

#include <algorithm>
#include <asio/co_spawn.hpp>
#include <cstdint>

#include "transport/base/log.hpp"
#include "transport/base/signal.hpp"

namespace dfota {
namespace {

void notify(const std::string& state) {
  sd_notify(0, state.c_str());  // whom the manager does not hear, it ends: nothing is to be done here
}

}  // namespace

ServiceManager::ServiceManager(asio::io_context& loop, Journal& journal, const Jobs::Modules& modules, const Jobs& jobs)
    : loop_(loop), journal_(journal), modules_(modules), jobs_(jobs) {}

void ServiceManager::ready() {
  notify("READY=1");
  asio::co_spawn(loop_, tell_status(), rethrow);
  std::uint64_t limit_us = 0;
  if (sd_watchdog_enabled(0, &limit_us) <= 0) return;
  asio::co_spawn(loop_, feed_watchdog(std::chrono::microseconds(limit_us / 2)), rethrow);
}

void ServiceManager::stopping() {
  notify("STOPPING=1\nSTATUS=stopping: downloads may end, what flashes goes on by itself");
}

Awaitable<> ServiceManager::tell_status() {
  for (std::string told;;) {
    auto now = status();
    if (now != told) notify("STATUS=" + now);
    told = std::move(now);
    co_await sleep_for(loop_, kStatusEvery);
  }
}

Awaitable<> ServiceManager::feed_watchdog(std::chrono::microseconds every) {
  for (;;) {
    const auto turned = co_await journal_.turned();
    if (turned) {
      notify("WATCHDOG=1");
    } else {
      log::error("the watchdog of systemd is not fed: ", turned.error().message);
    }
    co_await sleep_for(loop_, every);
  }
}

std::string ServiceManager::status() const {
  if (modules_.empty()) return "no module is configured";
  const auto online =
      std::count_if(modules_.begin(), modules_.end(), [](const auto& entry) { return entry.second->state().online; });
  std::size_t running = 0, waiting = 0;
  for (const auto& [id, job] : jobs_.all()) {
    if (job->ended()) continue;
    ++(job->state() == JobState::running ? running : waiting);
  }
  return "modules: " + std::to_string(online) + " of " + std::to_string(modules_.size()) +
         " online; jobs: " + std::to_string(running) + " running, " + std::to_string(waiting) + " waiting" +
         (jobs_.held() ? "; held" : "");
}

}  // namespace dfota
