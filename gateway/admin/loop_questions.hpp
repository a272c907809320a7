// How a worker of the admin listener gets something from the gateway's loop: the question is a coroutine that runs
// there, and the worker waits for its answer, but no longer than so, and not when the gateway ends. Any thread but the
// loop's.
#pragma once

#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <atomic>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <utility>

#include "transport/base/awaitable.hpp"
#include "transport/base/clock.hpp"

namespace dfota {

class LoopQuestions {
 public:
  explicit LoopQuestions(asio::io_context& loop) : loop_(loop) {}

  /// Nothing: no answer in time, or the gateway is ending. What the question holds must live as long as the loop.
  template <class T>
  std::optional<T> ask(std::function<Awaitable<T>()> question, Clock::duration limit) {
    auto answer = std::make_shared<std::promise<T>>();
    auto answered = answer->get_future();
    asio::post(loop_, [this, question = std::move(question), answer = std::move(answer)]() mutable {
      asio::co_spawn(loop_, run<T>(std::move(question), std::move(answer)), rethrow);
    });
    constexpr auto kLook = std::chrono::milliseconds(100);
    const auto deadline = std::chrono::steady_clock::now() + limit;
    while (answered.wait_for(kLook) != std::future_status::ready) {
      if (ended_ || std::chrono::steady_clock::now() >= deadline) return std::nullopt;
    }
    return answered.get();
  }

  /// The loop turns no more: nobody waits for it any longer.
  void end() { ended_ = true; }

 private:
  template <class T>
  static Awaitable<> run(std::function<Awaitable<T>()> question, std::shared_ptr<std::promise<T>> answer) {
    auto value = co_await question();
    answer->set_value(std::move(value));
  }

  asio::io_context& loop_;
  std::atomic<bool> ended_{false};
};

}  // namespace dfota
