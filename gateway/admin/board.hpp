// What the page shows, as JSON texts by key, and the event streams that tell it: a stream begins with everything, and
// then tells what has changed since it was asked last. A peer that reads slowly skips what was overtaken meanwhile, so
// that a stalled one costs one buffer and nothing else. On the web thread, but for stream().
//
//   event: snapshot\n data: {\n data: "info":{...}\n data: ,"module/m0/state":{...}\n data: }\n \n
//   event: change\n   data: {\n data: "module/m0/state":{...}\n data: }\n \n          (null: it is gone)
#pragma once

#include <asio/io_context.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "transport/base/awaitable.hpp"
#include "transport/base/clock.hpp"
#include "transport/web_message.hpp"

namespace dfota {

class Board {
 public:
  static constexpr auto kEvery = std::chrono::milliseconds(250);  ///< a stream tells changes at most so often
  static constexpr auto kTimeEvery = std::chrono::seconds(10);    ///< a stream that has nothing to tell tells the time
  static constexpr std::size_t kMostBytesAtOnce = 64 * 1024;      ///< of one stream; the rest follows when it is taken
  static constexpr std::size_t kMostGone = 1000;                  ///< keys that are gone, told as null

  /// `wake` has every stream that waits asked again. Both must outlive it.
  Board(asio::io_context& web, std::function<void()> wake);
  ~Board();
  Board(const Board&) = delete;
  Board& operator=(const Board&) = delete;

  /// `document`: JSON without a line break; empty: the key is gone.
  void put(const std::string& key, std::string document);
  /// Null: there is none.
  [[nodiscard]] const std::string* find(const std::string& key) const;
  /// Those whose key begins with `prefix`, by key.
  void each(const std::string& prefix,
            const std::function<void(const std::string& key, const std::string& document)>& visit) const;

  /// Any thread; what comes back is asked and destroyed on the web thread.
  std::unique_ptr<EventSource> stream();
  [[nodiscard]] std::size_t streams() const;

 private:
  class Stream;
  struct State;
  static Awaitable<> tick(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

}  // namespace dfota
