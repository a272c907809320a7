// The values of a command's JSON, key by key, each fault with its code, what to do, and where (RFC 6901). What
// cmd/update and the other verbs have in common. Pure functions; any thread.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace dfota {

/// What is wrong with a command.
struct CommandFault {
  std::string code, message, pointer;
};

/// A member's place under `at`, as RFC 6901 writes it.
std::string pointer_to(const std::string& at, const std::string& key);

CommandFault invalid(std::string pointer, std::string message);
CommandFault unknown_key(const std::string& at, const std::string& key);

constexpr std::size_t kMaxTransaction = 128;  ///< bytes

/// What all commands know beside their body: a string of 1 to 128 bytes.
std::optional<CommandFault> check_transaction(const nlohmann::json& document);

/// That the document of a command has these keys only, and `transaction`.
std::optional<CommandFault> check_command_keys(const nlohmann::json& document,
                                               std::initializer_list<std::string_view> keys);

/// A string of 1 to `max_bytes` bytes into `into`; it stays as it is without the key.
std::optional<CommandFault> take_string(const nlohmann::json& object, const char* key, const std::string& at,
                                        std::size_t max_bytes, std::string& into);

/// A model or version: 1 to 64 printable ASCII characters, as modules report them.
std::optional<CommandFault> take_reported(const nlohmann::json& object, const char* key, const std::string& at,
                                          std::string& into);

std::optional<CommandFault> take_flag(const nlohmann::json& object, const char* key, bool& into);

bool is_printable(std::string_view text);

/// A whole number from `least` to `most` into `into`; it stays as it is without the key.
template <class Number>
std::optional<CommandFault> take_whole_number(const nlohmann::json& document, const char* key, std::uint64_t least,
                                              std::uint64_t most, Number& into) {
  if (!document.contains(key)) return std::nullopt;
  const auto& value = document.at(key);
  if (!value.is_number_integer() || value < least || value > most) {
    return invalid(std::string("/") + key,
                   "must be a whole number from " + std::to_string(least) + " to " + std::to_string(most));
  }
  into = value.get<std::uint64_t>();
  return std::nullopt;
}

}  // namespace dfota
