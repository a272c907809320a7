#include "transport/part_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <vector>

namespace dfota {
namespace {

constexpr std::size_t kBlockBytes = 262144;

Error file_error(int code, const std::filesystem::path& path) {
  const bool full = code == ENOSPC || code == EDQUOT || code == EFBIG;
  return Error(full ? Errc::no_space : Errc::io, path.string() + ": " + std::generic_category().message(code));
}

}  // namespace

PartFile::PartFile(std::filesystem::path final_path)
    : final_path_(std::move(final_path)),
      part_path_(final_path_.parent_path() / (std::string(kPrefix) + final_path_.filename().string())) {}

PartFile::PartFile(std::filesystem::path final_path, std::string_view prefix, mode_t mode)
    : final_path_(std::move(final_path)),
      part_path_(final_path_.parent_path() / (std::string(prefix) + final_path_.filename().string())),
      mode_(mode) {}

PartFile::~PartFile() {
  if (descriptor_ < 0) return;
  ::close(descriptor_);
  ::unlink(part_path_.c_str());
}

std::optional<Error> PartFile::create() {
  ::unlink(part_path_.c_str());
  descriptor_ = ::open(part_path_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (descriptor_ < 0) return file_error(errno, part_path_);
  if (mode_ && ::fchmod(descriptor_, *mode_) != 0) return file_error(errno, part_path_);
  return std::nullopt;
}

bool PartFile::resume(const std::function<bool(std::string_view)>& seen) {
  descriptor_ = ::open(part_path_.c_str(), O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (descriptor_ < 0) return false;
  struct stat found {};
  bool good = ::fstat(descriptor_, &found) == 0 && S_ISREG(found.st_mode) && found.st_nlink == 1;
  std::vector<char> block(good ? kBlockBytes : 0);
  while (good) {
    const auto count = ::read(descriptor_, block.data(), block.size());
    if (count < 0 && errno == EINTR) continue;
    if (count == 0) break;
    const std::string_view bytes(block.data(), count > 0 ? static_cast<std::size_t>(count) : 0);
    hash_.update(bytes);
    size_ += bytes.size();
    good = count > 0 && seen(bytes);
  }
  if (good) return true;
  ::close(descriptor_);
  descriptor_ = -1;
  size_ = 0;
  hash_ = Sha256();
  return false;
}

std::optional<Error> PartFile::append(std::string_view bytes) {
  hash_.update(bytes);
  size_ += bytes.size();
  while (!bytes.empty()) {
    const auto written = ::write(descriptor_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return file_error(errno, part_path_);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return std::nullopt;
}

std::optional<Error> PartFile::restart() {
  if (::ftruncate(descriptor_, 0) != 0 || ::lseek(descriptor_, 0, SEEK_SET) != 0) return file_error(errno, part_path_);
  size_ = 0;
  hash_ = Sha256();
  return std::nullopt;
}

std::optional<Error> PartFile::sync() {
  struct stat now {};
  const bool mode_is_right =
      mode_ || (::fstat(descriptor_, &now) == 0 && ::fchmod(descriptor_, now.st_mode & 0444U) == 0);
  if (!mode_is_right || ::fsync(descriptor_) != 0) return file_error(errno, part_path_);
  return std::nullopt;
}

void PartFile::keep() {
  if (descriptor_ >= 0) ::close(descriptor_);
  descriptor_ = -1;
}

std::optional<Error> PartFile::commit() {
  if (auto error = sync()) return error;
  if (::rename(part_path_.c_str(), final_path_.c_str()) != 0) return file_error(errno, final_path_);
  ::close(descriptor_);
  descriptor_ = -1;
  const auto directory = final_path_.parent_path();
  const int handle = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (handle < 0) return file_error(errno, directory);
  const int synced = ::fsync(handle);
  const int code = errno;
  ::close(handle);
  if (synced != 0) return file_error(code, directory);
  return std::nullopt;
}

}  // namespace dfota
