#include "gateway/manifest_files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "gateway/json_guard.hpp"
#include "transport/base/log.hpp"
#include "transport/part_file.hpp"

namespace dfota {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostBytes = 65536;
constexpr std::string_view kExtension = ".json";

std::string what(int code) {
  return std::generic_category().message(code);
}

/// A manifest, or what is wrong with the file.
std::variant<Manifest, std::string> read_manifest(const fs::path& file) {
  const auto text = read_small_file(file, kMostBytes);
  if (!text) return text.error().message;
  const auto document = parse_untrusted(*text, kMostBytes);
  if (const auto* fault = std::get_if<JsonFault>(&document)) return fault->message + " " + fault->pointer;
  auto manifest = parse_manifest(std::get<nlohmann::json>(document), true);
  if (const auto* fault = std::get_if<CommandFault>(&manifest)) return fault->pointer + ": " + fault->message;
  if (std::get<Manifest>(manifest).name != file.stem()) return "it is named otherwise inside";
  return std::get<Manifest>(std::move(manifest));
}

}  // namespace

Result<std::string> read_small_file(const fs::path& file, std::size_t most) {
  // A pipe would be waited for without O_NONBLOCK.
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (descriptor < 0) {
    const auto code = errno == ENOENT ? Errc::absent : errno == ELOOP ? Errc::refused : Errc::io;
    return Error(code, file.string() + ": " + (errno == ELOOP ? "is a symbolic link" : what(errno)));
  }
  std::string text(most + 1, '\0');
  std::size_t size = 0;
  ssize_t got = 0;
  struct stat status {};
  const bool regular = ::fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode);
  while (regular && size < text.size()) {
    got = ::read(descriptor, text.data() + size, text.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    size += static_cast<std::size_t>(got);
  }
  const int code = errno;
  ::close(descriptor);
  if (!regular) return Error(Errc::refused, file.string() + ": is no regular file");
  if (got < 0) return Error(Errc::io, file.string() + ": " + what(code));
  if (size > most) return Error(Errc::refused, file.string() + ": is longer than " + std::to_string(most) + " bytes");
  text.resize(size);
  return text;
}

Manifests read_manifests(const fs::path& directory) {
  Manifests manifests;
  std::error_code error;
  fs::create_directories(directory, error);
  for (fs::directory_iterator entry(directory, error), end; !error && entry != end; entry.increment(error)) {
    const auto& file = entry->path();
    if (file.filename().string().starts_with(PartFile::kPrefix)) {
      std::error_code ignored;
      fs::remove(file, ignored);
    } else if (file.extension() == kExtension) {
      auto manifest = read_manifest(file);
      if (auto* read = std::get_if<Manifest>(&manifest)) {
        manifests.emplace(read->name, std::move(*read));
      } else {
        log::error("artifacts: ", file.string(), " is left alone: ", std::get<std::string>(manifest));
      }
    }
  }
  if (error) log::error("artifacts: ", directory.string(), " cannot be read: ", error.message());
  return manifests;
}

std::optional<Error> write_manifest(const fs::path& directory, const Manifest& manifest) {
  PartFile file(directory / (manifest.name + std::string(kExtension)));
  if (auto error = file.create()) return error;
  if (auto error = file.append(to_json(manifest).dump(2) + "\n")) return error;
  return file.commit();
}

std::optional<Error> remove_manifest(const fs::path& directory, const std::string& name) {
  const auto file = directory / (name + std::string(kExtension));
  if (::unlink(file.c_str()) == 0 || errno == ENOENT) return std::nullopt;
  return Error(Errc::io, file.string() + ": " + what(errno));
}

}  // namespace dfota
