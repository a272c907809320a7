#include "gateway/command_fields.hpp"

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

}  // namespace dfota
