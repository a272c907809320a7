// Operating errors are values. An Error says in `code` what its handler can do next, and in `message` what was tried,
// on what, and what to do about it. Whoever handles an error logs it, once. No I/O; any thread.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace dfota {

/// Grouped by what to do next.
enum class Errc {
  // Try the same again, later.
  timeout,  ///< nothing came before the deadline
  busy,     ///< held by somebody else (another program, another gateway)
  // Open it again first.
  link_lost,  ///< the port hung up, the connection was closed
  absent,     ///< no such port, file or host at the moment
  // What was asked is wrong: do not repeat it.
  refused,   ///< the other side, or a rule of ours, said no
  invalid,   ///< malformed
  mismatch,  ///< it is not what was promised (hash, size, identity)
  // Give up, or wait for a person.
  no_space,
  io,
  canceled,
};

class Error {
 public:
  Error(Errc code, std::string message) : code(code), message(std::move(message)) {}
  Errc code;
  std::string message;
};

/// A T, or the Error that came instead.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  [[nodiscard]] bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }
  T& value() { return std::get<0>(state_); }
  const T& value() const { return std::get<0>(state_); }
  const Error& error() const { return std::get<1>(state_); }
  T& operator*() { return value(); }
  const T& operator*() const { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}

  [[nodiscard]] bool ok() const { return !error_; }
  explicit operator bool() const { return ok(); }
  const Error& error() const { return *error_; }

 private:
  std::optional<Error> error_;
};

}  // namespace dfota
