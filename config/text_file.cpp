#include "config/text_file.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>

namespace dfota {
namespace {
constexpr std::size_t kMaxFileBytes = 4 * 1024 * 1024;
}

std::string ConfigFault::text() const {
  return file + ":" + std::to_string(line) + ":" + std::to_string(column) + ": " + message;
}

std::variant<std::string, ConfigFault> read_text(const std::filesystem::path& file, const std::string& what) {
  const auto fault = [&](const std::string& message) { return ConfigFault{file.string(), 0, 0, message}; };
  std::error_code error;
  if (std::filesystem::is_directory(file, error)) return fault("this is a directory: name a TOML file");
  errno = 0;
  std::ifstream stream(file, std::ios::binary);
  std::string text(kMaxFileBytes + 1, '\0');
  if (!stream || (!stream.read(text.data(), static_cast<std::streamsize>(text.size())) && !stream.eof())) {
    const std::string reason = errno ? std::strerror(errno) : "unknown error";
    return fault(what + " cannot be read (" + reason + "): name a readable TOML file");
  }
  text.resize(static_cast<std::size_t>(stream.gcount()));
  if (text.size() > kMaxFileBytes) {
    return fault("the file is larger than " + std::to_string(kMaxFileBytes) + " bytes: name a TOML file");
  }
  return text;
}

}  // namespace dfota
