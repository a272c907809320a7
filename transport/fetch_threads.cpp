#include "transport/fetch_threads.hpp"

#include <algorithm>

namespace dfota {

FetchThreads::FetchThreads(const FetchOptions& options) {
  for (auto& download : downloads_) download = std::make_unique<Download>(options);
  threads_[kTransfers] = std::thread([this] { work_local(); });
  for (std::size_t i = 0; i < kTransfers; ++i) {
    threads_[i] = std::thread([this, i] { work_transfers(*downloads_[i]); });
  }
}

FetchThreads::~FetchThreads() {
  stop();
}

void FetchThreads::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    for (const auto& download : downloads_) download->stop();
  }
  local_wake_.notify_all();
  transfer_wake_.notify_all();
  for (auto& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

bool FetchThreads::put(Task task) {
  {
    const std::lock_guard lock(mutex_);
    if (stopped_ || tasks_.size() >= kMaxQueued) return false;
    tasks_.push_back(std::move(task));
  }
  local_wake_.notify_one();
  return true;
}

bool FetchThreads::put(const std::string& server, TransferTask task) {
  {
    const std::lock_guard lock(mutex_);
    if (stopped_ || transfers_.size() >= kMaxQueued) return false;
    transfers_.push_back(Queued{server, std::move(task)});
  }
  transfer_wake_.notify_one();
  return true;
}

void FetchThreads::work_local() {
  for (;;) {
    std::unique_lock lock(mutex_);
    local_wake_.wait(lock, [this] { return stopped_ || !tasks_.empty(); });
    if (tasks_.empty()) return;
    const Task task = std::move(tasks_.front());
    tasks_.pop_front();
    lock.unlock();
    task();
  }
}

/// The first whose server has not its share already.
std::deque<FetchThreads::Queued>::iterator FetchThreads::next() {
  return std::ranges::find_if(transfers_, [this](const Queued& queued) {
    const auto busy = busy_.find(queued.server);
    return busy == busy_.end() || busy->second < kTransfersOfOneServer;
  });
}

void FetchThreads::work_transfers(Download& download) {
  for (;;) {
    std::unique_lock lock(mutex_);
    auto found = transfers_.end();
    transfer_wake_.wait(lock, [&] {
      found = next();
      return found != transfers_.end() || (stopped_ && transfers_.empty());
    });
    if (found == transfers_.end()) return;
    const Queued queued = std::move(*found);
    transfers_.erase(found);
    ++busy_[queued.server];
    lock.unlock();
    queued.task(download);
    lock.lock();
    if (--busy_[queued.server] == 0) busy_.erase(queued.server);
    lock.unlock();
    transfer_wake_.notify_all();  // its server has room for one more now
  }
}

}  // namespace dfota
