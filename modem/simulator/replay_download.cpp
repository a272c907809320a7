#include "modem/simulator/replay_download.hpp"

#include <asio/co_spawn.hpp>

namespace dfota::sim {
namespace {

/// The recording says when it ends; these only end a download from a gateway that is not there any more.
constexpr int kIdleSeconds = 600;
constexpr int kTotalSeconds = 24 * 3600;
constexpr auto kSleepBound = std::chrono::hours(24);

}  // namespace

ReplayDownload::ReplayDownload(asio::io_context& loop, Url url, Log log, std::function<void()> changed)
    : loop_(loop), log_(std::move(log)), changed_(std::move(changed)), allowed_(loop) {
  hooks_.log = [this](std::string_view event, const Json& fields) {
    if (log_) log_(event, fields);
  };
  hooks_.progress = [this](std::uint64_t bytes, std::uint64_t total) {
    bytes_ = bytes;
    total_ = total;
    tell();
  };
  hooks_.allowance = [this](std::uint64_t) { return wait_for_leave(); };
  Habits habits;
  habits.client = Client::chunks;
  habits.idle_s = kIdleSeconds;
  habits.total_s = kTotalSeconds;
  client_ = std::make_shared<HttpDownload>(loop_, std::move(url), habits, hooks_);
}

void ReplayDownload::begin() {
  const auto self = shared_from_this();
  asio::co_spawn(loop_, run(), [self](std::exception_ptr bug) {
    if (bug) std::rethrow_exception(bug);
  });
}

Awaitable<> ReplayDownload::run() {
  const int code = co_await client_->run();
  ended_ = code;
  const Json fields = {{"code", code}, {"bytes", bytes_}, {"sha256", client_->package().sha256()}};
  if (log_) log_("download_done", fields);
  tell();
}

Awaitable<std::uint64_t> ReplayDownload::wait_for_leave() {
  while (!stopped_ && allowance_ <= bytes_) {
    const auto until = Clock::now() + kSleepBound;
    co_await allowed_.wait_until(until);
  }
  co_return stopped_ ? 0 : allowance_;
}

void ReplayDownload::allow(std::uint64_t bytes) {
  if (bytes <= allowance_) return;
  allowance_ = bytes;
  allowed_.notify();
}

void ReplayDownload::stop() {
  if (stopped_) return;
  stopped_ = true;
  if (!ended_ && log_) {
    const Json fields = {{"code", kDownloadStopped}, {"bytes", bytes_}, {"sha256", client_->package().sha256()}};
    log_("download_done", fields);
  }
  log_ = nullptr;
  changed_ = nullptr;
  client_->stop();
  allowed_.notify();
}

}  // namespace dfota::sim
