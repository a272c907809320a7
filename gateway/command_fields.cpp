#include "gateway/command_fields.hpp"

#include <algorithm>

namespace dfota {

std::string pointer_to(const std::string& at, const std::string& key) {
  std::string out = at + "/";
  for (const char c : key) out += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
  return out;
}

CommandFault invalid(std::string pointer, std::string message) {
  return {"invalid", std::move(message), std::move(pointer)};
}

CommandFault unknown_key(const std::string& at, const std::string& key) {
  return {"unknown_key", "unknown key; see the command's description for those there are", pointer_to(at, key)};
}

std::optional<CommandFault> check_command_keys(const nlohmann::json& document,
                                               std::initializer_list<std::string_view> keys) {
  if (!document.is_object()) return invalid("", "a command is a JSON object");
  for (const auto& [key, value] : document.items()) {
    if (key != "transaction" && std::find(keys.begin(), keys.end(), key) == keys.end()) return unknown_key("", key);
  }
  return check_transaction(document);
}

std::optional<CommandFault> check_transaction(const nlohmann::json& document) {
  std::string transaction;
  return take_string(document, "transaction", "", kMaxTransaction, transaction);
}

std::optional<CommandFault> take_string(const nlohmann::json& object, const char* key, const std::string& at,
                                        std::size_t max_bytes, std::string& into) {
  if (!object.contains(key)) return std::nullopt;
  const auto& value = object.at(key);
  const auto pointer = at + "/" + key;
  if (!value.is_string()) return invalid(pointer, "must be a string");
  into = value.get<std::string>();
  if (into.empty() || into.size() > max_bytes)
    return invalid(pointer, "must have 1 to " + std::to_string(max_bytes) + " bytes");
  return std::nullopt;
}

std::optional<CommandFault> take_reported(const nlohmann::json& object, const char* key, const std::string& at,
                                          std::string& into) {
  constexpr std::size_t kMostBytes = 64;
  if (auto fault = take_string(object, key, at, kMostBytes, into)) return fault;
  if (!is_printable(into)) return invalid(at + "/" + key, "must be printable ASCII, as the module reports it");
  return std::nullopt;
}

std::optional<CommandFault> take_flag(const nlohmann::json& object, const char* key, bool& into) {
  if (!object.contains(key)) return std::nullopt;
  if (!object.at(key).is_boolean()) return invalid(std::string("/") + key, "must be true or false");
  into = object.at(key).get<bool>();
  return std::nullopt;
}

bool is_printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c <= 0x7e; });
}

}  // namespace dfota
