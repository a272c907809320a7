// The threads of Fetch: one for what is there already, so that it never waits for an origin, and some for transfers, of
// which one server gets only so many. Each queue is bounded. All functions: loop thread; stopped(): any.
#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "transport/download.hpp"

namespace dfota {

class FetchThreads {
 public:
  static constexpr std::size_t kTransfers = 8;
  static constexpr std::size_t kTransfersOfOneServer = 2;  ///< a slow one leaves the others their threads
  static constexpr std::size_t kMaxQueued = Fetch::kMaxQueued;

  using Task = std::function<void()>;
  using TransferTask = std::function<void(Download&)>;

  explicit FetchThreads(const FetchOptions& options);
  ~FetchThreads();
  FetchThreads(const FetchThreads&) = delete;
  FetchThreads& operator=(const FetchThreads&) = delete;

  /// False when so many wait already, or after stop(). Each task that was taken is run.
  bool put(Task task);
  bool put(const std::string& server, TransferTask task);

  /// Cuts the transfers, and ends when all tasks have: from its beginning on stopped() is true and each Download is
  /// stopped.
  void stop();
  [[nodiscard]] bool stopped() const { return stopped_; }

 private:
  struct Queued {
    std::string server;
    TransferTask task;
  };

  void work_local();
  void work_transfers(Download& download);
  std::deque<Queued>::iterator next();

  std::atomic<bool> stopped_{false};  ///< written under mutex_
  std::mutex mutex_;
  std::condition_variable local_wake_;
  std::condition_variable transfer_wake_;
  std::deque<Task> tasks_;                   ///< under mutex_
  std::deque<Queued> transfers_;             ///< under mutex_
  std::map<std::string, std::size_t> busy_;  ///< transfers under way of each server, under mutex_
  std::array<std::unique_ptr<Download>, kTransfers> downloads_;
  std::array<std::thread, kTransfers + 1> threads_;  ///< last: they use all the others
};

}  // namespace dfota
