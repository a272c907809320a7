#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "gateway/admin/access.hpp"
#include "transport/base/log.hpp"
#include "transport/descriptor.hpp"
#include "transport/file_server.hpp"

namespace dfota {
namespace {

constexpr std::size_t kLeastTokenBytes = 16;
constexpr std::size_t kMostTokenBytes = 1024;

Error failed(const std::string& what) {
  return Error(Errc::io, what + ": " + std::strerror(errno));
}

/// Its name comes when it is whole and on the disk, and takes nobody's place: after a power cut it is there or not.
Result<std::string> make(const std::filesystem::path& file, const std::string& name) {
  const std::string token = FileServer::make_token();
  const std::string line = token + "\n";
  const std::string coming = file.string() + ".new";
  ::unlink(coming.c_str());
  const Descriptor opened(::open(coming.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!opened.valid()) return failed(name + " cannot be made");
  const bool written = ::write(opened.get(), line.data(), line.size()) == static_cast<ssize_t>(line.size()) &&
                       ::fsync(opened.get()) == 0 && ::link(coming.c_str(), file.c_str()) == 0;
  const auto error = failed(name + " cannot be made");
  ::unlink(coming.c_str());
  if (!written) return error;
  const Descriptor directory(::open(file.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory.valid() || ::fsync(directory.get()) != 0) return failed(name + ": its directory cannot be synced");
  log::notice("admin page: its token is in ", file.string());
  return token;
}

}  // namespace

Result<std::string> admin_token(const std::filesystem::path& file) {
  const std::string name = "admin.token_file " + file.string();
  const Descriptor opened(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!opened.valid() && errno == ENOENT) return make(file, name);
  if (!opened.valid()) return failed(name + " cannot be read");
  std::array<char, kMostTokenBytes + 2> room{};
  const auto count = ::read(opened.get(), room.data(), room.size());
  if (count < 0) return failed(name + " cannot be read");

  std::string token(room.data(), static_cast<std::size_t>(count));
  while (!token.empty() && (token.back() == '\n' || token.back() == '\r')) token.pop_back();
  const auto invalid = [&](const std::string& what) {
    return Error(Errc::invalid, name + ": " + what + ": write a line of at least " + std::to_string(kLeastTokenBytes) +
                                    " letters, digits and others without a space, or remove it, and start again");
  };
  if (token.empty()) return invalid("it is empty");
  const bool plain = std::all_of(token.begin(), token.end(), [](char c) { return c > 0x20 && c < 0x7f; });
  if (!plain) return invalid("it holds more than one word");
  if (token.size() < kLeastTokenBytes) return invalid("its token is too short");
  if (token.size() > kMostTokenBytes) return invalid("its token is too long");
  struct stat status {};
  if (::fstat(opened.get(), &status) == 0 && (status.st_mode & S_IROTH) != 0) {
    log::warning(name, ": everybody on this machine can read it: chmod 600 it");
  }
  return token;
}

}  // namespace dfota
