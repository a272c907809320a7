#include "transport/part_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace dfota {
namespace {

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
  descriptor_ = ::open(part_path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
  if (descriptor_ < 0) return file_error(errno, part_path_);
  if (mode_ && ::fchmod(descriptor_, *mode_) != 0) return file_error(errno, part_path_);
  return std::nullopt;
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

std::optional<Error> PartFile::commit() {
  if (::fsync(descriptor_) != 0) return file_error(errno, part_path_);
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
