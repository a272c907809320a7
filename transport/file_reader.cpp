#include "transport/file_reader.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

namespace dfota {
namespace {

constexpr std::size_t kBlockBytes = 262144;

class Descriptor {
 public:
  // Not blocking, for a FIFO would wait for its writer.
  explicit Descriptor(const std::filesystem::path& file)
      : handle(::open(file.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)) {}
  ~Descriptor() {
    if (handle >= 0) ::close(handle);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  const int handle;
};

Error cannot_be_read(const std::filesystem::path& file, int code) {
  return Error(Errc::io, file.string() + " cannot be read: " + std::strerror(code));
}

}  // namespace

std::optional<Error> read_file(const std::filesystem::path& file,
                               const std::function<std::optional<Error>(std::string_view)>& sink) {
  const Descriptor source(file);
  if (source.handle < 0) {
    if (errno == ENOENT || errno == ENOTDIR) return Error(Errc::absent, file.string() + ": no such file");
    if (errno == ELOOP) return Error(Errc::refused, file.string() + " is a symbolic link");
    if (errno == ENXIO) return Error(Errc::refused, file.string() + " is not a regular file");
    return cannot_be_read(file, errno);
  }
  struct stat found {};
  if (::fstat(source.handle, &found) != 0) return cannot_be_read(file, errno);
  if (!S_ISREG(found.st_mode)) return Error(Errc::refused, file.string() + " is not a regular file");
  std::vector<char> block(kBlockBytes);
  for (;;) {
    const auto count = ::read(source.handle, block.data(), block.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return cannot_be_read(file, errno);
    if (count == 0) return std::nullopt;
    if (auto error = sink(std::string_view(block.data(), static_cast<std::size_t>(count)))) return error;
  }
}

}  // namespace dfota
