#include "gateway/ctl/artifact_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <functional>
#include <system_error>

#include "transport/file_reader.hpp"
#include "transport/sha256.hpp"

namespace dfota::ctl {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostSignature = 2048;

std::string what(int code) {
  return std::generic_category().message(code);
}

Error write_error(int code, const fs::path& directory) {
  if (code == EACCES || code == EPERM || code == EROFS) {
    return Error(Errc::refused, directory.string() +
                                    " cannot be written to: do this as a user who may, or name another directory that "
                                    "the gateway reads with artifacts.incoming");
  }
  const bool full = code == ENOSPC || code == EDQUOT || code == EFBIG;
  return Error(full ? Errc::no_space : Errc::io, directory.string() + ": " + what(code));
}

std::optional<Error> write_all(int descriptor, std::string_view bytes, const fs::path& directory) {
  while (!bytes.empty()) {
    const auto written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return write_error(errno, directory);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return std::nullopt;
}

/// Its bytes in order; each block also goes to `sink`. A link of the user's own is followed.
Result<FileFacts> read_through(const fs::path& file,
                               const std::function<std::optional<Error>(std::string_view)>& sink) {
  std::error_code error;
  const auto real = fs::canonical(file, error);
  if (error) return Error(Errc::absent, file.string() + ": " + error.message());
  Sha256 hash;
  FileFacts facts;
  const auto failed = read_file(real, [&](std::string_view bytes) {
    hash.update(bytes);
    facts.size += bytes.size();
    return sink(bytes);
  });
  if (failed) return *failed;
  if (facts.size == 0) return Error(Errc::refused, file.string() + " is empty");
  facts.sha256 = hash.hex();
  return facts;
}

}  // namespace

Result<Json> manifest_of(const ArtifactAddCall& call) {
  Json manifest = {
      {"name", call.name}, {"model", call.model}, {"from", call.from}, {"to", call.to}, {"sha256", call.sha256}};
  if (call.size) manifest["size"] = *call.size;
  if (!call.url.empty()) manifest["url"] = call.url;
  if (!call.from_released.empty()) {
    manifest["released"]["from"] = call.from_released;
    if (!call.released.empty()) manifest["released"]["to"] = call.released;
  } else if (!call.released.empty()) {
    manifest["released"] = call.released;
  }
  if (!call.notes.empty()) manifest["notes"] = call.notes;
  if (!call.signature_file.empty()) {
    std::ifstream in(call.signature_file, std::ios::binary);
    std::string text(kMostSignature + 1, '\0');
    in.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(in.gcount()));
    if (text.empty() || text.size() > kMostSignature) {
      return Error(Errc::invalid, call.signature_file + " cannot be read, or is no signature of minisign");
    }
    manifest["signature"] = text;
  }
  return manifest;
}

Result<FileFacts> copy_into(const fs::path& directory, const std::string& name, const fs::path& file) {
  std::error_code error;
  if (!fs::is_directory(directory, error)) {
    return Error(Errc::absent, directory.string() +
                                   ", where the gateway takes files from, is not on this host or cannot be seen: run "
                                   "dfota there, as a user who may, or serve the file and use --url");
  }
  // The gateway does not look at what begins with a dot.
  std::string part = directory / ("." + name + ".XXXXXX");
  const int descriptor = ::mkostemp(part.data(), O_CLOEXEC);
  if (descriptor < 0) return write_error(errno, directory);
  auto facts = read_through(
      file, [&](std::string_view bytes) -> std::optional<Error> { return write_all(descriptor, bytes, directory); });
  constexpr mode_t kReadable = 0644;  // the gateway may be another user
  if (facts && (::fchmod(descriptor, kReadable) != 0 || ::fsync(descriptor) != 0))
    facts = write_error(errno, directory);
  ::close(descriptor);
  if (facts && ::rename(part.c_str(), (directory / name).c_str()) != 0) facts = write_error(errno, directory);
  if (!facts) ::unlink(part.c_str());
  return facts;
}

}  // namespace dfota::ctl
