// The coroutine type of the loop, and the token with which operations are awaited: errors come as values, never thrown.
// GCC 12 miscompiles some co_await expressions silently: inside one, only names, literals and calls; no capturing
// lambda, no brace-initialised aggregate.
#pragma once

#include <asio/awaitable.hpp>
#include <asio/experimental/as_tuple.hpp>
#include <asio/use_awaitable.hpp>
#include <exception>

namespace dfota {

template <class T = void>
using Awaitable = asio::awaitable<T>;

inline constexpr auto kNoThrow = asio::experimental::as_tuple(asio::use_awaitable);

/// For co_spawn: an exception out of a coroutine is a bug, which ends the loop's run() and is told by main.
inline void rethrow(std::exception_ptr bug) {
  if (bug) std::rethrow_exception(bug);
}

}  // namespace dfota
