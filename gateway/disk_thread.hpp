// One thread for small things on the disk that the loop must not wait for: a file of a few kilobytes written and
// synced, a directory read. Called on the loop, which goes on meanwhile and must outlive what is awaited.
#pragma once

#include <asio/co_spawn.hpp>
#include <asio/thread_pool.hpp>
#include <functional>
#include <utility>

#include "transport/base/awaitable.hpp"

namespace dfota {

class DiskThread {
 public:
  /// One after the other, in the order in which they were asked for. T has a default; `work` does not throw.
  template <class T>
  Awaitable<T> run(std::function<T()> work) {
    return asio::co_spawn(thread_, done<T>(std::move(work)), asio::use_awaitable);
  }

 private:
  template <class T>
  static Awaitable<T> done(std::function<T()> work) {
    co_return work();
  }

  asio::thread_pool thread_{1};
};

}  // namespace dfota
